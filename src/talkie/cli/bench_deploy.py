"""`talkie bench deploy`: what each way to run Talkie costs, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from talkie.cli import bench_run as running
from talkie.cli import bench_shared as shared
from talkie.cli.bench_stop import tidied
from talkie.cli.output import FAILED, say

if TYPE_CHECKING:
    from talkie.bench.deploy_results import DeployResult

FORMS = "native,container-host,container-bridge,folder,lxc"


def deploy(
    model: shared.Model = shared.BUILT_IN,
    forms: Annotated[str, typer.Option(help="Which, with commas; those that are not here become a row.")] = FORMS,
    rounds: running.Rounds = 5,
    native: Annotated[Path | None, typer.Option(help="The installed `talkie`; else this one here.")] = None,
    image: Annotated[str, typer.Option(help="The container image.")] = "localhost/talkie:cpu",
    bundle: Annotated[Path, typer.Option(help="The program in the one folder.")] = Path("dist/talkie/talkie"),
    lxc: Annotated[str, typer.Option(help="An LXC container with Talkie in it, on the host's network.")] = "",
    lxc_command: Annotated[str, typer.Option(help="Talkie in that container.")] = "/opt/talkie/current/bin/talkie",
    answers: Annotated[int, typer.Option(min=1, max=1000, help="Answers of each kind a turn.")] = 10,
    uploads: Annotated[int, typer.Option(min=1, max=100, help="Uploads of 64 MB a turn.")] = 3,
    idle: Annotated[float, typer.Option(min=1, max=600, help="Seconds of idling that are looked at.")] = 10.0,
    without_tls: Annotated[bool, typer.Option("--without-tls", help="No second server with TLS.")] = False,
    speech: Annotated[Path | None, typer.Option(help="The recording; else the built-in voice speaks one.")] = None,
    models_dir: running.ModelsDir = None,
    recorded: Annotated[Path | None, typer.Option("--from", help="Measure nothing: show this result.")] = None,
    output: running.Output = None,
    html: running.Html = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the report here.")] = None,
) -> None:
    """Native, container, one folder and LXC in turns: start, answers, memory, disk, idling, uploads, TLS."""
    from talkie.bench.deploy_gather import Asked, Here, Work, measure
    from talkie.bench.deploy_results import read_result

    if recorded is not None:
        _tell(read_result(recorded), None, html, markdown)
        return
    told = _model(model, models_dir)
    here = Here(running.split(forms), native, image, bundle, lxc, lxc_command)
    work = Work(answers, uploads, idle, tls=not without_tls)
    with tidied():
        result = measure(Asked(*told, rounds, speech), here, work, say)
    _tell(result, output, html, markdown)
    if not any(run.turns for run in result.forms):
        raise typer.Exit(FAILED)


def _model(name: str, models_dir: Path | None) -> tuple[str, str, bool]:
    """What the server is told, what it is called, and whether it is true in shape only."""
    if name in (shared.BUILT_IN, "auto"):
        return name, name, False
    [found] = running.find_models(name, models_dir)
    form = found.directory / "ct2-int8"
    return str(form if form.is_dir() else found.directory), found.name, bool(found.told)


def _tell(result: DeployResult, output: Path | None, page: Path | None, markdown: Path | None) -> None:
    from talkie.bench import deploy_report as report
    from talkie.bench.deploy_results import DEPLOY

    shared.tell_report(DEPLOY, result, report, (output, page, markdown), report.warnings(result))
