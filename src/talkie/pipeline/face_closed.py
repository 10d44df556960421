"""The shut mouth of each source frame: what the network makes of silence, the source itself, or a picture.

What the network makes of silence is computed once for each source frame, and kept while there is room; all who show
the avatar share it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from talkie.errors import Cancelled
from talkie.pipeline.face_features import silent_audio
from talkie.pipeline.faces import MouthItem, Mouths
from talkie.types import Picture
from talkie.video.boxes import FaceBox, box_of
from talkie.video.cache import PictureCache
from talkie.video.crop import Crops, inner, outer_crop

CACHE_BYTES = 128 * 1024 * 1024
"""Some four hundred mouths of 320 pixels."""

Closed: TypeAlias = "Literal['network', 'source'] | Picture"
Item: TypeAlias = Callable[[int, NDArray[np.float32]], MouthItem]
"""What asks for the mouth of the source frame with that number, for that sound."""


class ClosedMouths(Protocol):
    """Safe for threads."""

    def known(self, index: int) -> Picture | None:
        """The shut mouth of a source frame, in B G R; None where it must be computed."""
        ...

    def item(self, index: int) -> MouthItem:
        """What computes it."""
        ...

    def learn(self, index: int, mouth: Picture) -> None: ...


class GivenMouths:
    """Nothing is computed: the mouths of the source frames, or of one picture as large as they are."""

    def __init__(self, crops: Crops, picture: Picture | None, boxes: Sequence[FaceBox], size: int) -> None:
        self._crops, self._picture, self._boxes, self._size = crops, picture, boxes, size
        self._cache = PictureCache(CACHE_BYTES)

    def known(self, index: int) -> Picture:
        if self._picture is None:
            return inner(self._crops.outer(index))
        box = box_of(self._boxes, index)
        found = self._cache.get(box)
        return self._cache.put(box, inner(outer_crop(self._picture, box, self._size))) if found is None else found

    def item(self, index: int) -> MouthItem:
        raise LookupError("it is known")

    def learn(self, index: int, mouth: Picture) -> None:
        """They are what they are."""


class SilentMouths:
    """What the network makes of silence."""

    def __init__(self, mouths: Mouths, item: Item) -> None:
        self._mouths, self._item = mouths, item
        self._cache = PictureCache(CACHE_BYTES)
        self._audio: NDArray[np.float32] | None = None
        self._lock = threading.Lock()

    def known(self, index: int) -> Picture | None:
        return self._cache.get(index)

    def item(self, index: int) -> MouthItem:
        with self._lock:
            if self._audio is None:
                self._audio = silent_audio(self._mouths.encode)
        return self._item(index, self._audio)

    def learn(self, index: int, mouth: Picture) -> None:
        if self._cache.get(index) is None:
            self._cache.put(index, mouth)


Wanted: TypeAlias = "tuple[int, Future[list[Picture]]]"


class IdleMouths:
    """The shut mouths of one face that says nothing: waits for the first, and computes the next ones ahead.

    Until the mouth of a source frame is there, that of the frame before stands in: their faces hardly differ, and a
    face that says nothing must not stutter.
    """

    AHEAD = 8

    def __init__(self, mouths: Mouths, closed: ClosedMouths, turn: Callable[[Picture], Picture]) -> None:
        """`turn` brings what the network gives to B G R."""
        self._mouths, self._closed, self._turn = mouths, closed, turn
        self._wanted: list[Wanted] = []
        self._last: Picture | None = None

    def rest(self, indexes: Sequence[int]) -> Picture:
        """Of the first of these source frames; the others come next. Raises the error of the network."""
        self._gather()
        mouth = self._closed.known(indexes[0])
        if mouth is None and self._last is None:
            mouth = self._first(indexes[0])
        self._ask([index for index in dict.fromkeys(indexes) if self._closed.known(index) is None])
        self._last = mouth = self._last if mouth is None else mouth
        assert mouth is not None, "the first was waited for"
        return mouth

    def close(self) -> None:
        for _, future in self._wanted:
            future.cancel()
        self._wanted = []

    def _first(self, index: int) -> Picture:
        """Waited for, whatever else was asked for."""
        future = self._mouths.submit([self._closed.item(index)])
        try:
            mouth = self._turn(future.result()[0])
        except CancelledError:
            raise Cancelled from None
        self._closed.learn(index, mouth)
        return mouth

    def _ask(self, indexes: Sequence[int]) -> None:
        """Each alone: see `face_neural`."""
        if not self._wanted:
            most = min(self.AHEAD, max(1, self._mouths.info.max_batch))
            self._wanted = [(index, self._mouths.submit([self._closed.item(index)])) for index in indexes[:most]]

    def _gather(self) -> None:
        """What is done. A mouth that somebody cancelled is asked for again."""
        wanted, self._wanted = self._wanted, []
        for index, future in wanted:
            if not future.done():
                self._wanted.append((index, future))
            elif not future.cancelled():
                self._closed.learn(index, self._turn(future.result()[0]))
