"""What a live session has told and nobody has read yet: bounded, and partials only the newest.

Knows nothing of threads: its owner holds the lock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from talkie.errors import SlowReader
from talkie.types import LiveEvent, LivePartial

MAX_EVENTS = 1000
"""Of a speaker who makes a pause every second that is five minutes unread."""


class Unread:
    """Events, oldest first."""

    def __init__(self, most: int = MAX_EVENTS) -> None:
        self._events: deque[LiveEvent] = deque()
        self._most = most

    def __len__(self) -> int:
        return len(self._events)

    def add(self, events: Iterable[LiveEvent]) -> None:
        """Raises `SlowReader` where too many would wait."""
        for event in events:
            if isinstance(event, LivePartial):
                self._forget_partial(event.utterance)
            if len(self._events) >= self._most:
                raise SlowReader
            self._events.append(event)

    def take(self) -> list[LiveEvent]:
        events = list(self._events)
        self._events.clear()
        return events

    def _forget_partial(self, utterance: int) -> None:
        """There is at most one unread partial of an utterance: a newer one says all that it said."""
        for place in range(len(self._events) - 1, -1, -1):
            event = self._events[place]
            if getattr(event, "utterance", None) != utterance:
                continue
            if isinstance(event, LivePartial):
                del self._events[place]
            return
