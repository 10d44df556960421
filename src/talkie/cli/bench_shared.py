"""What the benches have in common: where their files lie, the service, and how a result is told.

The tables go to stdout and each ends in one JSON line; progress goes to stderr.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from talkie.cli.output import note, say

if TYPE_CHECKING:
    from talkie.bench.recordings import Recording

BUILT_IN = "sphinx-en"
Speech = Annotated[
    Path | None,
    typer.Option("--speech", "--manifest", help="A manifest of human recordings, or the directory that has one."),
]
Model = Annotated[str, typer.Option(help="The model: a name, a path, or `auto`.")]


def bench_home() -> Path:
    """Where files that were made once are kept: `bench` below Talkie's home."""
    home: Path = settings().home
    return home / "bench"


def settings() -> Any:
    from talkie.settings import load_settings

    return load_settings({})[0]


def service() -> Any:
    from talkie.compose import build_service

    return build_service(settings(), allow_paths=True)


def human_recordings(speech: Path | None, kinds: Sequence[str] | None = None) -> list[Recording]:
    """Those of a manifest, of the kinds given, else all but single digits; none without a manifest."""
    from talkie.bench.recordings import read_manifest

    if speech is None:
        return []
    return read_manifest(speech, lambda row: row.kind in kinds if kinds else row.kind != "digit")


def recordings(speech: Path | None, kinds: Sequence[str] | None, directory: Path) -> list[Recording]:
    """Human ones, else sentences of the built-in voice in `directory`."""
    from talkie.bench.recordings import synthesize

    if speech is None:
        note("no --speech given, so the built-in voice speaks; it is harder to understand than people are.")
        return list(synthesize(directory))
    return human_recordings(speech, kinds)


def show_counted(done: int, of: int) -> None:
    if done == of or done % 10 == 0:
        say(f"{done} of {of}")


def show(title: str, bench: str, text: str, values: dict[str, Any]) -> None:
    from talkie.bench.machine import this_machine
    from talkie.bench.report import json_line

    machine = this_machine()
    typer.echo(f"\n{title}\non {machine}\n\n{text}\n")
    typer.echo(json_line(bench, values | {"machine": machine.as_json()}))


def write_run(
    bench: str, values: dict[str, Any], output: Path | None, page: Path | None, draw: Callable[[], str]
) -> None:
    """The result and its page, before anything is shown: a terminal that goes away must not lose a run."""
    from talkie.bench.report import json_line

    if output is not None:
        output.write_text(json_line(bench, values) + "\n", encoding="utf-8")
        note(f"the result is in {output}")
    if page is not None:
        page.write_text(draw(), encoding="utf-8")
        note(f"the page is {page}")


def tell_report(
    bench: str,
    result: Any,
    report: Any,
    files: tuple[Path | None, Path | None, Path | None],
    warnings: Iterable[str] = (),
) -> None:
    """A result whose `report` module has `html`, `markdown`, `facts` and `tables`: first into `files` (result, page,
    Markdown), then to the terminal, then one line for programs."""
    from talkie.bench.report import json_line, table

    line = json_line(bench, result.as_json())
    for path, text in zip(files, (line + "\n", report.html(result), report.markdown(result)), strict=True):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            note(f"written: {path}")
    for said in warnings:
        typer.echo(f"\n{said}")
    for name, value in report.facts(result):
        typer.echo(f"{name}: {value}")
    for one in report.tables(result):
        typer.echo(f"\n{one.title}\n\n{table(one.head, one.rows)}")
        typer.echo(f"\n{one.note}" if one.note else "", nl=bool(one.note))
    typer.echo("\n" + line)
