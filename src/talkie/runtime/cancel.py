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
    """Set once, from any thread; looked at between steps of the work. One that has a token above it is set with it."""

    def __init__(self, above: CancelToken | None = None) -> None:
        self._event = threading.Event()
        self._above = above

    def cancel(self) -> None:
        self._event.set()

    @property
    def cancelled(self) -> bool:
        return self._event.is_set() or (self._above is not None and self._above.cancelled)

    def check(self) -> None:
        """Raises `Cancelled` when the token is set."""
        if self.cancelled:
            raise Cancelled

    def wait_for(self, future: Future[T]) -> T:
        """The future's result, or `Cancelled`; a cancelled future that has not begun is taken back."""
        while True:
            if self.cancelled:
                future.cancel()
                raise Cancelled
            try:
                return future.result(timeout=POLL_S)
            except FutureTimeout:
                if future.done():
                    raise
