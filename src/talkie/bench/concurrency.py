"""Many at once: 1, 4, 10, 16 clients that post short clips, one after the other, to one loaded model.

What is measured: sound heard in a second by all together, how long a clip waits from being handed in until its text is
there, and fairness: how much longer the slowest client waited for its clips than the one in the middle. Peers stand
behind one lock, as the servers built on them do; Talkie takes all at once. Knows nothing of tables.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from talkie.bench.contenders import Child, Contender
from talkie.bench.directories import ModelDirectory
from talkie.bench.peers.child import LoadWish
from talkie.bench.recordings import Recording
from talkie.bench.results import Crowd, CrowdRound
from talkie.bench.statistics import percentile
from talkie.bench.texts import Expected, check
from talkie.errors import TalkieError

Crowds: TypeAlias = dict[tuple[str, str, int], Crowd]


@dataclass(frozen=True, slots=True)
class CrowdTask:
    """Everybody hears the same clips. `each` is how many every client hands in."""

    models: Sequence[ModelDirectory]
    clips: Sequence[Recording]
    wish: LoadWish
    clients: Sequence[int] = (1, 4, 10, 16)
    each: int = 4
    rounds: int = 3


def run(
    contenders: Sequence[Contender], task: CrowdTask, progress: Callable[[str], None] = lambda _: None
) -> tuple[Crowd, ...]:
    """Rounds in turns, as in `rounds`; in each turn one process takes all sizes of crowd, the smallest first."""
    crowds: Crowds = {
        (one.name, model.name, clients): Crowd(one.name, model.name, clients, task.clips[0].seconds)
        for model in task.models
        for one in contenders
        for clients in sorted(task.clients)
    }
    for model in task.models:
        for number in range(task.rounds):
            for one in contenders:
                progress(f"{model.name}, round {number + 1} of {task.rounds}: {one.name}")
                mine = {key: crowd for key, crowd in crowds.items() if key[:2] == (one.name, model.name)}
                crowds |= _turn(one, model, task, number, mine)
    return tuple(crowds.values())


def _turn(one: Contender, model: ModelDirectory, task: CrowdTask, number: int, crowds: Crowds) -> Crowds:
    found = {key: crowd for key, crowd in crowds.items() if not crowd.error}
    left = list(found)
    try:
        if left:
            with one.start(task.wish.threads) as child:
                child.load(one.wish(model.directory, task.wish))
                child.transcribe(task.clips[0].path)
                while left:
                    crowd = found[left[0]]
                    measured = _measured(child, task, model, crowd.clients, number)
                    found[left.pop(0)] = replace(crowd, rounds=(*crowd.rounds, measured))
    except TalkieError as error:
        found |= {key: replace(found[key], error=error.message) for key in left}
    return found


def _measured(child: Child, task: CrowdTask, model: ModelDirectory, clients: int, number: int) -> CrowdRound:
    done = child.clips([clip.path for clip in task.clips], clients, task.each)
    expected = Expected(told=model.told, audio_s=task.clips[0].seconds)
    oks = [check(text, expected).ok for text in done.texts]
    return CrowdRound(
        round=number,
        wall_s=done.wall_s,
        cpu_s=done.cpu_s,
        audio_s=done.audio_s,
        latencies_s=done.latencies_s,
        client_s=done.per_client,
        text_ok=None if None in oks else all(oks),
    )


def throughput(one: CrowdRound) -> float:
    """Seconds of sound that all clients together got heard in a second."""
    return one.audio_s / max(one.wall_s, 1e-9)


def fairness(one: CrowdRound) -> float:
    """The slowest client against the median one: 1.0 is fair, 2.0 means that somebody waited twice as long."""
    return max(one.client_s) / max(statistics.median(one.client_s), 1e-9)


def latency(one: CrowdRound, percent: float) -> float:
    return percentile(one.latencies_s, percent)
