"""`talkie bench start`: how long a user waits until Talkie is there."""

from __future__ import annotations

from typing import Annotated

import typer

from talkie.cli import bench_shared as shared


def start(
    model: shared.Model = shared.BUILT_IN,
    runs: Annotated[int, typer.Option(min=1, max=100, help="Runs of each.")] = 5,
) -> None:
    """Seconds from start to `--help`, and to a server that is ready."""
    from talkie.bench.start import as_table, measure

    result = measure(model, runs)
    shared.show("start-up time, median", "start", as_table(result), {**result.as_json(), "runs": runs})
