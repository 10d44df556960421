"""How fast a model works of late, and so how long what waits for it will take. Pure arithmetic."""

from __future__ import annotations

RETRY_AFTER_MIN_S, RETRY_AFTER_MAX_S = 1.0, 60.0
_WEIGHT = 0.2
"""Of the newest batch: about ten of them make the figure."""


class Pace:
    """Seconds of audio that `workers` get through in a second."""

    def __init__(self, workers: int) -> None:
        self._workers = max(1, workers)
        self._one_worker = 0.0
        self._window_s = 0.0

    def note(self, audio_s: float, took_s: float, windows: int = 1) -> None:
        """One worker heard `audio_s`, in so many windows, in `took_s`."""
        if took_s > 0:
            self._window_s += (_WEIGHT if self._window_s else 1.0) * (took_s / windows - self._window_s)
            newest = audio_s / took_s
            self._one_worker += (_WEIGHT if self._one_worker else 1.0) * (newest - self._one_worker)

    def windows_within(self, seconds: float) -> int | None:
        """How many windows one worker gets through in that time, at least one; None before anything was measured."""
        return max(1, int(seconds / self._window_s)) if self._window_s else None

    @property
    def audio_s_per_s(self) -> float:
        """0 before anything was measured."""
        return self._one_worker * self._workers

    def retry_after_s(self, waiting_s: float) -> float:
        """When to come again while so much audio waits."""
        guess = waiting_s / self.audio_s_per_s if self.audio_s_per_s else RETRY_AFTER_MIN_S
        return within_reason(guess)


def within_reason(retry_after_s: float) -> float:
    return min(max(retry_after_s, RETRY_AFTER_MIN_S), RETRY_AFTER_MAX_S)
