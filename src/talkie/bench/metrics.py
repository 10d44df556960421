"""What is read off a run, in the field's terms, and which way is better.

`figures` turns a result into values by metric, contender, model and file, one a round: all that tables, charts,
verdicts and comparisons look at. Knows nothing of how they look.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from talkie.bench.concurrency import fairness, latency, throughput
from talkie.bench.results import Case, Crowd, CrowdRound, Result, Sample
from talkie.bench.statistics import Ratio, Summary, pairs, ratio, summary


@dataclass(frozen=True, slots=True)
class Metric:
    """`title` for people, with the unit apart; `higher` is better or worse; `digits` after the point.

    `speed` metrics say nothing of a contender that wrote another text.
    """

    title: str
    unit: str
    higher: bool
    digits: int = 1
    speed: bool = True
    explained: str = ""

    def text(self, value: float) -> str:
        return f"{value:.{self.digits}f}"


class Figure(NamedTuple):
    """What a row of values is of. `workload` is a file, or `10 clients`."""

    metric: str
    contender: str
    model: str
    workload: str


Rounds: TypeAlias = Mapping[int, float]
"""Values by number of round."""

METRICS: dict[str, Metric] = {
    "audio_per_cpu_s": Metric(
        "audio seconds per processor second",
        "s/s",
        True,
        explained="sound heard for each second of processor time, user and system, of all processes",
    ),
    "rtfx": Metric("RTFx", "x", True, explained="sound heard for each second on the clock, one file at a time"),
    "ready_s": Metric("import and load", "s", False, 2, explained="on the clock, from start to a loaded model"),
    "ready_cpu_s": Metric("import and load, processor", "s", False, 2, explained="the same in processor time"),
    "first_segment_s": Metric("time to first segment", "s", False, 2, explained="until the first text of a file"),
    "peak_mb": Metric("peak memory", "MB", False, 0, explained="the most that lay in RAM, all processes"),
    "wer": Metric("word error rate", "%", False, 1, explained="normalised words that are wrong, missing or extra"),
    "crowd_rtfx": Metric("throughput of all clients", "x", True, explained="sound heard in a second by all together"),
    "crowd_per_cpu_s": Metric("audio seconds per processor second, all clients", "s/s", True),
    "crowd_p50_s": Metric("latency of a clip, median", "s", False, 2, explained="from handing in to text"),
    "crowd_p95_s": Metric("latency of a clip, 95th percentile", "s", False, 2, explained="from handing in to text"),
    "crowd_fairness": Metric(
        "slowest client against the median one", "x", False, 2, explained="1.0 is fair; of all clips of a client"
    ),
}
FILE_METRICS = ("audio_per_cpu_s", "rtfx", "ready_s", "ready_cpu_s", "first_segment_s", "peak_mb", "wer")
CROWD_METRICS = ("crowd_rtfx", "crowd_per_cpu_s", "crowd_p50_s", "crowd_p95_s", "crowd_fairness")

_OF_SAMPLE: dict[str, Callable[[Case, Sample], float | None]] = {
    "audio_per_cpu_s": lambda case, one: case.audio_s / max(one.cpu_s, 1e-9),
    "rtfx": lambda case, one: case.audio_s / max(one.wall_s, 1e-9),
    "ready_s": lambda _, one: one.import_s + one.load_s,
    "ready_cpu_s": lambda _, one: one.import_cpu_s + one.load_cpu_s,
    "first_segment_s": lambda _, one: one.first_segment_s,
    "peak_mb": lambda _, one: one.peak_bytes / 1e6,
    "wer": lambda _, one: None if one.wer is None else 100 * one.wer,
}
_OF_ROUND: dict[str, Callable[[CrowdRound], float]] = {
    "crowd_rtfx": throughput,
    "crowd_per_cpu_s": lambda one: one.audio_s / max(one.cpu_s, 1e-9),
    "crowd_p50_s": lambda one: latency(one, 50),
    "crowd_p95_s": lambda one: latency(one, 95),
    "crowd_fairness": fairness,
}


def figures(result: Result) -> dict[Figure, Rounds]:
    """All values of a run. A contender that wrote another text than it had to has none."""
    found: dict[Figure, Rounds] = {}
    for case in result.cases:
        if case.text_ok:
            found |= _of_case(case)
    for crowd in result.crowds:
        if not any(one.text_ok is False for one in crowd.rounds):
            found |= _of_crowd(crowd)
    return found


def summarise(rounds: Rounds) -> Summary:
    return summary(list(rounds.values()))


def compared(found: Mapping[Figure, Rounds], ours: Figure, other: str) -> Ratio | None:
    """Our figure divided by that of another contender, round by round."""
    return ratio(pairs(found.get(ours, {}), found.get(ours._replace(contender=other), {})))


def best_of(found: Mapping[Figure, Rounds], peer: str, wanted: Figure) -> str | None:
    """The contender among the variants of a peer that is best in a figure, by its median."""
    rows = {
        figure.contender: statistics.median(rounds.values())
        for figure, rounds in found.items()
        if peer_of(figure.contender) == peer and figure._replace(contender=wanted.contender) == wanted
    }
    if not rows:
        return None
    choose = max if METRICS[wanted.metric].higher else min
    return choose(rows, key=lambda name: rows[name])


def peer_of(contender: str) -> str:
    """The contender without its variant."""
    return contender.partition(":")[0]


def clients_name(clients: int) -> str:
    return f"{clients} client{'s' if clients > 1 else ''}"


def _of_case(case: Case) -> dict[Figure, Rounds]:
    found: dict[Figure, Rounds] = {}
    for name, value in _OF_SAMPLE.items():
        rounds = {one.round: known for one in case.samples if (known := value(case, one)) is not None}
        if rounds:
            found[Figure(name, case.contender, case.model, case.workload)] = rounds
    return found


def _of_crowd(crowd: Crowd) -> dict[Figure, Rounds]:
    workload = clients_name(crowd.clients)
    return {
        Figure(name, crowd.contender, crowd.model, workload): {one.round: value(one) for one in crowd.rounds}
        for name, value in _OF_ROUND.items()
        if crowd.rounds
    }
