"""Live sessions at speaking pace, more and more at once, until finals come too late.

What is measured stands in `live_latency` and `live_costs`; each delay beside the word error rate of the same run. A
number of sessions is held while 95 of 100 finals come within two seconds of the last word. Before anything counts, one
session speaks one recording, so that the model is loaded. Knows nothing of tables.
"""

from __future__ import annotations

import os
import resource
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from talkie.bench.live_client import Log, Wish, speak
from talkie.bench.live_costs import Costs, Watch
from talkie.bench.live_latency import Delays, spread, together
from talkie.bench.live_results import LiveRound, LiveRun
from talkie.bench.live_sound import Cut, cuts
from talkie.bench.recordings import Recording
from talkie.errors import EngineFailed, InvalidValue

Arithmetic: TypeAlias = Callable[[Sequence[Cut], Sequence[Log]], Delays]
SESSIONS = (1, 2, 4, 8, 10, 12, 16, 24, 32)


@dataclass(frozen=True, slots=True)
class LiveTask:
    """Sessions of about `seconds` each. `pid` is the server's process where it is on this machine. Without `whole` no
    more sessions are tried after the first number that is not held."""

    wish: Wish
    recordings: Sequence[Recording]
    sessions: Sequence[int] = SESSIONS
    seconds: float = 60.0
    pid: int | None = None
    shape_true: bool = False
    model: str = ""
    whole: bool = False
    contender: str = "talkie"
    options: dict[str, Any] = field(default_factory=dict)
    arithmetic: Arithmetic = together


def measure(task: LiveTask, progress: Callable[[str], None] = lambda _: None) -> LiveRun:
    """Raises `talkie.errors`; sessions that fail are counted, not raised, but for the first."""
    if not task.recordings:
        raise InvalidValue("speech", "There is no recording to speak.")
    progress("the first session, which does not count")
    model = _warm_up(task)
    rounds: list[LiveRound] = []
    for count in sorted(set(task.sessions)):
        progress(f"{count} session{'s' if count > 1 else ''}, {task.seconds:.0f} s each")
        spoken = cuts(task.recordings, count, task.seconds)
        rounds.append(_round(task, spoken))
        if not rounds[-1].held and not task.whole:
            break
    return LiveRun(task.contender, task.model or model, task.shape_true, tuple(rounds), options=_options(task))


def _warm_up(task: LiveTask) -> str:
    """The name of the model that answers. Raises `EngineFailed` when nobody does."""
    [log] = speak(cuts(task.recordings[:1], 1, 1.0), task.wish)
    if log.failed:
        raise EngineFailed("server", f"the first live session failed: {log.failed}")
    return log.model


def _round(task: LiveTask, spoken: Sequence[Cut]) -> LiveRound:
    load_average, began, own = os.getloadavg()[0], time.monotonic(), _own_cpu_s()
    with Watch(task.wish.url, task.pid, task.wish.api_key) as watch:
        logs = speak(spoken, task.wish)
    wall_s, own = time.monotonic() - began, _own_cpu_s() - own
    took = Took(wall_s, own, load_average)
    return round_of(spoken, logs, watch.costs, took, task.arithmetic(spoken, logs), shape_true=task.shape_true)


@dataclass(frozen=True, slots=True)
class Took:
    """Of the bench itself."""

    wall_s: float
    bench_cpu_s: float = 0.0
    load_average: float = 0.0


def round_of(
    spoken: Sequence[Cut], logs: Sequence[Log], costs: Costs, took: Took, found: Delays, *, shape_true: bool = False
) -> LiveRound:
    """The figures of one number of sessions."""
    audio_s = sum(cut.seconds for cut in spoken)
    return LiveRound(
        sessions=len(spoken),
        audio_s=round(audio_s, 1),
        wall_s=round(took.wall_s, 1),
        utterances=found.utterances,
        unanswered=found.unanswered,
        failed=dict(Counter(log.failed for log in logs if log.failed)),
        without_partial=found.without_partial,
        first_partial=spread(found.first_partial),
        emission=None if shape_true else spread(found.emission),
        final=spread(found.final),
        wer=None if shape_true else round(found.wer.rate, 4),
        lag=spread(costs.lags_s),
        lag_most_s=max(costs.lags_s, default=None),
        cpu_per_audio_s=round(costs.processor_s / audio_s, 4) if costs.processor_s else None,
        resident_mb=round(costs.resident / 1e6) if costs.resident else None,
        bench_cpu_s=round(took.bench_cpu_s, 2),
        late_s=round(max(log.late_s for log in logs), 3),
        load_average=round(took.load_average, 2),
    )


def _own_cpu_s() -> float:
    """Of this process alone: the server's is another."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _options(task: LiveTask) -> dict[str, Any]:
    return {"frame_ms": task.wish.frame_ms, "seconds": task.seconds, "language": task.wish.language, **task.options}
