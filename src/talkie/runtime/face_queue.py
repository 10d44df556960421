"""What a live face says, one after the other: the utterance or the voice that it shows, and those that wait behind.

Knows nothing of threads or clocks: its owner holds the lock.
"""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

from talkie.errors import QueueFull
from talkie.runtime.face import Shown
from talkie.runtime.face_hearing import Hearing
from talkie.runtime.face_track import Track

WAITING = 8
"""Utterances behind the one that is being spoken."""

Subject: TypeAlias = Track | Hearing


class Subjects:
    """`now` is shown, or about to be; None: nobody speaks."""

    def __init__(self) -> None:
        self.now: Subject | None = None
        self._waiting: deque[Track] = deque()
        self._last: Track | None = None

    def add(self, track: Track) -> None:
        """Behind all others; a voice that is heard makes way. Raises `QueueFull`."""
        if isinstance(self.now, Track):
            if len(self._waiting) >= WAITING:
                raise QueueFull(len(self._waiting))
            self._waiting.append(track)
        else:
            self.now = track

    def hear(self, hearing: Hearing) -> None:
        self.now = hearing

    def next(self) -> None:
        """What was shown is over."""
        if isinstance(self.now, Track):
            self._last = self.now
        self.now = self._waiting.popleft() if self._waiting else None

    def tracks(self) -> list[Track]:
        """All that are not over."""
        return [*([self.now] if isinstance(self.now, Track) else []), *self._waiting]

    def clear(self, ticks: int) -> Shown | None:
        """Nothing more is said. What of it was in the first `ticks` of the session, which the viewer has seen: of the
        one before, while the end of that is still to be seen."""
        shown = self._seen(ticks)
        for track in self.tracks():
            track.cancel.cancel()
        self._waiting.clear()
        self.now = self._last = None
        return shown

    def _seen(self, ticks: int) -> Shown | None:
        last = self._last
        if last is not None and last.frames_by(ticks) < last.shown:
            return last.seen(last.frames_by(ticks))
        tracks = self.tracks()
        return tracks[0].seen(tracks[0].frames_by(ticks)) if tracks else None
