"""Holes in a recording's time stamps, so that times refer to the original file.

Knows nothing of decoding. A recorder that was paused, or whose packets were lost, leaves a hole that players play as
silence; so do we. Time stamps may lie, so there are bounds: a hole of more than ten minutes, or more than an hour of
holes in all, is taken for damage and closed up.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from talkie.audio.formats import Piece

MIN_HOLE_S = 0.2
MAX_HOLE_S = 600.0
MAX_HOLES_S = 3600.0
SILENCE_S = 5.0


class Timeline:
    """Where the next sample belongs, in seconds from the start of the container."""

    def __init__(self) -> None:
        self.held_s = 0.0
        self._filled_s = 0.0

    def hole(self, time_s: float | None) -> float:
        """Seconds of silence that belong before a frame at `time_s`; 0 when it follows, overlaps or has no time."""
        missing = 0.0 if time_s is None else time_s - self.held_s
        if not MIN_HOLE_S <= missing <= MAX_HOLE_S or self._filled_s + missing > MAX_HOLES_S:
            return 0.0
        self._filled_s += missing
        return missing

    def add(self, samples: int, sample_rate: int) -> None:
        self.held_s += samples / sample_rate


def silence(seconds: float, sample_rate: int) -> Iterator[Piece]:
    """Zeros, a few seconds a piece."""
    left = round(seconds * sample_rate)
    while left > 0:
        count = min(left, round(SILENCE_S * sample_rate))
        left -= count
        yield Piece(np.zeros(count, np.float32), sample_rate)
