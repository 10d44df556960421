"""`talkie bench upload`: how fast a server takes a file."""

from __future__ import annotations

from typing import Annotated

import typer

from talkie.cli import bench_shared as shared


def upload(
    model: shared.Model = shared.BUILT_IN,
    runs: Annotated[int, typer.Option(min=1, max=100, help="Uploads that count.")] = 5,
) -> None:
    """Megabytes a second that a server takes over loopback."""
    from talkie.bench.report import table
    from talkie.bench.upload import measure

    result = measure(model, runs)
    rows = [
        ("upload", f"{result.megabytes_s:.0f}"),
        ("slowest", f"{result.size_bytes / 1e6 / max(result.seconds):.0f}"),
    ]
    shared.show("upload", "upload", table(("", "MB/s"), rows), result.as_json() | {"runs": runs})
