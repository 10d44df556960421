"""A run of the bench as data: who heard what on which model, round by round, and where it was measured.

The one form that is written, read again, compared and drawn. Times are of one machine and one hour; everything that
is to outlive them is a ratio of two contenders in one round. Knows nothing of how anything was measured.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from talkie.bench import face_results, tts_results
from talkie.bench.live_results import LiveRun, parse_run
from talkie.errors import InvalidValue

SCHEMA = 1
BENCH = "speed"
MAX_RESULT_BYTES = 64 << 20

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sample:
    """One round of one case: a fresh process loads the model, hears something else first, then the file.

    `passes` is how often a shape-true model told its text, None where the text is not such a one, and `whole` whether
    each time to the end. `text_ok` is whether the text is what it must be (None: there is nothing to hold it against).
    """

    round: int
    import_s: float
    import_cpu_s: float
    load_s: float
    load_cpu_s: float
    wall_s: float
    cpu_s: float
    first_segment_s: float
    peak_bytes: int
    segments: int
    words: int
    timed_words: int = 0
    passes: int | None = None
    whole: bool | None = None
    text_ok: bool | None = None
    wer: float | None = None
    load_average: float = 0.0

    def __post_init__(self) -> None:
        _must_be_numbers(getattr(self, one.name) for one in fields(self))


@dataclass(frozen=True, slots=True)
class Case:
    """One contender with one model on one file."""

    contender: str
    model: str
    workload: str
    audio_s: float
    samples: tuple[Sample, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    install_bytes: int = 0
    error: str = ""

    @property
    def peer(self) -> str:
        """The contender without its variant."""
        return self.contender.partition(":")[0]

    @property
    def text_ok(self) -> bool:
        """False when any round gave another text than it had to: then its speed says nothing."""
        return all(sample.text_ok is not False for sample in self.samples)


@dataclass(frozen=True, slots=True)
class Crowd:
    """Several clients at once with short clips on one contender, one round each. Latencies are of single clips."""

    contender: str
    model: str
    clients: int
    clip_s: float
    rounds: tuple[CrowdRound, ...] = ()
    error: str = ""

    @property
    def peer(self) -> str:
        return self.contender.partition(":")[0]


@dataclass(frozen=True, slots=True)
class CrowdRound:
    """`client_s` is how long each client waited for all of its clips together."""

    round: int
    wall_s: float
    cpu_s: float
    audio_s: float
    latencies_s: tuple[float, ...]
    client_s: tuple[float, ...]
    text_ok: bool | None = None

    def __post_init__(self) -> None:
        _must_be_numbers((self.round, self.wall_s, self.cpu_s, self.audio_s, *self.latencies_s, *self.client_s))
        if not (self.latencies_s and self.client_s):
            raise ValueError("a round without clips")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model of the run. `shape_true`: real dimensions, random weights, for speed only."""

    name: str
    shape_true: bool
    compute_type: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """One run. `limits` are rates of the machine, `server` what was measured of `talkie serve`, `absent` why somebody
    who was asked could not take part."""

    machine: Mapping[str, Any]
    options: Mapping[str, Any]
    created: str = ""
    models: tuple[ModelCard, ...] = ()
    cases: tuple[Case, ...] = ()
    crowds: tuple[Crowd, ...] = ()
    live: tuple[LiveRun, ...] = ()
    speech: tuple[tts_results.TtsRun, ...] = ()
    faces: tuple[face_results.FaceRun, ...] = ()
    limits: Mapping[str, Any] = field(default_factory=dict)
    server: Mapping[str, Any] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    schema: int = SCHEMA

    @property
    def hears(self) -> bool:
        """Whether this is about the goals of hearing: faces and voices alone have their own."""
        return bool(self.cases or self.crowds or self.live or self.server) or not (self.faces or self.speech)

    @property
    def speed_only(self) -> bool:
        return any(model.shape_true for model in self.models) or any(run.shape_true for run in self.live)

    def as_json(self) -> dict[str, Any]:
        return {"bench": BENCH, **asdict(self)}


def write_result(path: Path, result: Result) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(result.as_json(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def read_result(path: Path) -> Result:
    """A result file, or anything whose last line is one (what `talkie bench speed` printed). Raises `InvalidValue`."""
    return parse_result(read_json(path), path.name)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file, or in its last line. Raises `InvalidValue`."""
    try:
        if path.stat().st_size > MAX_RESULT_BYTES:
            raise InvalidValue("result", f"{path.name} is too large to be a result.")
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValue("result", f"{path.name} cannot be read: {error}") from error
    for candidate in (text, text.rpartition("\n")[2]):
        try:
            found = json.loads(candidate)
        except ValueError:
            continue
        if isinstance(found, dict):
            return found
    raise InvalidValue("result", f"{path.name} is not a result.", hint="`talkie bench speed -o FILE` writes one.")


def parse_result(values: Mapping[str, Any], name: str = "the file") -> Result:
    """Raises `InvalidValue` for what is no result of a schema that is known here."""
    check_kind(values, BENCH, SCHEMA, name)
    try:
        return made(
            Result,
            values,
            models=_many(ModelCard),
            cases=_many(Case, samples=_many(Sample)),
            crowds=_many(Crowd, rounds=_many(CrowdRound, latencies_s=tuple, client_s=tuple)),
            live=lambda rows: tuple(parse_run(one) for one in rows),
            speech=lambda rows: tuple(tts_results.parse_run(one) for one in rows),
            faces=lambda rows: tuple(face_results.parse_run(one) for one in rows),
        )
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise InvalidValue("result", f"{name} is not as expected: {error}") from error


def check_kind(values: Mapping[str, Any], bench: str, schema: int, name: str) -> None:
    """Raises `InvalidValue` for a result of something else."""
    if values.get("bench") != bench or values.get("schema") != schema:
        what = f"bench {values.get('bench')!r}, schema {values.get('schema')!r}"
        raise InvalidValue("result", f"{name} is {what}; {bench!r} of schema {schema} is read here.")


def _must_be_numbers(values: Iterable[object]) -> None:
    """What comes from a file may be anything. Raises `TypeError`."""
    for value in values:
        if not (value is None or isinstance(value, int | float)):
            raise TypeError(f"{str(value)[:40]!r} stands where a number must")


def _many(kind: type[T], **parts: Callable[[Any], Any]) -> Callable[[Any], tuple[T, ...]]:
    return lambda rows: tuple(made(kind, row, **parts) for row in rows)


def made(kind: type[T], values: Mapping[str, Any], **parts: Callable[[Any], Any]) -> T:
    """Fields that are not known (of a later version) are passed over; those without a default must be there."""
    known = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    chosen = {name: value for name, value in values.items() if name in known}
    return kind(**chosen | {name: make(chosen[name]) for name, make in parts.items() if name in chosen})
