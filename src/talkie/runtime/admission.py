"""Who may come in: a bound on requests at work and on requests waiting for their turn.

Knows nothing of what a request does. First come, first served; who would be one too many is told so at once.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from talkie.errors import QueueFull, ShuttingDown
from talkie.runtime import metrics
from talkie.runtime.cancel import POLL_S, CancelToken
from talkie.runtime.pace import within_reason


class Admission:
    """At most `running` at work and `waiting` in line."""

    def __init__(self, running: int, waiting: int) -> None:
        self._running_limit = max(1, running)
        self._waiting_limit = max(0, waiting)
        self._lock = threading.Condition()
        self._line: deque[object] = deque()
        self._running = 0
        self._closed = False
        self._typical_s = 1.0

    @property
    def running(self) -> int:
        return self._running

    @property
    def waiting(self) -> int:
        return len(self._line)

    @contextmanager
    def enter(self, cancel: CancelToken) -> Iterator[None]:
        """Wait for a place and hold it. Raises `QueueFull`, `ShuttingDown` or `Cancelled`."""
        self._take(cancel)
        began = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
                self._typical_s += 0.2 * (time.monotonic() - began - self._typical_s)
                self._changed()

    def _take(self, cancel: CancelToken) -> None:
        ticket = object()
        with self._lock:
            self._refuse_if_closed()
            if self._running >= self._running_limit and len(self._line) >= self._waiting_limit:
                raise QueueFull(len(self._line), self.retry_after_s())
            self._line.append(ticket)
            metrics.WAITING.set(len(self._line))
            try:
                while self._line[0] is not ticket or self._running >= self._running_limit:
                    cancel.check()
                    self._refuse_if_closed()
                    self._lock.wait(POLL_S)
                self._running += 1
            finally:
                self._line.remove(ticket)
                self._changed()

    def _changed(self) -> None:
        metrics.RUNNING.set(self._running)
        metrics.WAITING.set(len(self._line))
        self._lock.notify_all()

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise ShuttingDown

    def retry_after_s(self) -> float:
        """A guess at when there is room: the line ahead at the pace of late, within reason."""
        guess = (len(self._line) + 1) * self._typical_s / self._running_limit
        return within_reason(guess)

    def close(self) -> None:
        """Nobody comes in any more; those in line are told. Those at work go on."""
        with self._lock:
            self._closed = True
            self._lock.notify_all()

    def drain(self, timeout_s: float) -> bool:
        """Wait until nobody is at work. False when some still are after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        with self._lock:
            while self._running and (left := deadline - time.monotonic()) > 0:
                self._lock.wait(left)
            return self._running == 0
