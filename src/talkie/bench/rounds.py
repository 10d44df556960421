"""Contenders in turns: A B C, A B C, A B C, so that whatever the machine does in a minute happens to all of them.

Each turn is a fresh process: it loads the model (measured apart), hears a short file that does not count, then the
files, the shortest first. Who fails in a round is not asked again. Knows nothing of tables, verdicts or ratios.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from talkie.bench.contenders import Child, Contender
from talkie.bench.peers.answers import Loaded
from talkie.bench.peers.child import LoadWish
from talkie.bench.recordings import Recording
from talkie.bench.results import Case, Sample
from talkie.bench.texts import Expected, check
from talkie.errors import TalkieError


@dataclass(frozen=True, slots=True)
class Weights:
    """A model in one directory, or in one a form below it. `told` is the text of a shape-true one."""

    name: str
    directory: Path
    told: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """What everybody has to do. `wish` says how: threads, beam, words; the model in it is replaced."""

    weights: Sequence[Weights]
    files: Sequence[tuple[str, Recording]]
    warm_up: Path
    wish: LoadWish
    rounds: int = 5

    @property
    def ordered(self) -> list[tuple[str, Recording]]:
        return sorted(self.files, key=lambda pair: pair[1].seconds)


class Key(NamedTuple):
    contender: str
    model: str
    workload: str


@dataclass(slots=True)
class Board:
    """Where the results of a run gather. `heard` is told every text, for predictions."""

    cases: dict[Key, Case] = field(default_factory=dict)
    progress: Callable[[str], None] = lambda _: None
    heard: Callable[[Key, Recording, str, float], None] = lambda *_: None


def run(contenders: Sequence[Contender], task: Task, board: Board) -> tuple[Case, ...]:
    """All rounds of all models. Raises nothing that a contender does: its cases tell it."""
    for weights in task.weights:
        for contender in contenders:
            for name, recording in task.ordered:
                key = Key(contender.name, weights.name, name)
                board.cases[key] = Case(*key, recording.seconds, install_bytes=contender.install_bytes)
        for number in range(task.rounds):
            for contender in contenders:
                _turn(contender, weights, task, number, board)
    return tuple(board.cases.values())


def _turn(contender: Contender, weights: Weights, task: Task, number: int, board: Board) -> None:
    """One process: all files that this contender has not failed at."""
    left = [(name, one) for name, one in task.ordered if not _case(board, contender, weights, name).error]
    if not left:
        return
    board.progress(f"{weights.name}, round {number + 1} of {task.rounds}: {contender.name}")
    waiting = iter(left)
    name = left[0][0]
    try:
        with contender.start(task.wish.threads) as child:
            loaded = child.load(contender.wish(weights.directory, task.wish))
            child.transcribe(task.warm_up)
            for name, recording in waiting:
                sample, text = _sample(child, loaded, recording, weights.told, number)
                key = Key(contender.name, weights.name, name)
                case = board.cases[key]
                board.cases[key] = replace(
                    case, samples=(*case.samples, sample), settings=loaded.settings, versions=loaded.versions
                )
                board.heard(key, recording, text, sample.wall_s)
    except TalkieError as error:
        for failed in (name, *(name for name, _ in waiting)):
            key = Key(contender.name, weights.name, failed)
            board.cases[key] = replace(board.cases[key], error=error.message)


def _case(board: Board, contender: Contender, weights: Weights, workload: str) -> Case:
    return board.cases[Key(contender.name, weights.name, workload)]


def _sample(child: Child, loaded: Loaded, recording: Recording, told: str, number: int) -> tuple[Sample, str]:
    load_average = os.getloadavg()[0]
    heard = child.transcribe(recording.path)
    checked = check(heard.text, Expected(told, recording.text, recording.language, recording.seconds))
    sample = Sample(
        round=number,
        import_s=loaded.import_s,
        import_cpu_s=loaded.import_cpu_s,
        load_s=loaded.load_s,
        load_cpu_s=loaded.load_cpu_s,
        wall_s=heard.wall_s,
        cpu_s=heard.cpu_s,
        first_segment_s=heard.first_segment_s,
        peak_bytes=child.peak_bytes(),
        segments=heard.segments,
        words=heard.words,
        timed_words=heard.timed_words,
        passes=checked.passes,
        text_ok=checked.ok,
        wer=checked.wer,
        load_average=round(load_average, 2),
    )
    return sample, heard.text


def failures(cases: Sequence[Case]) -> Iterator[str]:
    """What failed, a line each."""
    for case in cases:
        if case.error:
            yield f"{case.contender} on {case.model}, {case.workload}: {case.error}"
