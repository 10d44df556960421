"""`talkie bench`: error rates, start-up times and memory, each with the machine and the settings beside it.

The tables go to stdout and each ends in one JSON line; progress goes to stderr.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from talkie.cli.output import note, say

if TYPE_CHECKING:
    from talkie.bench.recordings import Recording

app = typer.Typer(help="Measure error rates, speed, memory and start-up time.", no_args_is_help=True)

BUILT_IN = "sphinx-en"
Speech = Annotated[
    Path | None,
    typer.Option("--speech", "--manifest", help="A manifest of human recordings, or the directory that has one."),
]
Model = Annotated[str, typer.Option(help="The model: a name, a path, or `auto`.")]


@app.command()
def wer(
    speech: Speech = None,
    model: Annotated[list[str] | None, typer.Option(help="The model; may be given several times.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only these kinds (default: all but `digit`).")] = None,
    preset: Annotated[str, typer.Option(help="fast, balanced or strict.")] = "balanced",
    no_vad: Annotated[bool, typer.Option("--no-vad", help="Hear everything, also where nobody speaks.")] = False,
    predictions: Annotated[Path | None, typer.Option(help="Write what was heard here, one JSON object a line.")] = None,
) -> None:
    """Word error rate and speed on human recordings, else on speech of the built-in voice."""
    from talkie.bench.wer import as_table, measure, write_predictions
    from talkie.runtime.requests import TranscribeRequest

    results = []
    with tempfile.TemporaryDirectory(prefix="talkie-bench-") as directory:
        recordings = _recordings(speech, kind, Path(directory))
        for name in model or [BUILT_IN]:
            service = _service()
            try:
                chosen = _understood(service, name, recordings)
                request = TranscribeRequest(model=name, language=None, preset=preset, vad=not no_vad)
                result = measure(service, chosen, request, lambda done, of=len(chosen): _progress(done, of))  # type: ignore[misc]
            finally:
                service.close(0.0)
            results.append(result)
            settings = {"preset": preset, "vad": not no_vad, "speech": "human" if speech else "synthetic"}
            _show(f"word error rate: {result.model}", "wer", as_table(result), result.as_json() | settings)
    if predictions is not None:
        write_predictions(predictions, results)
        note(f"what was heard is in {predictions}")


@app.command()
def start(
    model: Model = BUILT_IN, runs: Annotated[int, typer.Option(min=1, max=100, help="Runs of each.")] = 5
) -> None:
    """Seconds from start to `--help`, and to a server that is ready."""
    from talkie.bench.start import as_table, measure

    result = measure(model, runs)
    _show("start-up time, median", "start", as_table(result), {**result.as_json(), "runs": runs})


@app.command()
def memory(
    model: Model = BUILT_IN,
    minutes: Annotated[float, typer.Option(min=0.1, max=600, help="Length of the file that is sent.")] = 30.0,
) -> None:
    """Resident memory of a server: idle, at most, and after a long file."""
    from talkie.bench.memory import as_table, measure

    say(f"A server hears {minutes:g} minutes of speech; the built-in engine takes a third of that or more.")
    result = measure(model, minutes)
    _show("resident memory", "memory", as_table(result), result.as_json())


@app.command(name="all")
def everything(
    speech: Speech = None,
    model: Model = BUILT_IN,
    minutes: Annotated[float, typer.Option(min=0.1, max=600, help="Length of the file for the memory.")] = 5.0,
) -> None:
    """Error rate, start-up time and memory, one after the other."""
    wer(speech, [model])
    start(model, 3)
    memory(model, minutes)


def _recordings(speech: Path | None, kinds: Sequence[str] | None, directory: Path) -> list[Recording]:
    from talkie.bench.recordings import read_manifest, synthesize

    if speech is None:
        note("no --speech given, so the built-in voice speaks; it is harder to understand than people are.")
        return list(synthesize(directory))
    return read_manifest(speech, lambda row: row.kind in kinds if kinds else row.kind != "digit")


def _service() -> Any:
    from talkie.compose import build_service
    from talkie.settings import load_settings

    return build_service(load_settings({})[0], allow_paths=True)


def _understood(service: Any, model: str, recordings: Sequence[Recording]) -> list[Recording]:
    """The recordings in languages that the model knows; the others are said to be left out."""
    from talkie.errors import InvalidValue
    from talkie.runtime.requests import TranscribeRequest

    languages = service.choose(TranscribeRequest(model=model)).languages
    known = [recording for recording in recordings if not languages or recording.language in languages]
    if len(known) < len(recordings):
        note(f"{len(recordings) - len(known)} recordings are in languages that {model} does not know: left out.")
    if not known:
        raise InvalidValue(
            "speech", "There is no recording to hear.", hint="See --kind, and the languages of the model."
        )
    return known


def _progress(done: int, of: int) -> None:
    if done == of or done % 10 == 0:
        say(f"{done} of {of}")


def _show(title: str, bench: str, text: str, values: dict[str, Any]) -> None:
    from talkie.bench.machine import this_machine
    from talkie.bench.report import json_line

    machine = this_machine()
    typer.echo(f"\n{title}\non {machine}\n\n{text}\n")
    typer.echo(json_line(bench, values | {"machine": machine.as_json()}))
