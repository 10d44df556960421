"""What is measured of one live session: how late its texts are, from the sound's coming to the text's.

Knows nothing of threads or sockets: its owner holds the lock, and tells it what passes by.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque

from talkie.runtime import metrics
from talkie.types import LiveEvent, LiveFinal, LivePartial

DOORS = ("realtime", "listen", "grpc", "riva", "wyoming", "page", "cli", "bench", "face", "webrtc")
OTHER = "other"
REASONS = (
    "session_lagging",
    "slow_reader",
    "session_idle",
    "session_ended",
    "shutting_down",
    "engine_failed",
    "queue_full",
    "internal_error",
)
STEP_S, KEPT = 0.05, 4096
"""When sound came is kept in steps of at least 50 ms, for the last three minutes or more."""
LAG_EVERY_S = 1.0


def door_label(door: str) -> str:
    return door if door in DOORS else OTHER


def reason_label(code: str) -> str:
    return code if code in REASONS else OTHER


class Arrivals:
    """When the sound of a moment of the session came in."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, float]] = deque(maxlen=KEPT)

    def add(self, until_s: float, now_s: float) -> None:
        """Sound up to `until_s` of the session is there now."""
        if not self._marks or until_s - self._marks[-1][0] >= STEP_S:
            self._marks.append((until_s, now_s))

    def of(self, at_s: float) -> float | None:
        """None: it was too long ago, or has not come."""
        marks = list(self._marks)
        place = bisect_left(marks, (at_s, 0.0))
        return marks[place][1] if marks and marks[0][0] <= at_s + STEP_S and place < len(marks) else None


class Figures:
    """The metrics of one session of `model`. `padding_s`: how much after the end of speech an utterance ends."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._lag_told_s = 0.0
        self._cancelled = 0
        self.arrivals = Arrivals()
        self.padding_s = 0.0

    def heard(self, seconds: float, received_s: float, lag_s: float) -> None:
        """Sound was listened to; of the session's lag one sample a second of sound is kept."""
        metrics.AUDIO_SECONDS.labels(self._model).inc(seconds)
        if received_s - self._lag_told_s >= LAG_EVERY_S:
            self._lag_told_s = received_s
            metrics.LIVE_LAG.observe(lag_s)

    def told(self, event: LiveEvent, now_s: float) -> None:
        if isinstance(event, LivePartial):
            came_s = self.arrivals.of(event.end_s)
            if came_s is not None:
                metrics.LIVE_PARTIAL.observe(max(0.0, now_s - came_s))
        elif isinstance(event, LiveFinal):
            came_s = self.arrivals.of(max(event.span.start_s, event.span.end_s - self.padding_s))
            if came_s is not None and event.span.duration_s:
                metrics.LIVE_FINAL.observe(max(0.0, now_s - came_s))
            for dropped in event.transcript.dropped:
                metrics.DROPPED.labels(self._model, dropped.reason).inc()

    def cancelled(self, windows: int) -> None:
        """`windows` since the session began."""
        metrics.LIVE_CANCELLED.inc(windows - self._cancelled)
        self._cancelled = windows
