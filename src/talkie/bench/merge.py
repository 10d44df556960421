"""Several runs of one machine as one result: files, crowds and uploads are measured apart and reported together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from talkie.bench import face_results, tts_results
from talkie.bench.face_results import FACE
from talkie.bench.live_results import LIVE, parse_run
from talkie.bench.results import Result, parse_result, read_json
from talkie.bench.tts_results import TTS
from talkie.errors import InvalidValue

UPLOAD = "upload"
T = TypeVar("T")

SAME = ("processor", "cores")


def read_part(path: Path) -> Result:
    """A result, or what `talkie bench upload`, `live`, `tts` or `face` printed. Raises `InvalidValue`."""
    values = read_json(path)
    if values.get("bench") not in (UPLOAD, LIVE, TTS, FACE):
        return parse_result(values, path.name)
    machine = values.get("machine")
    if not isinstance(machine, dict):
        raise InvalidValue("result", f"{path.name} does not say on what machine it was measured.")
    if values["bench"] == LIVE:
        return Result(machine=machine, options={}, live=_runs(values, path.name, parse_run))
    if values["bench"] == TTS:
        return Result(machine=machine, options={}, speech=_runs(values, path.name, tts_results.parse_run))
    if values["bench"] == FACE:
        return Result(machine=machine, options={}, faces=_runs(values, path.name, face_results.parse_run))
    return Result(machine=machine, options={}, server={"upload_mb_s": values.get("upload_mb_s")})


def merge(results: Sequence[Result]) -> Result:
    """Raises `InvalidValue` for runs of different machines, and where two have measured the same."""
    if not results:
        raise InvalidValue("result", "There is no result to report.")
    for other in results[1:]:
        if any(other.machine.get(name) != results[0].machine.get(name) for name in SAME):
            raise InvalidValue("result", "These runs are of different machines; a report is of one.")
    cases = tuple(chain.from_iterable(one.cases for one in results))
    crowds = tuple(chain.from_iterable(one.crowds for one in results))
    places = [(one.contender, one.model, one.workload) for one in cases]
    places += [(one.contender, one.model, str(one.clients)) for one in crowds]
    live = tuple(chain.from_iterable(one.live for one in results))
    places += [(one.contender, one.model, f"live, {one.door}") for one in live]
    speech = tuple(chain.from_iterable(one.speech for one in results))
    places += [(one.engine, one.voice, TTS) for one in speech]
    faces = tuple(chain.from_iterable(one.faces for one in results))
    places += [(FACE, part, FACE) for one in faces for part in ("network", "drawn", "live") if getattr(one, part)]
    if len(set(places)) < len(places):
        raise InvalidValue("result", "Two of these runs have measured the same; give one of them.")
    first = next((one for one in results if one.cases), results[0])
    return replace(
        first,
        options=_options(results),
        models=tuple(dict.fromkeys(chain.from_iterable(one.models for one in results))),
        cases=cases,
        crowds=crowds,
        live=live,
        speech=speech,
        faces=faces,
        limits=next((one.limits for one in results if one.limits), {}),
        server={name: value for one in results for name, value in one.server.items()},
        absent={name: value for one in results for name, value in one.absent.items()},
    )


def _runs(values: dict[str, Any], name: str, parse: Callable[[Mapping[str, Any]], T]) -> tuple[T, ...]:
    try:
        return tuple(parse(one) for one in values["runs"])
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise InvalidValue("result", f"{name} is not as expected: {error!r}") from error


def _options(results: Sequence[Result]) -> dict[str, str]:
    """Each option with all of its values."""
    found: dict[str, dict[str, None]] = {}
    for one in results:
        for name, value in one.options.items():
            found.setdefault(name, {})[str(value)] = None
    return {name: ", ".join(values) for name, values in found.items()}
