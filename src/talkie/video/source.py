"""The source frames of an avatar: images or a video, one after another, forward and backward. Knows nothing of faces.

What was read last is kept, up to a bound of bytes. A video is never unpacked whole: its packets are listed once, and a
frame that is not kept is found by going back to the key frame before it. Backward that would mean to decode the same
stretch for each frame, so what is decoded on the way is kept too.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from talkie.errors import BadAvatar
from talkie.types import Picture
from talkie.video.cache import PictureCache
from talkie.video.crop import resized
from talkie.video.headers import PICTURE_FORMATS, open_video

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
            _check_size(path.name, image.size, size)
            return np.ascontiguousarray(np.asarray(image.convert("RGB"))[..., ::-1])
    except BadAvatar:
        raise
    except Exception as error:  # Pillow's readers raise whatever they like at what is damaged
        raise BadAvatar(path.name, f"it cannot be read as a picture ({type(error).__name__})") from error


def _check_size(where: str, size: tuple[int, int], wanted: tuple[int, int] | None = None) -> None:
    if max(size) > MAX_SIDE_PX or min(size) < 1:
        raise BadAvatar(where, f"it is {size[0]}x{size[1]} pixels, and at most {MAX_SIDE_PX} a side are taken")
    if wanted is not None and size != wanted:
        raise BadAvatar(where, f"it is {size[0]}x{size[1]} pixels, and the first one {wanted[0]}x{wanted[1]}")


class VideoSource:
    """The frames of a video file, by their time stamps."""

    def __init__(self, path: Path, width: int = 0, height: int = 0, max_bytes: int = CACHE_BYTES) -> None:
        self._name = path.name
        self._lock = threading.Lock()
        self._cache = PictureCache(max_bytes)
        self._decoding: Iterator[Any] | None = None
        self._next = 0
        self._file = path.open("rb")
        try:
            self._open()
        except BaseException:
            self._file.close()
            raise
        self._native = self._context.width, self._context.height
        self.width, self.height = width or self._native[0], height or self._native[1]

    def _open(self) -> None:
        with _as_bad_avatar(self._name):
            self._container = open_video(self._file)
            if not self._container.streams.video:
                raise BadAvatar(self._name, "it has no pictures")
            self._stream = self._container.streams.video[0]
            self._context = self._stream.codec_context
            self._context.thread_count = 1
            _check_size(self._name, (self._context.width, self._context.height))
            self._list()

    def _list(self) -> None:
        """Time stamps of all frames and of the key frames, without decoding any."""
        stamps, keys = [], []
        for packet in self._container.demux(self._stream):
            if packet.pts is None or not packet.size:
                continue
            stamps.append(packet.pts)
            keys += [packet.pts] if packet.is_keyframe else []
            if len(stamps) > MAX_FRAMES:
                raise BadAvatar(self._name, f"it has more than {MAX_FRAMES} frames")
        if not stamps or not keys:
            raise BadAvatar(self._name, "it has no frames with a time")
        self._stamps, self._keys = sorted(stamps), sorted(keys)
        self._places = {stamp: place for place, stamp in enumerate(self._stamps)}

    @property
    def count(self) -> int:
        return len(self._stamps)

    def frame(self, index: int) -> Picture:
        found = self._cache.get(index)
        if found is not None:
            return found
        with self._lock, _as_bad_avatar(self._name):
            found = self._cache.get(index)  # somebody else may have decoded it meanwhile
            return self._decode_to(index) if found is None else found

    def _decode_to(self, index: int) -> Picture:
        if self._decoding is None or not self._near(index):
            key = self._keys[max(0, bisect_right(self._keys, self._stamps[index]) - 1)]
            self._container.seek(key, stream=self._stream)
            self._decoding = self._container.decode(self._stream)
        for frame in self._decoding:
            place = self._places.get(frame.pts)
            if place is None:
                continue
            self._next = place + 1
            if frame.width != self._native[0] or frame.height != self._native[1]:
                raise BadAvatar(self._name, f"the size of its frames changes at frame {place}")
            picture = resized(frame.to_ndarray(format="bgr24"), self.width, self.height)
            self._cache.put(place, picture)
            if place == index:
                return picture
            if place > index:
                break
        self._decoding = None
        raise BadAvatar(self._name, f"its frame {index} cannot be decoded")

    def _near(self, index: int) -> bool:
        """Is it shorter to go on than to go back to a key frame?"""
        if index < self._next:
            return False
        between = bisect_right(self._keys, self._stamps[index]) - bisect_right(self._keys, self._stamps[self._next])
        return between == 0

    def close(self) -> None:
        with self._lock:
            self._decoding = None
            self._container.close()
            self._file.close()


@contextmanager
def _as_bad_avatar(name: str) -> Iterator[None]:
    """What PyAV raises becomes an error of ours."""
    try:
        yield
    except BadAvatar:
        raise
    except Exception as error:
        raise BadAvatar(name, f"it cannot be read as a video ({type(error).__name__})") from error
