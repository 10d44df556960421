"""The frames of a video file as the source frames of an avatar. Knows nothing of faces.

A video is never unpacked whole: its packets are listed once, and a frame that is not kept is found by going back to the
key frame before it. Backward that would mean to decode the same stretch for each frame, so what is decoded on the way
is kept too.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from talkie.errors import BadAvatar
from talkie.types import Picture
from talkie.video.cache import PictureCache
from talkie.video.crop import resized
from talkie.video.headers import open_video
from talkie.video.source import CACHE_BYTES, MAX_FRAMES, check_size


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
            check_size(self._name, (self._context.width, self._context.height))
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
