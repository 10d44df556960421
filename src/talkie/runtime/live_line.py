"""What waits to be done for a live session: sound and commands, in the order in which they came.

Knows nothing of threads: its owner holds the lock. Tiny pieces of sound are joined, so that many take no more room than
few and are listened to together: a detector that is given twenty milliseconds at a time costs three times as much.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal, TypeAlias

from talkie.runtime.requests import LiveRequest

GATHER_S = 0.1
"""So much sound is worth listening to."""
PIECE_S = 1.0
"""The most sound that is given out at once: between two pieces the line is looked at again."""
MAX_COMMANDS = 1000


@dataclass(slots=True)
class Sound:
    """Bytes as they came, and how many seconds they are."""

    data: bytearray
    seconds: float


@dataclass(frozen=True, slots=True)
class Change:
    request: LiveRequest


Command: TypeAlias = Sound | Change | Literal["commit", "clear", "finish", "news"]
"""`news`: an answer has come; it never waits in the line."""


class Line:
    """Bounded in commands; for sound its owner keeps the accounts."""

    def __init__(self) -> None:
        self._waiting: deque[Command] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_ready(self) -> bool:
        """Is there anything but a little sound that more may follow soon?"""
        if len(self._waiting) == 1 and isinstance(first := self._waiting[0], Sound):
            return first.seconds >= GATHER_S
        return bool(self._waiting)

    def add_sound(self, data: bytes, seconds: float) -> None:
        last = self._waiting[-1] if self._waiting else None
        if isinstance(last, Sound) and last.seconds < GATHER_S:
            last.data += data
            last.seconds += seconds
        else:
            self._waiting.append(Sound(bytearray(data), seconds))

    def add(self, command: Command) -> bool:
        """False: there are too many. Of wishes that follow each other only the last one counts."""
        if isinstance(command, Change) and self._waiting and isinstance(self._waiting[-1], Change):
            self._waiting.pop()
        if len(self._waiting) >= MAX_COMMANDS:
            return False
        self._waiting.append(command)
        return True

    def take(self) -> Command:
        """The first; sound that follows sound comes with it."""
        first = self._waiting.popleft()
        if isinstance(first, Sound):
            while self._waiting and first.seconds < PIECE_S and isinstance(more := self._waiting[0], Sound):
                self._waiting.popleft()
                first.data += more.data
                first.seconds += more.seconds
        return first

    def clear(self) -> None:
        self._waiting.clear()
