"""Whose turn it is: which windows wait for a model, and which of them go into it next. Pure: no threads, no clock.

Requests take turns. A turn is due some `patience` after its request began to wait for it; the request whose turn is due
first leads the next batch, and others who want the same add one window each, in the order of their turns and round
after round, while there is room. Whoever was served waits anew. So a long file steps aside for a short question, what
is urgent overtakes what is not for as long as the patience lasts, and nobody starves: once a turn is due, each
other request leads at most one batch before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from itertools import count
from math import ceil, inf
from typing import Generic, Literal, TypeAlias, TypeVar

T = TypeVar("T")

Priority: TypeAlias = Literal["live", "partial", "interactive", "batch"]
"""`live`: what was said in a session, in full; `partial`: a guess at what is being said; then recordings."""


@dataclass(frozen=True, slots=True)
class Manners:
    """`patience_s`: when a turn is due. `hold_s`: how long a window may be kept back so that a batch can fill. `live`:
    its windows come when somebody has spoken, and not because the last was heard."""

    patience_s: float
    hold_s: float
    live: bool = False


MANNERS: dict[Priority, Manners] = {
    "live": Manners(patience_s=0.0, hold_s=0.0, live=True),
    "partial": Manners(patience_s=1.0, hold_s=0.0, live=True),
    "interactive": Manners(patience_s=10.0, hold_s=0.005),
    "batch": Manners(patience_s=60.0, hold_s=0.05),
}


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[T]):
    window: T
    key: Hashable
    seconds: float
    hold_until_s: float


@dataclass(slots=True, eq=False)
class Queue(Generic[T]):
    """The windows of one request that wait, first come first. `quiet`: no more is to be expected of it for now."""

    manners: Manners
    waiting: deque[_Waiting[T]] = field(default_factory=deque)
    since_s: float = 0.0
    ticket: int = 0
    quiet: bool = False

    @property
    def due_s(self) -> float:
        return self.since_s + self.manners.patience_s

    def alike(self) -> list[_Waiting[T]]:
        """Its windows that could go together: those in front that want the same."""
        first = self.waiting[0].key
        end = next((place for place, one in enumerate(self.waiting) if one.key != first), len(self.waiting))
        return [self.waiting[place] for place in range(end)]


_Group: TypeAlias = list[Queue[T]]
"""Requests whose first windows may share a batch, in the order of their turns."""


class Turns(Generic[T]):
    """The windows that wait for one model, which gains from `max_batch` at a time. Not thread-safe."""

    def __init__(self, max_batch: int) -> None:
        self._max_batch = max(1, max_batch)
        self._queues: list[Queue[T]] = []
        self._tickets = count()
        self.windows = 0
        self.seconds = 0.0

    @property
    def requests(self) -> int:
        """How many are open, live ones not counted, whether or not something of theirs waits."""
        return sum(not queue.manners.live for queue in self._queues)

    def open(self, priority: Priority) -> Queue[T]:
        """A place for the windows of a new request."""
        queue: Queue[T] = Queue(MANNERS[priority])
        self._queues.append(queue)
        return queue

    def close(self, queue: Queue[T]) -> list[T]:
        """The request has ended. What of it still waited is given back; a second time is harmless."""
        if queue not in self._queues:
            return []
        self._queues.remove(queue)
        left = list(queue.waiting)
        queue.waiting.clear()
        for one in left:
            self._leaves(one)
        return [one.window for one in left]

    def clear(self) -> list[T]:
        """All requests have ended; what still waited is given back."""
        return [window for queue in list(self._queues) for window in self.close(queue)]

    def add(self, queue: Queue[T], window: T, key: Hashable, seconds: float, now_s: float) -> None:
        """A window of `seconds` joins the line; windows of equal `key` may share a batch."""
        if not queue.waiting:
            self._asks_for_a_turn(queue, now_s)
        queue.waiting.append(_Waiting(window, key, seconds, now_s + queue.manners.hold_s))
        self.windows += 1
        self.seconds += seconds

    def drop(self, queue: Queue[T], window: T) -> bool:
        """Nobody wants this window any more. False when it does not wait (it is at work, or was never here)."""
        found = next((one for one in queue.waiting if one.window is window), None)
        if found is None:
            return False
        queue.waiting.remove(found)
        self._leaves(found)
        return True

    def deal(self, now_s: float, workers: int, beside_live: int | None = None) -> list[list[T]]:
        """Batches for so many idle workers, each its fair share of what is ready; fewer where not enough is.

        `beside_live`: the most windows in a batch of others while a live queue is open.
        """
        batches: list[list[T]] = []
        ready: set[Hashable] = set()
        while len(batches) < workers:
            groups = self._groups()
            ready |= {key for key, group in groups.items() if self._is_ready(group, now_s)}
            chosen = [group for key, group in groups.items() if key in ready]
            if not chosen:
                break
            share = ceil(sum(map(_size, chosen)) / (workers - len(batches)))
            most = min(share, self._max_batch)
            batches.append(self._take(*self._companions(chosen[0], most, beside_live), now_s))
        return batches

    def _companions(self, group: _Group[T], most: int, beside_live: int | None) -> tuple[_Group[T], int]:
        """Those who may go with the first of a group, and how many windows at once."""
        if group[0].manners.live:
            return [queue for queue in group if queue.manners.live], most
        if beside_live is not None and any(queue.manners.live for queue in self._queues):
            most = min(most, max(1, beside_live))
        return group, most

    def look_again_s(self) -> float | None:
        """When what is kept back must go; None: nothing waits."""
        return min((_hold_until_s(group) for group in self._groups().values()), default=None)

    def _groups(self) -> dict[Hashable, _Group[T]]:
        """By what is wanted, the one whose turn is due first in front."""
        groups: dict[Hashable, _Group[T]] = {}
        for queue in sorted((queue for queue in self._queues if queue.waiting), key=_turn):
            groups.setdefault(queue.waiting[0].key, []).append(queue)
        return groups

    def _is_ready(self, group: _Group[T], now_s: float) -> bool:
        """A batch is full, or it was kept back long enough, or there is nobody left to wait for."""
        return (
            _size(group) >= self._max_batch
            or now_s >= _hold_until_s(group)
            or all(queue.quiet or queue.manners.live for queue in self._queues)
        )

    def _take(self, group: _Group[T], most: int, now_s: float) -> list[T]:
        """At most so many windows, one from each request in turn."""
        key = group[0].waiting[0].key
        turns = deque(group)
        batch: list[T] = []
        while turns and len(batch) < most:
            queue = turns.popleft()
            one = queue.waiting.popleft()
            self._asks_for_a_turn(queue, now_s)
            self._leaves(one)
            batch.append(one.window)
            if queue.waiting and queue.waiting[0].key == key:
                turns.append(queue)
        return batch

    def _asks_for_a_turn(self, queue: Queue[T], now_s: float) -> None:
        queue.since_s, queue.ticket = now_s, next(self._tickets)

    def _leaves(self, one: _Waiting[T]) -> None:
        self.windows -= 1
        self.seconds = self.seconds - one.seconds if self.windows else 0.0


def _turn(queue: Queue[T]) -> tuple[float, int]:
    """What turns are ordered by; of two that are due at once, the one asked for first."""
    return queue.due_s, queue.ticket


def _size(group: _Group[T]) -> int:
    return sum(len(queue.alike()) for queue in group)


def _hold_until_s(group: _Group[T]) -> float:
    return min((one.hold_until_s for queue in group for one in queue.alike()), default=inf)
