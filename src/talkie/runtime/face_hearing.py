"""Somebody else's voice that moves the mouth of a live face: sound in, pictures out as soon as they are sure.

There is no clock but the speaker's: who sends faster than the pictures are shown loses the oldest, so that the mouth
stays as close to the voice as the face can. Knows nothing of threads: its owner holds the lock.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from talkie.runtime.face_track import Fed
from talkie.types import SAMPLE_RATE_HZ, Picture, Samples

WAITING_S = 2.0
"""Of sound that the face has not yet been given."""
FED_S = 0.2
QUIET_S = 0.5
"""Nothing more came for so long: the voice has ended."""
MOST_PICTURES, KEPT_PICTURES = 8, 3
"""More than so many that wait are late: only the newest stay."""


class Hearing:
    """A voice at 16 kHz, from its first sample until it pauses."""

    def __init__(self, now_s: float) -> None:
        self.made = False
        """The face has given all its pictures."""
        self.dropped = 0
        self._sound: deque[Samples] = deque()
        self._waiting = 0
        self._came_s = now_s
        self._pictures: deque[Picture] = deque()

    def put(self, samples: Samples, now_s: float) -> None:
        self._came_s = now_s
        self._sound.append(samples)
        self._waiting += len(samples)
        while self._waiting > WAITING_S * SAMPLE_RATE_HZ and len(self._sound) > 1:
            self._waiting -= len(self._sound.popleft())

    def take_feed(self, now_s: float) -> Fed | None:
        if self.made:
            return None
        taken, length = [], 0
        while self._sound and length < FED_S * SAMPLE_RATE_HZ:
            taken.append(self._sound.popleft())
            length += len(taken[-1])
        self._waiting -= length
        if taken:
            return Fed(np.concatenate(taken))
        return Fed(np.zeros(0, np.float32), last=True) if now_s - self._came_s >= QUIET_S else None

    def add_picture(self, picture: Picture) -> None:
        self._pictures.append(picture)
        if len(self._pictures) > MOST_PICTURES:
            while len(self._pictures) > KEPT_PICTURES:
                self._pictures.popleft()
                self.dropped += 1

    @property
    def is_over(self) -> bool:
        return self.made and not self._pictures

    def picture(self) -> Picture | None:
        """The next one; None: the last one again."""
        return self._pictures.popleft() if self._pictures else None
