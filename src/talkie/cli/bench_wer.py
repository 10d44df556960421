"""`talkie bench wer`: what is heard wrongly, on human recordings or on speech of the built-in voice."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from talkie.cli import bench_shared as shared
from talkie.cli.output import note

if TYPE_CHECKING:
    from talkie.bench.recordings import Recording


def wer(
    speech: shared.Speech = None,
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
        recordings = shared.recordings(speech, kind, Path(directory))
        for name in model or [shared.BUILT_IN]:
            service = shared.service()
            try:
                chosen = _understood(service, name, recordings)
                request = TranscribeRequest(model=name, language=None, preset=preset, vad=not no_vad)
                result = measure(service, chosen, request, lambda done, of=len(chosen): shared.show_counted(done, of))  # type: ignore[misc]
            finally:
                service.close(0.0)
            results.append(result)
            settings = {"preset": preset, "vad": not no_vad, "speech": "human" if speech else "synthetic"}
            shared.show(f"word error rate: {result.model}", "wer", as_table(result), result.as_json() | settings)
    if predictions is not None:
        write_predictions(predictions, results)
        note(f"what was heard is in {predictions}")


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
