"""The short pauses inside speech, by position: where a window may end without tearing a word apart.

Knows nothing of spans or windows. A pause is a run of frames whose probability of speech is low, long enough that no
closure of a stop consonant is taken for one, and too short to end a span.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from talkie.audio.gate import FRAME

MIN_PAUSE_FRAMES = 4
"""128 ms: the closures of stop consonants are shorter, and the detector bridges most of them anyway."""


class Pauses:
    """Feed probabilities as they come. Positions are in samples."""

    def __init__(self, release: float) -> None:
        """`release`: the probability under which a frame may be a pause."""
        self._release = release
        self._frame = 0
        self._quiet_since: int | None = None
        self._middles: deque[int] = deque()

    def feed(self, probabilities: NDArray[np.float32]) -> None:
        """One for each whole frame. A pause that has not ended is none yet."""
        quiet = probabilities < self._release
        edges = np.flatnonzero(np.diff(quiet, prepend=self._quiet_since is not None))
        for edge in edges.tolist():
            place = self._frame + edge
            if self._quiet_since is None:
                self._quiet_since = place
                continue
            if place - self._quiet_since >= MIN_PAUSE_FRAMES:
                self._middles.append((self._quiet_since + place) * FRAME // 2)
            self._quiet_since = None
        self._frame += len(quiet)

    def last_within(self, start: int, end: int) -> int | None:
        """The middle of the last pause whose middle lies there."""
        return next((middle for middle in reversed(self._middles) if start <= middle <= end), None)

    def drop_before(self, sample: int) -> None:
        while self._middles and self._middles[0] < sample:
            self._middles.popleft()
