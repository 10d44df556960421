"""What may come next: the grammar of Whisper's timestamps, and the probability of each kind of token under it.

The rules are those of openai/whisper `decoding.py` (`ApplyTimestampRules`), as CTranslate2 4.8 applies them. Knows
nothing of how a token is then chosen. Shapes: windows, beams.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from talkie.engines.asr.whisper.search.steps import Floats, Ids, Layout, Scores

Flags = NDArray[np.bool_]
_NEVER = np.float32(-np.inf)


@dataclass(frozen=True, slots=True)
class Judged:
    """Logits of what is allowed, -inf what is not; `text` says where text tokens are. `lse` is over all of it."""

    text: Flags
    end: Floats
    timestamps: Floats
    lse: Floats


class Rules(Protocol):
    """The grammar with what it remembers of each beam."""

    def judge(self, scores: Scores) -> Judged: ...

    def follow(self, tokens: Ids, parents: Ids | None = None) -> None:
        """`tokens` were chosen, each after the beam `parents` of its window (None: the same one)."""
        ...

    def keep(self, windows: Ids) -> None: ...


class NoTimestamps:
    """For prompts that end in <|notimestamps|>: anything goes."""

    def judge(self, scores: Scores) -> Judged:
        end, timestamps = scores.end(), scores.timestamps()
        lse = np.logaddexp(np.logaddexp(scores.text_lse(), end), sums(timestamps))
        return Judged(np.ones(end.shape, np.bool_), end, timestamps, lse)

    def follow(self, tokens: Ids, parents: Ids | None = None) -> None:
        pass

    def keep(self, windows: Ids) -> None:
        pass


class Timestamps:
    """A timestamp first; then text between pairs of them. A phrase begins where one ended or later, and lasts."""

    def __init__(self, layout: Layout, windows: int, max_initial: int) -> None:
        self._begin = layout.timestamp_begin
        self._count = layout.size - layout.timestamp_begin
        self._masks = _masks_from(self._count)
        self._max_initial = max_initial
        self._is_first = True
        self._lowest: Ids = np.zeros((windows, 1), np.int64)
        self._last: Flags = np.ones((windows, 1), np.bool_)  # was it a timestamp?
        self._before_last: Flags = self._last

    def judge(self, scores: Scores) -> Judged:
        return self._judge_first(scores) if self._is_first else self._judge_later(scores)

    def _judge_first(self, scores: Scores) -> Judged:
        timestamps = scores.timestamps().copy()
        timestamps[:, :, self._max_initial + 1 :] = _NEVER
        none = np.full(timestamps.shape[:2], _NEVER)
        return Judged(np.zeros(none.shape, np.bool_), none, timestamps, sums(timestamps))

    def _judge_later(self, scores: Scores) -> Judged:
        open_pair = self._last & ~self._before_last
        barred = self._last & self._before_last
        lowest = np.where(barred, self._count, self._lowest + ~self._last)
        timestamps = self._masks[lowest]
        timestamps += scores.timestamps()
        times, end = sums(timestamps), scores.end()
        likeliest = np.maximum(end, np.where(open_pair, _NEVER, scores.best_text(1)[0][:, :, 0]))
        forced = times > likeliest
        text = ~(open_pair | forced)
        end = np.where(forced, _NEVER, end)
        lse = np.logaddexp(np.where(text, scores.text_lse(), _NEVER), np.logaddexp(end, times))
        return Judged(text, end, timestamps, lse)

    def follow(self, tokens: Ids, parents: Ids | None = None) -> None:
        self._is_first = False
        lowest, last = self._lowest, self._last
        if parents is not None:
            windows = np.arange(len(parents))[:, None]
            lowest, last = lowest[windows, parents], last[windows, parents]
        steps = tokens - self._begin
        is_time = steps >= 0
        self._before_last, self._last = last, is_time
        self._lowest = np.where(is_time, steps, lowest)

    def keep(self, windows: Ids) -> None:
        self._lowest, self._last = self._lowest[windows], self._last[windows]
        self._before_last = self._before_last[windows]


def sums(values: Floats) -> Floats:
    """Log of the sum of the exponentials over the last axis; -inf where all are."""
    largest = values.max(axis=-1, keepdims=True)
    shift = np.where(largest == _NEVER, np.float32(0), largest)
    powers = values - shift
    np.exp(powers, out=powers)
    with np.errstate(divide="ignore"):
        # The quickest sum there is that does not wake the threads of a BLAS.
        found: Floats = np.log(np.einsum("...i->...", powers)) + shift[..., 0]
    return found


def _masks_from(count: int) -> Floats:
    """Row `n` is to be added to `count` numbers to bar the first `n` of them. A view of two times as many numbers."""
    numbers = np.zeros(2 * count, np.float32)
    numbers[:count] = _NEVER
    return np.lib.stride_tricks.sliding_window_view(numbers, count)[::-1]
