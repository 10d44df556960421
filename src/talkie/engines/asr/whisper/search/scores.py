"""`Scores` out of a whole array of logits, for decoders that give nothing less.

Suppressed ids are masked in the array itself and put back when somebody asks for all of it: a copy of 50,000 numbers a
row would cost more than finding the best of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from talkie.engines.asr.whisper.search.steps import Floats, Ids, Layout

_GROUP = 32
"""Numbers of which only the largest is looked at, while the best few of a vocabulary are sought."""
_LEAST_SHIFT, _MOST_SHIFT = -40.0, 60.0
"""Between these the sum of float32 exponentials of 100,000 logits needs no shift to keep clear of its limits."""


class FullScores:
    """`logits`: `(windows, beams, vocabulary)` float32, changed in place while nothing else reads them."""

    def __init__(self, logits: Floats, layout: Layout, suppressed: Sequence[int] | Ids = ()) -> None:
        self._logits = logits if logits.flags.writeable else logits.copy()
        self._layout = layout
        self._suppressed = np.asarray(suppressed, np.int64)
        self._hidden: Floats | None = None
        self._best: tuple[Floats, Ids] | None = None

    def best_text(self, count: int) -> tuple[Floats, Ids]:
        if self._best is None or self._best[0].shape[2] < count:
            text = self._masked()[:, :, : self._layout.end]
            self._best = _best(text) if count == 1 else best_few(text, min(count, text.shape[2]))
        values, ids = self._best
        return values[:, :, :count], ids[:, :, :count]

    def text_lse(self) -> Floats:
        text = self._masked()[:, :, : self._layout.end]
        return log_sum_exp(text, self.best_text(1)[0][:, :, 0])

    def end(self) -> Floats:
        return self._masked()[:, :, self._layout.end]

    def timestamps(self) -> Floats:
        return self._masked()[:, :, self._layout.timestamp_begin : self._layout.size]

    def all(self) -> Floats:
        if self._hidden is not None:
            self._logits[:, :, self._suppressed] = self._hidden
            self._hidden = None
        return self._logits[:, :, : self._layout.size]

    def _masked(self) -> Floats:
        if self._hidden is None and len(self._suppressed):
            self._hidden = self._logits[:, :, self._suppressed]
            self._logits[:, :, self._suppressed] = -np.inf
        return self._logits


def log_sum_exp(values: Floats, largest: Floats) -> Floats:
    """Over the last axis, row by row so that what is worked on stays in the cache; `largest` of each row is known."""
    shift = np.where((largest > _LEAST_SHIFT) & (largest < _MOST_SHIFT), np.float32(0), largest)
    shift = np.where(np.isfinite(shift), shift, np.float32(0))
    sums = np.empty(largest.shape, np.float32)
    scratch = np.empty(values.shape[-1], np.float32)
    for at in np.ndindex(largest.shape):
        row = values[at]
        if shift[at]:
            row = np.subtract(row, shift[at], out=scratch)
        sums[at] = np.einsum("i->", np.exp(row, out=scratch))
    with np.errstate(divide="ignore"):
        found: Floats = np.log(sums) + shift
    return found


def _best(values: Floats) -> tuple[Floats, Ids]:
    ids = values.argmax(axis=2)[:, :, None]
    return np.take_along_axis(values, ids, 2), ids


def best_few(values: Floats, count: int) -> tuple[Floats, Ids]:
    """The `count` largest of each row, largest first, the lower id first among equals.

    Numbers are looked at in groups of one in every `width`: those of the `count` groups with the largest members are
    enough, and a maximum over rows of memory is the quickest pass there is.
    """
    windows, beams, size = values.shape
    width = size // _GROUP
    if width <= count:
        ids = np.broadcast_to(np.arange(size), values.shape)
        return _sorted(values, ids, count)
    tops = np.empty((windows, beams, width), np.float32)
    for at in np.ndindex(windows, beams):
        values[at][: width * _GROUP].reshape(_GROUP, width).max(axis=0, out=tops[at])
    groups = np.argpartition(tops, width - count, axis=2)[:, :, width - count :]
    members = groups[:, :, None, :] + (np.arange(_GROUP) * width)[:, None]
    rest = np.arange(width * _GROUP, size)
    ids = np.concatenate(
        [members.reshape(windows, beams, -1), np.broadcast_to(rest, (windows, beams, len(rest)))], axis=2
    )
    return _sorted(np.take_along_axis(values, ids, 2), ids, count)


def _sorted(values: Floats, ids: Ids, count: int) -> tuple[Floats, Ids]:
    few = values
    if values.shape[2] > count:
        at = np.argpartition(values, values.shape[2] - count, axis=2)[:, :, values.shape[2] - count :]
        few, ids = np.take_along_axis(values, at, 2), np.take_along_axis(ids, at, 2)
    order = np.lexsort((ids, -few), axis=2)
    return np.take_along_axis(few, order, 2), np.take_along_axis(ids, order, 2)
