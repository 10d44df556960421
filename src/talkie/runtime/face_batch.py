"""Frames of several askers in one call of a face network: where they wait, what they are written into, who gets what.

Knows nothing of turns or of threads but that an asker may leave at any time.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from talkie.engines.base import FaceModel, FaceModelInfo
    from talkie.pipeline.faces import MouthItem
    from talkie.types import Picture


class Frame:
    """One frame that the network makes: the `place`-th of its ask."""

    __slots__ = ("ask", "place")

    def __init__(self, ask: Ask, place: int) -> None:
        self.ask, self.place = ask, place

    @property
    def item(self) -> MouthItem:
        return self.ask.items[self.place]


class Ask:
    """Frames that somebody asked for in one go. One in `every` is made, from the `first` on, and shown until the next;
    those before the first show what the ask `before` showed last.

    Cancelling `future` is always possible until it has its result.
    """

    def __init__(
        self, items: Sequence[MouthItem], every: int = 1, first: int = 0, before: Future[list[Picture]] | None = None
    ) -> None:
        self.items = items
        self.future: Future[list[Picture]] = Future()
        self.frames = [Frame(self, place) for place in range(first, len(items), max(1, every))]
        self._made: dict[int, Picture] = {}
        self._lock = threading.Lock()
        self._missing = len(self.frames)
        if not items:
            self.future.set_result([])
        elif first and before is not None:
            self._missing += 1
            before.add_done_callback(self._follow)

    def put(self, place: int, picture: Picture) -> None:
        """A frame is made; with the last one all of them are given."""
        with self._lock:
            self._made[place] = picture
            self._missing -= 1
            if self._missing:
                return
        with contextlib.suppress(InvalidStateError):  # cancelled meanwhile
            self.future.set_result(self._all())

    def _follow(self, before: Future[list[Picture]]) -> None:
        """What was shown before; where that came to nothing, nor does this."""
        if before.cancelled():
            self.future.cancel()
        elif (error := before.exception()) is not None:
            self.fail(error)
        elif 0 not in self._made:
            self.put(0, before.result()[-1])

    def _all(self) -> list[Picture]:
        pictures: list[Picture] = []
        for place in range(len(self.items)):
            pictures.append(self._made[place] if place in self._made else pictures[-1])
        return pictures

    def fail(self, error: BaseException) -> None:
        with contextlib.suppress(InvalidStateError):
            self.future.set_exception(error)


class Staging:
    """The buffers of one thread: made once, written into for each batch."""

    def __init__(self, info: FaceModelInfo) -> None:
        most, size = info.max_batch, info.size
        self._visual = np.zeros((most, 6, size, size), np.float32)
        self._audio = np.zeros((most, 32, 16, 16), np.float32)
        self._out = np.zeros((most, 3, size, size), np.float32)

    def run(self, model: FaceModel, batch: Sequence[Frame]) -> None:
        """Every frame of it through the network, and to who asked. Raises what the network raises."""
        from talkie.video.tensors import mouth_picture, write_visual

        for place, frame in enumerate(batch):
            write_visual(frame.item.crop, self._visual[place])
            self._audio[place] = frame.item.audio
        count = len(batch)
        sources = [frame.item.source for frame in batch]
        mouths = model.infer(self._visual[:count], self._audio[:count], self._out[:count], sources)
        for frame, mouth in zip(batch, mouths, strict=True):
            if not frame.ask.future.done():
                frame.ask.put(frame.place, mouth_picture(mouth))
