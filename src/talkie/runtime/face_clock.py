"""The clock of a live face: when a tick is due, and how much sound goes with it. Pure but for the time it is given.

Session time begins with the first tick that is taken. Ticks never drift: each is due by its number, however late the
one before it was.
"""

from __future__ import annotations

from collections.abc import Callable

from talkie.runtime.face import LIVE_RATE_HZ


class FaceClock:
    """Ticks of `1 / fps`, each to be had `ahead_s` before its time. `clock` gives seconds of any beginning."""

    def __init__(self, fps: float, ahead_s: float, clock: Callable[[], float]) -> None:
        self.fps, self._ahead_s, self._clock = fps, ahead_s, clock
        self._began_s: float | None = None

    @property
    def began(self) -> bool:
        return self._began_s is not None

    def begin(self) -> None:
        """Harmless a second time."""
        if self._began_s is None:
            self._began_s = self._clock()

    def wait_s(self, index: int) -> float:
        """Until that tick may be taken; 0 before the beginning, below 0 for one that is late."""
        if self._began_s is None:
            return 0.0
        return self._began_s + self.at_s(index) - self._ahead_s - self._clock()

    def late_s(self, index: int) -> float:
        """How long ago the time was at which that tick is shown; 0 for one that is not late."""
        return 0.0 if self._began_s is None else max(0.0, self._clock() - self._began_s - self.at_s(index))

    def at_s(self, index: int) -> float:
        """Session time at which that tick is shown."""
        return index / self.fps

    def ticks_until(self, at_s: float) -> int:
        """How many ticks have been shown whole by that session time."""
        return max(0, int(at_s * self.fps + 1e-6))

    def samples(self, index: int) -> int:
        """Of sound in that tick: the sum of all never is more than a sample off the time."""
        return self.sound_until(index + 1) - self.sound_until(index)

    def sound_until(self, index: int) -> int:
        """Samples before that tick."""
        return round(index * LIVE_RATE_HZ / self.fps)
