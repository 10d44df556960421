"""The face cut out of a frame as a network wants it. Knows nothing of networks.

The box is resized to a square 8 pixels larger than the network's pictures (328 for 320), bicubic, and the network gets
its inside, 4 pixels from each edge. Pillow does it: where it makes smaller it averages, and a box that has that size
already is taken as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from talkie.types import Picture
from talkie.video.boxes import FaceBox, Part, box_of
from talkie.video.cache import PictureCache

MARGIN = 4
CACHE_BYTES = 128 * 1024 * 1024
"""Some four hundred crops of 328 pixels: 16 s of source frames."""


def resized(picture: Picture, width: int, height: int) -> Picture:
    """Bicubic; the picture itself where it has that size."""
    if picture.shape[:2] == (height, width):
        return picture
    from PIL import Image  # here, so that what shows no face never loads it

    image = Image.fromarray(np.ascontiguousarray(picture))
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))


def face_of(frame: Picture, box: FaceBox) -> Picture:
    """The box `(side, side, 3)`; outside the frame its border goes on."""
    height, width = frame.shape[:2]
    if Part(0, box.side, 0, box.side).within(box, width, height) == (0, box.side, 0, box.side):
        return frame[box.top : box.top + box.side, box.left : box.left + box.side]
    rows = np.clip(np.arange(box.top, box.top + box.side), 0, height - 1)
    columns = np.clip(np.arange(box.left, box.left + box.side), 0, width - 1)
    return frame[np.ix_(rows, columns)]


def outer_crop(frame: Picture, box: FaceBox, size: int) -> Picture:
    """`(size + 8, size + 8, 3)`, a picture of its own; `inner` of it is what a network of that size sees."""
    side = size + 2 * MARGIN
    return np.array(resized(face_of(frame, box), side, side), order="C")


def inner(outer: Picture) -> Picture:
    """A view of the middle of an outer crop."""
    return outer[MARGIN:-MARGIN, MARGIN:-MARGIN]


class Crops:
    """The outer crops of source frames, each made once while there is room."""

    def __init__(
        self,
        frame: Callable[[int], Picture],
        boxes: Sequence[FaceBox],
        size: int,
        max_bytes: int = CACHE_BYTES,
    ) -> None:
        self._frame, self._boxes, self._size = frame, boxes, size
        self._cache = PictureCache(max_bytes)

    def outer(self, index: int) -> Picture:
        """Of the source frame with that number; nobody writes into it."""
        found = self._cache.get(index)
        if found is None:
            made = outer_crop(self._frame(index), box_of(self._boxes, index), self._size)
            found = self._cache.put(index, made)
        return found
