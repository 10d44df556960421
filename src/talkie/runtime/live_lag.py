"""How far a live session is behind its speaker, and what follows from it. Pure: it is told the time.

Two kinds of senders are told apart by the clock. A speaker sends a second of sound in a second; when he is too far
ahead of us the session must end, for he cannot wait. Whoever sends a file is ahead of the clock and can wait: he is
kept back, with little of his file in memory.
"""

from __future__ import annotations

from math import inf

from talkie.errors import SessionLagging
from talkie.pipeline.live_plan import PARTIAL_EVERY_S

FEWER_PARTIALS_S, NO_PARTIALS_S = 2.0, 5.0
"""So far behind, passes for partials are made half as often, or not at all."""
AHEAD_S = 5.0
"""A sender so far ahead of the clock is no speaker; less is what a client had gathered before it was connected."""
PUSHED_S = 5.0
"""Sound of a sender ahead of the clock that may wait."""
LONGEST_S = 30.0
"""Sound on its way to a text that is no sign of anything: one utterance at work."""


class Lag:
    """The accounts of one session, in seconds of sound and of the clock. Not thread-safe."""

    def __init__(self, max_lag_s: float) -> None:
        self._max_lag_s = max_lag_s
        self._began_s: float | None = None
        self._blocked_since_s: float | None = None
        self._blocked_s = 0.0
        self._owed: dict[int, float] = {}
        self.received_s = 0.0
        self.queued_s = 0.0
        """Received, and not yet listened to."""
        self.unheard_s = 0.0
        """On its way to a final text."""

    def came(self, seconds: float, now_s: float) -> None:
        """Sound was taken in."""
        if self._began_s is None:
            self._began_s = now_s
        if self._blocked_since_s is not None:
            self._blocked_s += now_s - self._blocked_since_s
            self._blocked_since_s = None
        self.received_s += seconds
        self.queued_s += seconds

    def listened(self, seconds: float) -> None:
        """Sound left the line."""
        self.queued_s = max(0.0, self.queued_s - seconds)

    def owe(self, utterance: int, now_s: float) -> None:
        """An utterance has ended, and its text is to come."""
        self._owed[utterance] = now_s

    def paid(self, utterance: int) -> None:
        self._owed.pop(utterance, None)

    def is_room(self, now_s: float) -> bool:
        """May more sound come? Raises `SessionLagging` where it may not and its sender cannot wait."""
        if self.is_ahead(now_s):
            room = self.queued_s < PUSHED_S and self.unheard_s < self._max_lag_s
            if not room and self._blocked_since_s is None:
                self._blocked_since_s = now_s
            return room
        lag_s = self.lag_s(now_s)
        if lag_s >= self._max_lag_s:
            raise SessionLagging(lag_s)
        return True

    def is_ahead(self, now_s: float) -> bool:
        """Does the sound come faster than it was spoken? The time that a sender was kept back does not count."""
        if self._began_s is None:
            return False
        waiting_s = now_s - self._blocked_since_s if self._blocked_since_s is not None else 0.0
        elapsed_s = now_s - self._began_s - self._blocked_s - waiting_s
        return self.received_s > elapsed_s + AHEAD_S

    def lag_s(self, now_s: float) -> float:
        """Sound that waits, and how long the oldest text is owed. 0: all that was said has been told."""
        return self.queued_s + self._overdue_s(now_s)

    def partial_every_s(self, now_s: float) -> float:
        """How much new sound a partial is worth now; infinity: none is."""
        lag_s = self._overdue_s(now_s) if self.is_ahead(now_s) else self.lag_s(now_s)
        if lag_s > NO_PARTIALS_S:
            return inf
        return 2 * PARTIAL_EVERY_S if lag_s > FEWER_PARTIALS_S else PARTIAL_EVERY_S

    def _overdue_s(self, now_s: float) -> float:
        """Where the client says when an utterance ends, nothing is owed before; then what piles up tells."""
        owed_s = now_s - next(iter(self._owed.values()), now_s)
        return max(owed_s, self.unheard_s - LONGEST_S, 0.0)
