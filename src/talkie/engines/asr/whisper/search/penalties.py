"""Scores with what was written already made less likely or impossible, as CTranslate2 does both.

Needs every logit, so it costs a copy of them a step; only where somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from talkie.engines.asr.whisper.search.scores import FullScores
from talkie.engines.asr.whisper.search.steps import Floats, Ids, Layout, Scores


@dataclass(frozen=True, slots=True)
class Penalties:
    """`repetition` 1 and `ngram` 0 are none. `blank` may not come first; that only matters without timestamps."""

    layout: Layout
    suppressed: Sequence[int]
    blank: Sequence[int] = ()
    repetition: float = 1.0
    ngram: int = 0

    def apply(self, scores: Scores, written: Ids) -> Scores:
        """`written`: `(windows, beams, tokens)`, all that each beam has chosen so far."""
        count = written.shape[2]
        is_blank_barred = count == 0 and len(self.blank) > 0
        repeats = count > 0 and (self.repetition != 1.0 or 0 < self.ngram <= count)
        if not is_blank_barred and not repeats:
            return scores
        logits = scores.all().copy()
        if repeats and self.repetition != 1.0:
            _penalise(logits, written, self.repetition)
        if repeats and self.ngram:
            _bar_repeats(logits, written, self.ngram)
        return FullScores(logits, self.layout, [*self.suppressed, *(self.blank if is_blank_barred else ())])


def _penalise(logits: Floats, written: Ids, penalty: float) -> None:
    found = np.take_along_axis(logits, written, 2)
    times = np.float32(penalty)
    np.put_along_axis(logits, written, np.where(found < 0, found * times, found / times), 2)


def _bar_repeats(logits: Floats, written: Ids, size: int) -> None:
    """No run of `size` tokens twice: a token is barred where the `size - 1` before it are the last ones written."""
    count = written.shape[2]
    if count < size:
        return
    runs = np.lib.stride_tricks.sliding_window_view(written, size, axis=2)
    same = (runs[..., :-1] == written[:, :, None, count - size + 1 :]).all(axis=3)
    windows, beams, at = np.nonzero(same)
    logits[windows, beams, runs[windows, beams, at, -1]] = -np.inf
