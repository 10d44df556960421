"""A wish to stop that a signal handler may set. A `threading.Event` may not be: its lock may be held by the very code
that the signal interrupted."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

LOOK_S = 0.05


class Stop:
    """Set once, seen by every thread."""

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        return self._is_set

    def wait(self, timeout_s: float) -> bool:
        """Sleep for so long, or until it is set soon before; whether it is."""
        until_s = time.monotonic() + timeout_s
        while not self._is_set and (left_s := until_s - time.monotonic()) > 0:
            time.sleep(min(left_s, LOOK_S))
        return self._is_set


@contextmanager
def interrupted_twice(stop: Stop) -> Iterator[None]:
    """The first signal sets `stop`, the second raises `KeyboardInterrupt`."""

    def hear(number: int, frame: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    with hearing(hear):
        yield


@contextmanager
def hearing(hear: Callable[[int, Any], None]) -> Iterator[None]:
    """Within the block `hear` is told of SIGINT and SIGTERM."""
    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
