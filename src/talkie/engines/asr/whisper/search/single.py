"""The search where each row goes its own way: greedy, or several draws for each window, of which the best is taken."""

from __future__ import annotations

import numpy as np

from talkie.engines.asr.whisper.decoding import Hypothesis
from talkie.engines.asr.whisper.search.rules import Flags
from talkie.engines.asr.whisper.search.sampling import Chooser
from talkie.engines.asr.whisper.search.steps import Ids, Scores
from talkie.engines.asr.whisper.search.task import Task, best


def search_single(task: Task, scores: Scores, windows: int, chooser: Chooser) -> list[Hypothesis]:
    """`scores`: those of what may come first, one beam a window."""
    return _Single(task, windows, chooser).run(scores)


class _Single:
    """Rows of the windows that are still in `steps`; `_numbers` says which windows they are."""

    def __init__(self, task: Task, windows: int, chooser: Chooser) -> None:
        beams = chooser.beams
        self._task = task
        self._chooser = chooser
        self._numbers = np.arange(windows)
        self._written = np.empty((windows, beams, task.most), np.int64)
        self._totals = np.zeros((windows, beams))
        self._lengths = np.full((windows, beams), task.most)
        self._ended = np.zeros((windows, beams), np.bool_)
        self._some_ended = False
        self._found: list[Hypothesis | None] = [None] * windows

    def run(self, scores: Scores) -> list[Hypothesis]:
        task = self._task
        for step in range(task.most):
            past = self._written[:, :1, :0] if step == 0 else self._written[:, :, :step]
            given = task.scores(scores, past)
            judged = task.rules.judge(given)
            choice = self._chooser.choose(given, judged)
            gained = choice.logits - judged.lse
            self._totals += np.where(self._ended, 0.0, gained) if self._some_ended else gained
            self._written[:, :, step] = choice.tokens
            ends = choice.tokens == task.end
            if ends.any():
                self._lengths[ends & ~self._ended] = step
                self._ended |= ends
                self._some_ended = True
                if self._ended.all():
                    break
            if step + 1 == task.most:
                break
            parents = np.zeros_like(choice.tokens) if step == 0 and self._chooser.beams > 1 else None
            task.rules.follow(choice.tokens, parents)
            self._drop()
            tokens = self._written[:, :, step : step + 1]
            scores = task.steps.feed(tokens, None if parents is None else parents[: len(tokens)])
        self._finish(np.arange(len(self._numbers)))
        return [one for one in self._found if one is not None]

    def _drop(self) -> None:
        if not self._some_ended:
            return
        finished: Flags = np.asarray(self._ended.all(axis=1))
        left = self._task.left(finished)
        if left is None:
            return
        self._finish(np.flatnonzero(finished))
        self._task.steps.keep(left.tolist())
        self._task.rules.keep(left)
        self._numbers, self._written, self._totals = self._numbers[left], self._written[left], self._totals[left]
        self._lengths, self._ended = self._lengths[left], self._ended[left]

    def _finish(self, rows: Ids) -> None:
        for row in rows.tolist():
            self._found[self._numbers[row]] = best(
                [
                    self._task.hypothesis(self._written[row, beam, :length], float(self._totals[row, beam]))
                    for beam, length in enumerate(self._lengths[row].tolist())
                ]
            )
