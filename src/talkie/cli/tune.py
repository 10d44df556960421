"""`talkie tune`: every way to run a Whisper model measured on this machine, and the best one remembered.

The table goes to stdout and ends in one JSON line; progress goes to stderr. Knows nothing of how is measured.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from talkie.cli.output import note

if TYPE_CHECKING:
    from talkie.models.store import ModelStore, StoredModel
    from talkie.runtime.tuning_run import Tuner, Tuning
    from talkie.runtime.tuning_speech import Said
    from talkie.settings import Settings


def tune(
    model: Annotated[
        str, typer.Argument(metavar="[MODEL]", help="A Whisper model: its name, its path, or `auto` for the best here.")
    ] = "auto",
    speech: Annotated[
        Path | None,
        typer.Option(help="Recordings of yours with their text: a manifest.csv, or the directory that has one."),
    ] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only these kinds of them (default: all but `digit`).")] = None,
    threads: Annotated[int, typer.Option(min=0, max=1024, help="Processors to use; 0 for those there are.")] = 0,
    context: Annotated[
        bool, typer.Option("--context", help="Also find out whether `context = fit` leaves the words as they are.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Set `context = fit` where that may be.")] = False,
    home: Annotated[Path | None, typer.Option(help="Where Talkie keeps its models (TALKIE_HOME).")] = None,
) -> None:
    """Measure every way to run a Whisper model here, and remember the best.

    Libraries, kinds of numbers, workers, threads and batches are tried. What hears worse than the model's own float32,
    by more than 0.3 points of word error rate, is refused. Takes minutes; for large models many.
    """
    from talkie.bench.report import json_line
    from talkie.cli.tune_speech import speech_for
    from talkie.compose import service_config
    from talkie.models.store import ModelStore
    from talkie.runtime.tuning_run import Tuner
    from talkie.settings import load_settings

    settings, _ = load_settings({"home": home})
    store = ModelStore(settings.home)
    chosen = _model(store, model)
    said = speech_for(chosen.languages, speech, kind)
    with store.hold(chosen):
        tuner = Tuner(chosen, service_config(settings, allow_paths=True), threads)
        values, tuning = _measure(chosen, tuner, said, own_files=speech is not None)
        if context and tuning.chosen is not None:
            values |= _contexts(tuner, tuning, said, settings, own_files=speech is not None, yes=yes)
    if settings.backend != "auto":
        note(f"the setting backend is {settings.backend}; what was found out is for auto.")
    typer.echo(json_line("tune", values))


def _model(store: ModelStore, name: str) -> StoredModel:
    """Raises `ModelNotFound`, and `InvalidValue` for one that there is nothing to choose for."""
    from talkie.errors import InvalidValue

    found = store.best() if name == "auto" else store.resolve(name)
    if found is None or found.engine != "whisper":
        raise InvalidValue(
            "model",
            "There is nothing to tune: " + (f"{found.name} is no Whisper model." if found else "no model is here."),
            hint="`talkie pull whisper-base` fetches one.",
        )
    return found


def _measure(model: StoredModel, tuner: Tuner, said: list[Said], *, own_files: bool) -> tuple[dict[str, Any], Tuning]:
    from talkie.bench.machine import this_machine
    from talkie.cli.preparing import shown
    from talkie.cli.tune_table import as_json, as_table, reason_of, verdict
    from talkie.errors import EngineFailed
    from talkie.runtime.tuning_speech import pack

    with shown("measuring {}") as step:
        tuning = tuner.tune(pack(said), step, own_files=own_files)
    machine = this_machine()
    typer.echo(f"\n{model.name}\non {machine}\n\n{as_table(tuning)}\n\n{verdict(tuning)}\n")
    if tuning.chosen is None:
        raise EngineFailed("whisper", f"{model.name} cannot be run in any way here: {tuning.refused[0]}")
    tuner.remember(tuning.chosen, reason_of(tuning))
    speech = "own" if own_files else "spoken"
    return {"model": model.name, "speech": speech, **as_json(tuning), "machine": machine.as_json()}, tuning


def _contexts(
    tuner: Tuner, tuning: Tuning, said: list[Said], settings: Settings, *, own_files: bool, yes: bool
) -> dict[str, Any]:
    from talkie.cli.preparing import shown
    from talkie.cli.tune_context import set_fit, told
    from talkie.runtime.tuning_speech import alone

    assert tuning.chosen is not None
    with shown("measuring {}") as step:
        contexts = tuner.compare_contexts(tuning.chosen.candidate, alone(said), step)
    text, values, may = told(contexts, own_files=own_files)
    typer.echo(f"{text}\n")
    if may and yes:
        values["set_in"] = str(set_fit(settings.home))
        note(f"context = fit is set in {values['set_in']}.")
    return {"context": values}
