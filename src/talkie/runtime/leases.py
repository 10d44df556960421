"""Which models are in memory, those that hear, speak and show: loaded once, shared by all who ask, and put out when
room is needed or nobody has used them for long.

Knows nothing of requests or audio; it is given a `load` and calls it at most once at a time for each model.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias, TypeVar

from talkie.engines.memory import give_back_free_memory
from talkie.errors import BusyError, ShuttingDown, UnsupportedByModel
from talkie.runtime import metrics
from talkie.runtime.face_lane import FaceLane
from talkie.runtime.scheduler import Lane
from talkie.runtime.speech_lane import SpeechLane

Kind: TypeAlias = Literal["recognizer", "synthesizer", "face"]

FACE = "avatar:"
"""What the names of networks of faces begin with. They have as many places as other models, and take none of theirs:
a live face would else put out the voice that it speaks with."""

STUCK_S = 5.0
"""How long the end waits for models that are being loaded. A library that compiles a graph cannot be interrupted;
what comes later is closed by whoever loads it."""


class LoadedInfo(Protocol):
    """What a row of `talkie ps` says of an engine."""

    @property
    def name(self) -> str: ...
    @property
    def engine(self) -> str: ...
    @property
    def device(self) -> str: ...
    @property
    def compute_type(self) -> str: ...
    @property
    def backend(self) -> str: ...
    @property
    def backend_reason(self) -> str: ...
    @property
    def workers(self) -> int: ...


class Leased(Protocol):
    """What a table of leases needs of what it holds: a lane of any kind."""

    @property
    def info(self) -> LoadedInfo: ...

    def ready(self) -> bool: ...

    def close(self) -> None: ...


L = TypeVar("L", Lane, SpeechLane, FaceLane)


@dataclass(slots=True)
class _Slot:
    """`lock` is held while the model loads; `users` counts open leases."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    lane: Leased | None = None
    users: int = 0
    last_used: float = 0.0


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A row of `talkie ps`: `idle_s` is 0 while somebody uses it. `backend` is the library that computes, and
    `backend_reason` why it is this one; empty for engines that have but one. `unload_s`: when it will be put out if
    nobody comes; None: not for that reason, or somebody uses it."""

    name: str
    engine: str
    device: str
    compute_type: str
    users: int
    idle_s: float
    backend: str = ""
    backend_reason: str = ""
    workers: int = 1
    kind: Kind = "recognizer"
    unload_s: float | None = None


class LeaseTable:
    """At most `max_loaded` models in memory; the one idle for longest makes room for another.

    One that nobody used for `idle_s` is put out (0: never). Those named in `small` take no place.
    """

    def __init__(
        self,
        load: Callable[[str], Leased],
        max_loaded: int,
        *,
        idle_s: float = 0.0,
        small: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._max_loaded = max(1, max_loaded)
        self._idle_s, self._small, self._clock = idle_s, frozenset(small), clock
        self._table = threading.Condition()
        self._slots: dict[str, _Slot] = {}
        self._watch: threading.Thread | None = None
        self._closed = False

    @contextmanager
    def lease(self, name: str) -> Iterator[Lane]:
        """The lane of a model that hears, loaded when it is not; it stays loaded while leased.

        Raises what `load` raises; `UnsupportedByModel` for a model that does not hear.
        """
        with self._leased(name, Lane, "hear") as lane:
            yield lane

    @contextmanager
    def lease_voice(self, name: str) -> Iterator[SpeechLane]:
        """The same of a model that speaks."""
        with self._leased(name, SpeechLane, "speak") as lane:
            yield lane

    @contextmanager
    def lease_face(self, name: str) -> Iterator[FaceLane]:
        """The same of a network of faces."""
        with self._leased(name, FaceLane, "show a face") as lane:
            yield lane

    @contextmanager
    def _leased(self, name: str, kind: type[L], what: str) -> Iterator[L]:
        slot = self._reserve(name)
        try:
            with slot.lock:
                if slot.lane is None:
                    slot.lane = self._open(name)
            if not isinstance(slot.lane, kind):
                raise UnsupportedByModel("model", f"The model {name!r} does not {what}.")
            yield slot.lane
        finally:
            self._release(name, slot)

    def _open(self, name: str) -> Leased:
        """Nobody is left to close what comes after the end. Raises `ShuttingDown`."""
        lane = self._load(name)
        with self._table:
            if not self._closed:
                metrics.LOADED.labels(name).set(1)
                return lane
        lane.close()
        raise ShuttingDown

    def _reserve(self, name: str) -> _Slot:
        with self._table:
            if self._closed:
                raise ShuttingDown
            slot = self._slots.get(name)
            evicted = [] if slot or name in self._small else self._make_room(name)
            slot = slot or self._slots.setdefault(name, _Slot())
            slot.users += 1
        for lane in evicted:
            lane.close()
        return slot

    def _make_room(self, newcomer: str) -> list[Leased]:
        """Takes idle models out of the table; the caller closes them outside the lock."""
        evicted: list[Leased] = []
        while len(others := self._beside(newcomer)) >= self._max_loaded:
            idle = [(slot.last_used, name) for name, slot in others.items() if slot.users == 0]
            if not idle:
                raise BusyError(
                    f"All {self._max_loaded} places for models are in use.",
                    hint="Try again, or raise the setting max_loaded_models.",
                )
            evicted += self._taken_out(min(idle)[1])
        return evicted

    def _beside(self, newcomer: str) -> dict[str, _Slot]:
        """Those that take places of the newcomer's kind."""
        is_face = newcomer.startswith(FACE)
        return {
            name: slot
            for name, slot in self._slots.items()
            if name not in self._small and name.startswith(FACE) == is_face
        }

    def _taken_out(self, name: str) -> list[Leased]:
        lane = self._slots.pop(name).lane
        metrics.LOADED.labels(name).set(0)
        return [] if lane is None else [lane]

    def _release(self, name: str, slot: _Slot) -> None:
        with self._table:
            slot.users -= 1
            slot.last_used = self._clock()
            if slot.users == 0 and slot.lane is None and self._slots.get(name) is slot:
                del self._slots[name]
            if self._idle_s and self._watch is None and not self._closed:
                self._watch = threading.Thread(target=self._watch_idle, name="talkie-idle", daemon=True)
                self._watch.start()
            self._table.notify_all()

    # -- what nobody uses ------------------------------------------------------------------------------------------

    def put_out_idle(self) -> list[str]:
        """Unload what nobody has used for `idle_s`; the names of it."""
        with self._table:
            now = self._clock()
            names = [name for name, due_s in self._due() if due_s <= now]
            evicted = [lane for name in names for lane in self._taken_out(name)]
        for lane in evicted:
            lane.close()
        if evicted:
            evicted.clear()
            give_back_free_memory()
        return names

    def _due(self) -> list[tuple[str, float]]:
        """When each idle model is to be put out; the caller holds the lock."""
        return [(name, slot.last_used + self._idle_s) for name, slot in self._slots.items() if slot.users == 0]

    def _watch_idle(self) -> None:
        while True:
            with self._table:
                if self._closed:
                    return
                next_s = min((due_s for _, due_s in self._due()), default=None)
                wait_s = None if next_s is None else max(0.0, next_s - self._clock())
                if wait_s is None or wait_s > 0:
                    self._table.wait(wait_s)
                    continue
            self.put_out_idle()

    # -- looking ---------------------------------------------------------------------------------------------------

    def loaded(self) -> list[LoadedModel]:
        return [row for row, _ in self.lanes()]

    def lanes(self) -> list[tuple[LoadedModel, Leased]]:
        """What is in memory, and what serves it."""
        now = self._clock()
        with self._table:
            slots = [(slot.lane, slot.users, slot.last_used) for slot in self._slots.values()]
        return [
            (_row(lane, users, 0.0 if users else now - last, self._idle_s), lane) for lane, users, last in slots if lane
        ]

    def close(self) -> None:
        """Unload everything; nobody gets a lease any more. What is being loaded is waited for `STUCK_S` at most."""
        with self._table:
            self._closed = True
            slots, self._slots = list(self._slots.items()), {}
            self._table.notify_all()
        until_s = time.monotonic() + STUCK_S
        for name, slot in slots:
            if slot.lock.acquire(timeout=max(0.0, until_s - time.monotonic())):
                try:
                    self._unload(name, slot)
                finally:
                    slot.lock.release()

    def _unload(self, name: str, slot: _Slot) -> None:
        if slot.lane is not None:
            slot.lane.close()
            metrics.LOADED.labels(name).set(0)


def _row(lane: Leased, users: int, idle_s: float, most_idle_s: float) -> LoadedModel:
    info = lane.info
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
        _kind(lane),
        max(0.0, most_idle_s - idle_s) if most_idle_s and not users else None,
    )


def _kind(lane: Leased) -> Kind:
    if isinstance(lane, FaceLane):
        return "face"
    return "synthesizer" if isinstance(lane, SpeechLane) else "recognizer"
