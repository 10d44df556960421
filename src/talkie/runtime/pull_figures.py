"""The figures of one pull: how far it has come, how long it may still take, and when that is worth a line in the log.

Pure but for the clock that it is given. Knows nothing of files and networks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

STEP_PERCENT = 10
"""A line in the log as often as this,"""
QUIET_S = 5.0
"""or after so long without one, when there is at least a further hundredth to tell of."""
MINUTE_S, HOUR_S = 60, 3600


@dataclass(slots=True)
class PullFigures:
    """What was here before this process began to pull counts as done, and not as speed."""

    clock: Callable[[], float] = time.monotonic
    done_bytes: int = 0
    total_bytes: int = 0
    _began: tuple[float, int] | None = field(default=None)
    _told: tuple[float, int] | None = field(default=None)

    def step(self, done_bytes: int, total_bytes: int) -> bool:
        """Take note of it. True when a line is due."""
        now = self.clock()
        self.done_bytes, self.total_bytes = done_bytes, total_bytes
        if self._began is None:
            self._began = now, done_bytes
        told_s, told_percent = self._told or (now - QUIET_S, -1)
        further = self.percent - told_percent
        is_due = further >= STEP_PERCENT or (further > 0 and now - told_s >= QUIET_S)
        if is_due:
            self._told = now, self.percent
        return is_due

    @property
    def percent(self) -> int:
        return 100 * self.done_bytes // self.total_bytes if self.total_bytes else 0

    @property
    def left_s(self) -> float | None:
        """At the mean speed so far; None before there is one."""
        if self._began is None:
            return None
        began_s, began_bytes = self._began
        took_s, came_bytes = self.clock() - began_s, self.done_bytes - began_bytes
        if took_s <= 0 or came_bytes <= 0:
            return None
        return took_s * (self.total_bytes - self.done_bytes) / came_bytes

    def words(self) -> str:
        """`43 %, 12 s left`"""
        left_s = self.left_s
        return f"{self.percent} %" if left_s is None else f"{self.percent} %, {duration(left_s)} left"


def duration(seconds: float) -> str:
    """`12 s`, `3 min`, `2 h 5 min`: as exact as it is worth."""
    whole = round(seconds)
    if whole < 2 * MINUTE_S:
        return f"{whole} s"
    if whole < 2 * HOUR_S:
        return f"{round(whole / MINUTE_S)} min"
    hours, rest = divmod(whole, HOUR_S)
    return f"{hours} h {rest // MINUTE_S} min"
