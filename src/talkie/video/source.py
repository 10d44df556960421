"""The source frames of an avatar: images or a video, one after another, forward and backward. Knows nothing of faces.

What was read last is kept, up to a bound of bytes; a video is read by `source_video.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from talkie.errors import BadAvatar
from talkie.types import Picture
from talkie.video.cache import PictureCache
from talkie.video.crop import resized
from talkie.video.headers import PICTURE_FORMATS

CACHE_BYTES = 256 * 1024 * 1024
"""Some ninety frames of 1280x720."""
MAX_FRAMES = 15_000
MAX_SIDE_PX = 4096


class Source(Protocol):
    """`count` frames of one size. Safe for threads."""

    @property
    def count(self) -> int: ...

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    def frame(self, index: int) -> Picture:
        """Nobody writes into it. Raises `BadAvatar` where it cannot be read."""
        ...

    def close(self) -> None: ...


def open_source(
    frames: Sequence[Path], *, is_video: bool, width: int = 0, height: int = 0, max_bytes: int = CACHE_BYTES
) -> Source:
    """Images in order, or one video. `width`, `height`: made to that size; 0: as they are. Raises `BadAvatar`."""
    if not frames:
        raise BadAvatar("frames", "there are none")
    if is_video:
        from talkie.video.source_video import VideoSource

        return VideoSource(frames[0], width, height, max_bytes)
    return ImageSource(frames, width, height, max_bytes)


def ping_pong(step: int, count: int) -> int:
    """Which of `count` frames is shown at that step: 0 1 2 … n-1 … 2 1 0 1 …"""
    if count < 2:
        return 0
    place = step % (2 * count - 2)
    return place if place < count else 2 * count - 2 - place


class ImageSource:
    """Pictures in files of their own, all of one size."""

    def __init__(self, paths: Sequence[Path], width: int = 0, height: int = 0, max_bytes: int = CACHE_BYTES) -> None:
        if len(paths) > MAX_FRAMES:
            raise BadAvatar("frames", f"there are {len(paths)}, and at most {MAX_FRAMES} are taken")
        self._paths = tuple(paths)
        self._native: tuple[int, int] | None = None
        self._cache = PictureCache(max_bytes)
        first = read_picture(paths[0])
        self._native = first.shape[1], first.shape[0]
        self.width, self.height = width or self._native[0], height or self._native[1]
        self._cache.put(0, resized(first, self.width, self.height))

    @property
    def count(self) -> int:
        return len(self._paths)

    def frame(self, index: int) -> Picture:
        found = self._cache.get(index)
        if found is None:
            read = read_picture(self._paths[index], self._native)
            found = self._cache.put(index, resized(read, self.width, self.height))
        return found

    def close(self) -> None:
        """Nothing is open."""


def read_picture(path: Path, size: tuple[int, int] | None = None) -> Picture:
    """B G R. `size`: the width and height it must have. Raises `BadAvatar`."""
    from PIL import Image

    try:
        with Image.open(path, formats=PICTURE_FORMATS) as image:
            check_size(path.name, image.size, size)
            return np.ascontiguousarray(np.asarray(image.convert("RGB"))[..., ::-1])
    except BadAvatar:
        raise
    except Exception as error:  # Pillow's readers raise whatever they like at what is damaged
        raise BadAvatar(path.name, f"it cannot be read as a picture ({type(error).__name__})") from error


def check_size(where: str, size: tuple[int, int], wanted: tuple[int, int] | None = None) -> None:
    """Raises `BadAvatar`."""
    if max(size) > MAX_SIDE_PX or min(size) < 1:
        raise BadAvatar(where, f"it is {size[0]}x{size[1]} pixels, and at most {MAX_SIDE_PX} a side are taken")
    if wanted is not None and size != wanted:
        raise BadAvatar(where, f"it is {size[0]}x{size[1]} pixels, and the first one {wanted[0]}x{wanted[1]}")
