"""What is done once for a model on a machine, before its first start, and how far it has come.

Knows nothing of what is done. Thread-safe: one thread prepares, others look.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from talkie.errors import ShuttingDown

STEP_PERCENT = 20
"""A line in the log as often as this."""

_log = logging.getLogger(__name__)


class Preparations:
    """Which models are being prepared. `listen` hears of every step: the name and the share that is done."""

    def __init__(self, listen: Callable[[str, float], None] = lambda name, share: None) -> None:
        self.listen = listen
        self._lock = threading.Lock()
        self._shares: dict[str, float] = {}
        self._stopped = threading.Event()

    @contextmanager
    def of(self, name: str) -> Iterator[Callable[[float], None]]:
        """A callback for the share that is done, 0 to 1; a model that is opened at once never calls it.

        After `stop` it raises `ShuttingDown`: what is half made is thrown away by whoever makes it.
        """
        told = -STEP_PERCENT

        def step(share: float) -> None:
            nonlocal told
            if self._stopped.is_set():
                raise ShuttingDown
            with self._lock:
                self._shares[name] = share
            percent = round(100 * share)
            if percent >= told + STEP_PERCENT:
                told = percent
                _log.info("%s is being prepared for this machine: %d %%", name, percent)
            self.listen(name, share)

        try:
            yield step
        finally:
            with self._lock:
                self._shares.pop(name, None)

    def stop(self) -> None:
        """What is being prepared ends with its next step, and nothing else is begun."""
        self._stopped.set()

    def state(self, name: str) -> str:
        """`converting 40 %`; empty for one that is not being prepared."""
        with self._lock:
            share = self._shares.get(name)
        return "" if share is None else f"converting {round(100 * share)} %"
