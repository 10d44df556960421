"""Frames on their way through a face network: at most two batches of a line, the first small, then larger.

While one is computed the one before it is put together, and the first frame waits for a batch of one. Knows nothing of
what a frame is. `ground` may be called from any thread, and wakes whoever waits here.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from talkie.errors import Cancelled
from talkie.pipeline.faces import MouthItem, Mouths
from talkie.types import Picture

T = TypeVar("T")

AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Flight(Generic[T]):
    """`plan` says what is to be made of the mouths."""

    plan: T
    futures: Sequence[Future[list[Picture]]] = field(default=())


class Grounded(Exception):
    """What was waited for is no longer wanted."""


class Flights(Generic[T]):
    """Of one line. All but `ground` and `trip` belong to the thread that works for the line."""

    def __init__(self, mouths: Mouths) -> None:
        self._mouths = mouths
        self._flying: deque[Flight[T]] = deque()
        self._changed = threading.Condition()
        self._trip = 0
        self.size = 1

    @property
    def trip(self) -> int:
        """Another number after each `ground`."""
        return self._trip

    @property
    def full(self) -> bool:
        return len(self._flying) >= AT_ONCE

    def __len__(self) -> int:
        return len(self._flying)

    def launch(self, plan: T, asks: Sequence[Sequence[MouthItem]], trip: int) -> None:
        """`asks` are what is to be asked, at most `info.max_batch` each. The next flight may have twice as many mouths.
        Raises `Grounded`."""
        futures = [self._mouths.submit(ask) for ask in asks]
        for future in futures:
            future.add_done_callback(self._tell)
        with self._changed:
            if trip == self._trip:
                self._flying.append(Flight(plan, futures))
                self.size = min(self.size * 2, max(1, self._mouths.info.max_batch)) if asks else self.size
                return
        _cancel(futures)
        raise Grounded

    def land(self, trip: int) -> tuple[T, list[list[Picture]]]:
        """The oldest, when it is done, with the mouths of each ask. Raises `Grounded`, and the error of the network."""
        with self._changed:
            if trip != self._trip:
                raise Grounded
            flight = self._flying[0]
            self._changed.wait_for(lambda: trip != self._trip or all(future.done() for future in flight.futures))
            if trip != self._trip:
                raise Grounded
            self._flying.popleft()
        try:
            return flight.plan, [future.result() for future in flight.futures]
        except CancelledError:
            raise Cancelled from None

    def ground(self) -> None:
        """Nothing of this is wanted any more."""
        with self._changed:
            self._trip += 1
            left, self._flying = self._flying, deque()
            self.size = 1
            self._changed.notify_all()
        for flight in left:
            _cancel(flight.futures)

    def _tell(self, _: Future[list[Picture]]) -> None:
        with self._changed:
            self._changed.notify_all()


def _cancel(futures: Sequence[Future[list[Picture]]]) -> None:
    for future in futures:
        future.cancel()
