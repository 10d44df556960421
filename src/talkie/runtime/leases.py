"""Which models are in memory: loaded once, shared by all who ask, and put out when room is needed.

Knows nothing of requests or audio; it is given a `load` and calls it at most once at a time for each model.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from talkie.errors import BusyError, ShuttingDown
from talkie.runtime import metrics
from talkie.runtime.scheduler import Lane


@dataclass(slots=True)
class _Slot:
    """`lock` is held while the model loads; `users` counts open leases."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    lane: Lane | None = None
    users: int = 0
    last_used: float = 0.0


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A row of `talkie ps`: `idle_s` is 0 while somebody uses it. `backend` is the library that computes, and
    `backend_reason` why it is this one; empty for engines that have but one."""

    name: str
    engine: str
    device: str
    compute_type: str
    users: int
    idle_s: float
    backend: str = ""
    backend_reason: str = ""
    workers: int = 1


class LeaseTable:
    """At most `max_loaded` models in memory; the one idle for longest makes room for another."""

    def __init__(self, load: Callable[[str], Lane], max_loaded: int) -> None:
        self._load = load
        self._max_loaded = max(1, max_loaded)
        self._table = threading.Lock()
        self._slots: dict[str, _Slot] = {}
        self._closed = False

    @contextmanager
    def lease(self, name: str) -> Iterator[Lane]:
        """The model's lane, loaded when it is not; it stays loaded while leased. Raises what `load` raises."""
        slot = self._reserve(name)
        try:
            with slot.lock:
                if slot.lane is None:
                    slot.lane = self._load(name)
                    metrics.LOADED.labels(name).set(1)
            yield slot.lane
        finally:
            self._release(name, slot)

    def _reserve(self, name: str) -> _Slot:
        with self._table:
            if self._closed:
                raise ShuttingDown
            slot = self._slots.get(name)
            evicted = [] if slot else self._make_room()
            slot = slot or self._slots.setdefault(name, _Slot())
            slot.users += 1
        for lane in evicted:
            lane.close()
        return slot

    def _make_room(self) -> list[Lane]:
        """Takes idle models out of the table; the caller closes them outside the lock."""
        evicted: list[Lane] = []
        while len(self._slots) >= self._max_loaded:
            idle = [(slot.last_used, name) for name, slot in self._slots.items() if slot.users == 0]
            if not idle:
                raise BusyError(
                    f"All {self._max_loaded} places for models are in use.",
                    hint="Try again, or raise the setting max_loaded_models.",
                )
            slot = self._slots.pop(min(idle)[1])
            metrics.LOADED.labels(min(idle)[1]).set(0)
            if slot.lane is not None:
                evicted.append(slot.lane)
        return evicted

    def _release(self, name: str, slot: _Slot) -> None:
        with self._table:
            slot.users -= 1
            slot.last_used = time.monotonic()
            if slot.users == 0 and slot.lane is None and self._slots.get(name) is slot:
                del self._slots[name]

    def loaded(self) -> list[LoadedModel]:
        return [row for row, _ in self.lanes()]

    def lanes(self) -> list[tuple[LoadedModel, Lane]]:
        """What is in memory, and what serves it."""
        now = time.monotonic()
        with self._table:
            slots = [(slot.lane, slot.users, slot.last_used) for slot in self._slots.values()]
        return [(_row(lane, users, 0.0 if users else now - last), lane) for lane, users, last in slots if lane]

    def close(self) -> None:
        """Unload everything; nobody gets a lease any more."""
        with self._table:
            self._closed = True
            slots, self._slots = list(self._slots.items()), {}
        for name, slot in slots:
            with slot.lock:
                if slot.lane is not None:
                    slot.lane.close()
                    metrics.LOADED.labels(name).set(0)


def _row(lane: Lane, users: int, idle_s: float) -> LoadedModel:
    info = lane.recognizer.info
    return LoadedModel(
        info.name,
        info.engine,
        info.device,
        info.compute_type,
        users,
        idle_s,
        info.backend,
        info.backend_reason,
        info.workers,
    )
