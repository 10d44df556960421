"""Contenders in turns: A B C, A B C, A B C, so that whatever the machine does in a minute happens to all of them.

Each turn is a fresh process: it loads the model (measured apart), hears a short file that does not count, then the
files, the shortest first. A file of up to five minutes is heard twice and the second time counts: memory that is taken
for the first time costs more, and a server takes it once. Before the first round everybody has a turn that does not
count. Who fails at a file is not asked again. Knows nothing of tables, verdicts or ratios.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from talkie.bench.contenders import Child, Contender
from talkie.bench.directories import ModelDirectory
from talkie.bench.peers.answers import Loaded
from talkie.bench.peers.child import LoadWish
from talkie.bench.recordings import Recording
from talkie.bench.results import Case, Sample
from talkie.bench.texts import Expected, check
from talkie.errors import TalkieError

TWICE_S = 300.5
"""The longest file that is heard twice."""


@dataclass(frozen=True, slots=True)
class Task:
    """What everybody has to do. `wish` says how: threads, beam, words; the model in it is replaced."""

    models: Sequence[ModelDirectory]
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
    for model in task.models:
        for contender in contenders:
            for name, recording in task.ordered:
                key = Key(contender.name, model.name, name)
                board.cases[key] = Case(*key, recording.seconds, install_bytes=contender.install_bytes)
        for contender in contenders:
            _prepare(contender, model, task, board)
        for number in range(task.rounds):
            for contender in contenders:
                _turn(contender, model, task, number, board)
    return tuple(board.cases.values())


def _prepare(contender: Contender, model: ModelDirectory, task: Task, board: Board) -> None:
    """A start that does not count: files come into the cache, and whatever is made once for a model is made."""
    board.progress(f"{model.name}, making ready: {contender.name}")
    try:
        with contender.start(task.wish.threads) as child:
            child.load(contender.wish(model.directory, task.wish))
            child.transcribe(task.warm_up)
    except TalkieError as error:
        for name, _ in task.ordered:
            _fail(board, Key(contender.name, model.name, name), error)


def _turn(contender: Contender, model: ModelDirectory, task: Task, number: int, board: Board) -> None:
    """One process: all files that this contender has not failed at."""
    keys = {Key(contender.name, model.name, name): recording for name, recording in task.ordered}
    left = {key: recording for key, recording in keys.items() if not board.cases[key].error}
    if not left:
        return
    board.progress(f"{model.name}, round {number + 1} of {task.rounds}: {contender.name}")
    try:
        with contender.start(task.wish.threads) as child:
            loaded = child.load(contender.wish(model.directory, task.wish))
            child.transcribe(task.warm_up)
            for key, recording in left.items():
                _hear(child, loaded, _Turn(key, recording, model.told, number), board)
    except TalkieError as error:
        for key in left:
            _fail(board, key, error)


@dataclass(frozen=True, slots=True)
class _Turn:
    """One file in one round."""

    key: Key
    recording: Recording
    told: str
    number: int


def _hear(child: Child, loaded: Loaded, turn: _Turn, board: Board) -> None:
    """A file that cannot be heard is no reason not to try the next one."""
    try:
        sample, text = _sample(child, loaded, turn)
    except TalkieError as error:
        _fail(board, turn.key, error)
        return
    case = board.cases[turn.key]
    samples = (*case.samples, sample)
    board.cases[turn.key] = replace(case, samples=samples, settings=loaded.settings, versions=loaded.versions)
    board.heard(turn.key, turn.recording, text, sample.wall_s)


def _fail(board: Board, key: Key, error: TalkieError) -> None:
    """The first failure stays: those after it may only follow from it."""
    case = board.cases[key]
    board.cases[key] = replace(case, error=case.error or error.message)


def _sample(child: Child, loaded: Loaded, turn: _Turn) -> tuple[Sample, str]:
    load_average, recording = os.getloadavg()[0], turn.recording
    if recording.seconds <= TWICE_S:
        child.transcribe(recording.path)
    heard = child.transcribe(recording.path)
    checked = check(heard.text, Expected(turn.told, recording.text, recording.language, recording.seconds))
    sample = Sample(
        round=turn.number,
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
        whole=checked.whole,
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
