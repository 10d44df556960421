"""The wish of a server that stops, for one connection: its protocol tells it, whoever waits for the client hears it.

So a conversation ends itself, with its last words, where uvicorn would close it at once and without any. Knows nothing
of what is said.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

STOPPING = "talkie.stopping"
"""Where the scope of a connection has it."""
UNDER_WAY_S = 0.2
"""What a client had said when the server was asked to stop may still be on its way: so long it is heard."""


class Stopping:
    """Of one event loop."""

    def __init__(self) -> None:
        self._asked_at: float | None = None
        self._waiting: asyncio.Timeout | None = None
        self._is_told = False

    @property
    def is_asked(self) -> bool:
        return self._asked_at is not None

    def ask(self) -> None:
        """The conversation is to end."""
        if self._asked_at is None:
            self._asked_at = asyncio.get_running_loop().time()
            if self._waiting is not None and not self._waiting.expired():
                self._hasten(self._waiting)

    def is_due(self) -> bool:
        """Whether it is this that ended the patience; says so once."""
        is_due = not self._is_told and self._left_s() <= 0
        self._is_told = self._is_told or is_due
        return is_due

    @contextlib.contextmanager
    def ends(self, patience: asyncio.Timeout) -> Iterator[None]:
        """While the block waits for the client, its patience ends soon after the wish. Raises `TimeoutError` where
        that is over."""
        if self.is_asked and not self._is_told:
            if self._left_s() <= 0:  # a client that always has something to say never makes us wait
                raise TimeoutError
            self._hasten(patience)
        self._waiting = patience
        try:
            yield
        finally:
            self._waiting = None

    def _hasten(self, patience: asyncio.Timeout) -> None:
        due = asyncio.get_running_loop().time() + self._left_s()
        before = patience.when()
        patience.reschedule(due if before is None else min(due, before))

    def _left_s(self) -> float:
        if self._asked_at is None:
            return UNDER_WAY_S
        return self._asked_at + UNDER_WAY_S - asyncio.get_running_loop().time()
