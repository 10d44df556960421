"""A flag that says: nobody waits for this any more. Knows nothing of what it stops."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TypeVar

from talkie.errors import Cancelled

T = TypeVar("T")

POLL_S = 0.05
"""How soon a cancelled wait is noticed; a result that arrives is noticed at once."""


class CancelToken:
    """Set once, from any thread; looked at between steps of the work."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        self._event.set()

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    def check(self) -> None:
        """Raises `Cancelled` when the token is set."""
        if self._event.is_set():
            raise Cancelled

    def wait_for(self, future: Future[T]) -> T:
        """The future's result, or `Cancelled`; a cancelled future that has not begun is taken back."""
        while True:
            if self._event.is_set():
                future.cancel()
                raise Cancelled
            try:
                return future.result(timeout=POLL_S)
            except FutureTimeout:
                if future.done():
                    raise
