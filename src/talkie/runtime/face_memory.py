"""Faces in memory: made for who shows them, and those of a network shared by all who show the same at the same size.

Knows nothing of requests. What a shared face has computed once (mouths in silence, decoded frames) it keeps for the
next who shows it, as long as its network stays in memory.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from talkie.engines.base import VoiceActivityDetector
    from talkie.pipeline.face_neural import NeuralFace
    from talkie.pipeline.faces import Face, FaceInfo, FaceLine
    from talkie.runtime.face_choice import FaceChoice
    from talkie.runtime.face_lane import FaceLane, FacePlace
    from talkie.runtime.leases import LeaseTable
    from talkie.runtime.turns import Priority

SIZES_KEPT = 3
"""Of one avatar, beside those that are shown now."""

Size = tuple[int, int]


@dataclass(slots=True)
class _Kept:
    face: NeuralFace
    users: int = 0


@dataclass
class _Shelf:
    """The faces of one lane, by size; the one used last is the last."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    faces: dict[Size, _Kept] = field(default_factory=dict)

    @contextmanager
    def use(self, size: Size, make: Callable[[], NeuralFace]) -> Iterator[NeuralFace]:
        with self.lock:
            kept = self.faces.pop(size, None) or _Kept(make())
            self.faces[size] = kept
            kept.users += 1
        try:
            yield kept.face
        finally:
            with self.lock:
                kept.users -= 1
                self._tidy()

    def _tidy(self) -> None:
        idle = [size for size, kept in self.faces.items() if not kept.users]
        for size in idle[: max(0, len(idle) - SIZES_KEPT)]:
            self.faces.pop(size).face.close()

    def close(self) -> None:
        with self.lock:
            for kept in self.faces.values():
                kept.face.close()
            self.faces.clear()


class _Placed:
    """A shared face as one of those who show it has it: its lines ask at a place of their own."""

    def __init__(self, face: NeuralFace, place: FacePlace) -> None:
        self._face, self._place = face, place

    @property
    def info(self) -> FaceInfo:
        return self._face.info

    def open(self) -> FaceLine:
        return self._face.open(self._place)

    def close(self) -> None:
        """The others still show it."""


class FaceMemory:
    """Opens what was chosen."""

    def __init__(self, leases: LeaseTable, detector: VoiceActivityDetector) -> None:
        self._leases, self._detector = leases, detector
        self._lock = threading.Lock()
        self._shelves: dict[FaceLane, _Shelf] = {}

    @contextmanager
    def open(self, choice: FaceChoice, priority: Priority) -> Iterator[Face]:
        """For as long as the block runs. Raises `BadAvatar`, `EngineError`, `BusyError`, `InvalidValue`."""
        with ExitStack() as stack:
            if choice.pack is None:
                from talkie.pipeline.face_drawn import DrawnFace

                face: Face = DrawnFace(choice.width, choice.height, mood=choice.mood)
                stack.callback(face.close)
            elif choice.kind == "pictures":
                from talkie.pipeline.face_pictures import PicturesFace

                face = PicturesFace(choice.pack, width=choice.width, height=choice.height)
                stack.callback(face.close)
            else:
                face = self._neural(choice, priority, stack)
            yield face

    def _neural(self, choice: FaceChoice, priority: Priority, stack: ExitStack) -> Face:
        from talkie.pipeline.face_neural import open_neural

        pack, size = choice.pack, (choice.width, choice.height)
        assert pack is not None, "a network comes in a pack"
        lane = stack.enter_context(self._leases.lease_face(choice.key))

        def make() -> NeuralFace:
            own = lane.open(priority)
            lane.on_close.callback(own.close)
            return open_neural(pack, own, self._detector, width=size[0], height=size[1])

        shared = stack.enter_context(self._shelf(lane).use(size, make))
        return _Placed(shared, stack.enter_context(lane.open(priority)))

    def _shelf(self, lane: FaceLane) -> _Shelf:
        with self._lock:
            shelf = self._shelves.get(lane)
            if shelf is None:
                shelf = self._shelves[lane] = _Shelf()
                lane.on_close.callback(self._forget, lane)
            return shelf

    def _forget(self, lane: FaceLane) -> None:
        with self._lock:
            shelf = self._shelves.pop(lane, None)
        if shelf is not None:
            shelf.close()
