"""A run of the bench of faces as data: a network alone and with all that is around it, the drawn face, and live ones.

Knows nothing of how anything was measured, or of how it is shown.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from talkie.bench.statistics import Ratio, percentile, ratio

FACE = "face"
FPS = 25.0


@dataclass(frozen=True, slots=True)
class Times:
    """Of `count` frames, in milliseconds a frame. `cpu_ms` is processor time of all threads, on average."""

    mean_ms: float
    median_ms: float
    std_ms: float
    least_ms: float
    most_ms: float
    p95_ms: float
    p99_ms: float
    count: int
    cpu_ms: float = 0.0

    @property
    def fps(self) -> float:
        return 1000 / max(self.mean_ms, 1e-9)


@dataclass(frozen=True, slots=True)
class NetworkCase:
    """One contender with calls of so many frames."""

    contender: str
    batch: int
    times: Times


@dataclass(frozen=True, slots=True)
class Pair:
    """One thing and another, one right after the other: seconds of time and of processors for the same frames."""

    wall_s: float
    cpu_s: float
    other_wall_s: float
    other_cpu_s: float


@dataclass(frozen=True, slots=True)
class WholeRun:
    """Recording in, film out. `pairs` are whole runs beside the network alone for as many frames; `computed` is how
    many frames the network made of each (fewer where the mouth is shut). `first_s` until the first one is encoded."""

    times: Times
    pairs: tuple[Pair, ...]
    computed: tuple[int, ...]
    first_s: tuple[float, ...]
    bytes_a_frame: float


@dataclass(frozen=True, slots=True)
class FaceNetworkRun:
    """One network on one backend. `pairs` are blocks of plain ONNX Runtime beside the same ones of ours, the latter in
    `other_…`; `psnr_db` of each frame's picture against plain ONNX Runtime's."""

    device: str
    backend: str
    compute_type: str
    reason: str
    audio_s: float
    load_s: float
    first_ms: float
    cases: tuple[NetworkCase, ...]
    pairs: tuple[Pair, ...]
    psnr_db: tuple[float, ...]
    whole: WholeRun
    bare_mb: float
    loaded_mb: float
    peak_mb: float
    skipped: tuple[int, ...] = ()

    def case(self, contender: str, batch: int = 1) -> NetworkCase | None:
        return next((one for one in self.cases if (one.contender, one.batch) == (contender, batch)), None)


@dataclass(frozen=True, slots=True)
class DrawnRun:
    """The built-in avatar: pictures drawn by one thread on one processor, and a text to a film."""

    width: int
    height: int
    times: Times
    whole: Times


@dataclass(frozen=True, slots=True)
class FaceLiveRun:
    """Through a socket of a real server, in seconds of each try: from the text to its first picture and to the first
    of its sound that can be heard; from an interruption to the last piece of what was interrupted (0: none came), and
    to its answer. `failed` are tries without an answer."""

    avatar: str
    first_picture_s: tuple[float, ...]
    first_sound_s: tuple[float, ...]
    last_stale_s: tuple[float, ...]
    interrupted_s: tuple[float, ...]
    failed: int = 0

    @property
    def face_out_s(self) -> list[float]:
        """Until there is both."""
        return [max(both) for both in zip(self.first_picture_s, self.first_sound_s, strict=True)]

    @property
    def still_s(self) -> list[float]:
        """Until nothing more comes and the client knows it."""
        return [max(both) for both in zip(self.last_stale_s, self.interrupted_s, strict=True)]


@dataclass(frozen=True, slots=True)
class FaceRun:
    """What was measured; `absent` says why some of it was not. `loads` are load averages before each part."""

    network: FaceNetworkRun | None = None
    drawn: DrawnRun | None = None
    live: FaceLiveRun | None = None
    absent: Mapping[str, str] = field(default_factory=dict)
    loads: Mapping[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def times(frame_s: Sequence[float], cpu_s: float = 0.0) -> Times:
    """From seconds a frame, and processor seconds of all of them together. Raises `ValueError` when there are none."""
    if not frame_s:
        raise ValueError("no frames")
    return Times(
        1000 * statistics.fmean(frame_s),
        1000 * statistics.median(frame_s),
        1000 * statistics.pstdev(frame_s),
        1000 * min(frame_s),
        1000 * max(frame_s),
        1000 * percentile(frame_s, 95),
        1000 * percentile(frame_s, 99),
        len(frame_s),
        1000 * cpu_s / len(frame_s),
    )


def by_clock(pairs: Sequence[Pair]) -> Ratio | None:
    """How many times as long one takes as the other."""
    return ratio([one.wall_s / one.other_wall_s for one in pairs])


def by_processor(pairs: Sequence[Pair]) -> Ratio | None:
    """How many times as much processor time."""
    return ratio([one.cpu_s / one.other_cpu_s for one in pairs if one.cpu_s > 0 and one.other_cpu_s > 0])


def parse_run(values: Mapping[str, Any]) -> FaceRun:
    """What `FaceRun.as_json` gives. Raises `TypeError`, `ValueError`, `KeyError` for what is not."""
    network, drawn, live = values.get("network"), values.get("drawn"), values.get("live")
    return FaceRun(
        network=None if network is None else _network(network),
        drawn=None if drawn is None else DrawnRun(**{**drawn, **_timed(drawn, "times", "whole")}),
        live=None if live is None else FaceLiveRun(**_tupled(live)),
        absent=dict(values.get("absent", {})),
        loads=dict(values.get("loads", {})),
    )


def _network(values: Mapping[str, Any]) -> FaceNetworkRun:
    whole = values["whole"]
    parts = {
        "cases": tuple(NetworkCase(one["contender"], one["batch"], Times(**one["times"])) for one in values["cases"]),
        "pairs": _pairs(values),
        "whole": WholeRun(**{**_tupled(whole), "times": Times(**whole["times"]), "pairs": _pairs(whole)}),
    }
    return FaceNetworkRun(**{**_tupled(values), **parts})


def _pairs(values: Mapping[str, Any]) -> tuple[Pair, ...]:
    return tuple(Pair(**one) for one in values["pairs"])


def _timed(values: Mapping[str, Any], *names: str) -> dict[str, Times]:
    return {name: Times(**values[name]) for name in names}


def _tupled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
