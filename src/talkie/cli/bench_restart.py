"""`talkie bench restart`: weights in the image beside weights on a volume."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from talkie.cli import bench_run as running
from talkie.cli import bench_shared as shared
from talkie.cli.bench_stop import tidied
from talkie.cli.output import FAILED, say

if TYPE_CHECKING:
    from talkie.bench.restart_results import RestartResult

MAX_MB = 4000
"""The longest variable that the form of the weights can hold."""


def restart(
    sizes: Annotated[str, typer.Option(help="Sizes of models in MB, with commas.")] = "75,500,3000",
    rate: Annotated[float, typer.Option(min=0, help="MB/s of the line for images and models; 0: no limit.")] = 100.0,
    restarts: Annotated[int, typer.Option(min=1, max=100, help="Starts after the first.")] = 3,
    image: Annotated[str, typer.Option(help="The slim container image.")] = "localhost/talkie:cpu",
    work: Annotated[
        Path | None, typer.Option(help="Where there is room: five times the largest model and 2 GB.")
    ] = None,
    recorded: Annotated[Path | None, typer.Option("--from", help="Measure nothing: show this result.")] = None,
    output: running.Output = None,
    html: running.Html = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the report here.")] = None,
) -> None:
    """Build, size, first launch and restart, with random weights in the image or on a volume, over a slow line."""
    from talkie.bench.restart_results import read_result

    result = read_result(recorded) if recorded else _measure(_sizes(sizes), rate, restarts, image, work)
    _tell(result, output if recorded is None else None, html, markdown)
    if not result.ways:
        raise typer.Exit(FAILED)


def _measure(sizes: list[int], rate: float, restarts: int, image: str, work: Path | None) -> RestartResult:
    from datetime import UTC, datetime

    from talkie.bench.deploy_containers import containers
    from talkie.bench.deploy_forms import FormAbsent
    from talkie.bench.machine import this_machine
    from talkie.bench.restart_results import RestartResult
    from talkie.bench.restart_run import RestartTask, run
    from talkie.errors import InvalidValue

    try:
        containers(image)
    except FormAbsent as why:
        hint = f"podman build --target cpu -f deploy/container/Containerfile -t {image} ."
        raise InvalidValue("image", f"It takes Podman and an image: {why}.", hint=hint) from why
    created = datetime.now(UTC).isoformat(timespec="seconds")
    room = tempfile.TemporaryDirectory(prefix="talkie-bench-", dir=work, ignore_cleanup_errors=True)
    with tidied(), room as directory:
        ways = run(RestartTask(image, Path(directory), rate, restarts, progress=say), sizes)
    return RestartResult(this_machine().as_json(), created, image, rate, tuple(ways.found), ways.absent)


def _sizes(text: str) -> list[int]:
    """Raises `InvalidValue`."""
    from talkie.errors import InvalidValue

    try:
        found = [int(part) for part in running.split(text)]
    except ValueError:
        found = []
    if not found or not all(1 <= one <= MAX_MB for one in found):
        raise InvalidValue("sizes", f"--sizes takes numbers from 1 to {MAX_MB}, with commas between.")
    return found


def _tell(result: RestartResult, output: Path | None, page: Path | None, markdown: Path | None) -> None:
    from talkie.bench import restart_report as report
    from talkie.bench.restart_results import RESTART

    shared.tell_report(RESTART, result, report, (output, page, markdown))
