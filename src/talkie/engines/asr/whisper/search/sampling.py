"""How one token is chosen for each row: the likeliest, or by lot over everything that is allowed.

`Choice.logits` are those of the chosen tokens, from which a log-probability is the logit less `Judged.lse`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from talkie.engines.asr.whisper.search.rules import Judged
from talkie.engines.asr.whisper.search.steps import Floats, Ids, Layout, Scores

_GROUP = 256
_NEVER = np.float32(-np.inf)


@dataclass(frozen=True, slots=True)
class Choice:
    """Both `(windows, beams)`; `beams` may be more than were scored."""

    tokens: Ids
    logits: Floats


class Chooser(Protocol):
    @property
    def beams(self) -> int: ...

    def choose(self, scores: Scores, judged: Judged) -> Choice: ...


@dataclass(frozen=True, slots=True)
class Likeliest:
    """The best of text, end and timestamps; the lowest id among equals."""

    layout: Layout
    beams: int = 1

    def choose(self, scores: Scores, judged: Judged) -> Choice:
        values, ids = scores.best_text(1)
        times = judged.timestamps.argmax(axis=2)
        at = np.empty((3, *times.shape), np.float32)
        at[0] = np.where(judged.text, values[:, :, 0], _NEVER)
        at[1] = judged.end
        at[2] = judged.timestamps.max(axis=2)
        kinds = at.argmax(axis=0)
        tokens = np.where(kinds == 0, ids[:, :, 0], self.layout.end)
        tokens = np.where(kinds == 2, times + self.layout.timestamp_begin, tokens)
        return Choice(tokens, at.max(axis=0))


@dataclass(frozen=True, slots=True)
class Drawn:
    """`beams` independent draws for each window at a temperature above 0; a seed makes them repeatable."""

    layout: Layout
    suppressed: Sequence[int]
    temperature: float
    beams: int
    random: np.random.Generator

    def choose(self, scores: Scores, judged: Judged) -> Choice:
        logits = self._allowed(scores, judged)
        windows, scored, size = logits.shape
        draws = self.beams // scored
        largest = logits.max(axis=2, keepdims=True)
        weights = np.exp((logits - largest) / np.float32(self.temperature)).reshape(windows * scored, size)
        tokens = self._draw(np.repeat(weights, draws, axis=0) if draws > 1 else weights).reshape(windows, self.beams)
        found = np.take_along_axis(logits, tokens.reshape(windows, scored, draws), 2)
        return Choice(tokens, found.reshape(windows, self.beams))

    def _allowed(self, scores: Scores, judged: Judged) -> Floats:
        logits = scores.all().copy()
        logits[:, :, list(self.suppressed)] = _NEVER
        begin, end = self.layout.timestamp_begin, self.layout.end
        logits[~judged.text, :end] = _NEVER
        logits[:, :, end] = judged.end
        logits[:, :, end + 1 : begin] = _NEVER
        logits[:, :, begin:] = judged.timestamps
        return logits

    def _draw(self, weights: Floats) -> Ids:
        """By the sums of groups, then within a group: a running sum over a whole vocabulary loses what is rare."""
        rows, size = weights.shape
        groups = np.add.reduceat(weights, np.arange(0, size, _GROUP), axis=1)
        group, left = _pick(groups, self.random.random((rows,)))
        whole = np.zeros((rows, len(groups[0]) * _GROUP), np.float32)
        whole[:, :size] = weights
        members = whole.reshape(rows, -1, _GROUP)[np.arange(rows), group]
        within, _ = _pick(members, left)
        return group * _GROUP + within


def _pick(weights: Floats, share: NDArray[np.float64]) -> tuple[Ids, NDArray[np.float64]]:
    """Of each row the number whose part of the row's sum `share` falls into, and where in that part, from 0 to 1."""
    running = np.cumsum(weights, axis=1, dtype=np.float64)
    mark = share * running[:, -1]
    at = np.minimum((running <= mark[:, None]).sum(axis=1), weights.shape[1] - 1)
    rows = np.arange(len(at))
    own = weights[rows, at].astype(np.float64)
    before = running[rows, at] - own
    inside = np.clip((mark - before) / np.where(own > 0, own, 1.0), 0.0, np.nextafter(1.0, 0.0))
    return at, inside
