"""Beam search as CTranslate2 does it: twice as many candidates as beams, and the search of a window ends when enough
texts have ended (`beam_size * patience`), or with the first beam where no length penalty is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from talkie.engines.asr.whisper.decoding import Hypothesis
from talkie.engines.asr.whisper.search.candidates import Candidates, find_candidates
from talkie.engines.asr.whisper.search.steps import Ids, Scores
from talkie.engines.asr.whisper.search.task import Task, best


def search_beams(task: Task, scores: Scores, windows: int, beams: int, patience: float) -> list[Hypothesis]:
    """`scores`: those of what may come first, one beam a window."""
    return _Beams(task, windows, beams, max(1, round(beams * patience))).run(scores)


@dataclass(slots=True)
class _Window:
    """What has ended in one window; `number` is its place in the results."""

    number: int
    ended: list[Hypothesis] = field(default_factory=list)
    best_beam_ended: bool = False
    finished: bool = False


class _Beams:
    def __init__(self, task: Task, windows: int, beams: int, enough: int) -> None:
        self._task = task
        self._beams = beams
        self._enough = enough
        self._windows = [_Window(number) for number in range(windows)]
        self._left = self._windows
        self._written = np.empty((windows, 1, 0), np.int64)
        self._totals = np.zeros((windows, 1), np.float32)

    def run(self, scores: Scores) -> list[Hypothesis]:
        task = self._task
        for step in range(task.most):
            given = task.scores(scores, self._written)
            judged = task.rules.judge(given)
            found = find_candidates(given, judged, self._totals, 2 * self._beams, task.penalties.layout)
            chosen = self._choose(found, is_last=step + 1 == task.most)
            if all(window.finished for window in self._left):
                break
            parents, tokens = found.parents[chosen], found.tokens[chosen]
            self._totals = found.totals[chosen]
            self._written = np.concatenate([self._written[chosen[0], parents], tokens[:, :, None]], axis=2)
            task.rules.follow(tokens, parents)
            parents = self._drop(parents)
            scores = task.steps.feed(self._written[:, :, -1:], parents)
        return [best(window.ended) for window in self._windows]

    def _choose(self, found: Candidates, *, is_last: bool) -> tuple[Ids, Ids]:
        """Which candidates the beams go on with, as an index; notes what has ended."""
        rows = np.arange(len(found.tokens))[:, None]
        chosen = np.broadcast_to(np.arange(self._beams), (len(rows), self._beams)).copy()
        ends = found.tokens == self._task.end
        touched = np.full(len(rows), fill_value=True) if is_last else ends[:, : self._beams].any(axis=1)
        for row in np.flatnonzero(touched).tolist():
            if not self._left[row].finished:
                self._end(row, found, ends[row], chosen[row], is_last=is_last)
        return rows, chosen

    def _end(self, row: int, found: Candidates, ends: Ids, chosen: Ids, *, is_last: bool) -> None:
        window = self._left[row]
        spare = self._beams
        for beam in range(self._beams):
            if not ends[beam] and not is_last:
                continue
            window.best_beam_ended |= beam == 0
            self._note(row, beam, found, is_end=bool(ends[beam]))
            while spare < len(ends) and ends[spare]:
                spare += 1
            if spare < len(ends):
                chosen[beam] = spare
                spare += 1
        if self._task.length_penalty == 0:
            window.finished = window.best_beam_ended
        else:
            window.finished = len(window.ended) >= self._enough
        window.finished |= is_last

    def _note(self, row: int, beam: int, found: Candidates, *, is_end: bool) -> None:
        tokens = self._written[row, found.parents[row, beam]]
        if not is_end:
            tokens = np.append(tokens, found.tokens[row, beam])
        self._left[row].ended.append(self._task.hypothesis(tokens, float(found.totals[row, beam])))

    def _drop(self, parents: Ids) -> Ids:
        finished = np.array([window.finished for window in self._left])
        left = self._task.left(finished)
        if left is None:
            return parents
        self._task.steps.keep(left.tolist())
        self._task.rules.keep(left)
        self._left = [self._left[at] for at in left.tolist()]
        self._written, self._totals = self._written[left], self._totals[left]
        return parents[left]
