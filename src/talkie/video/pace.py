"""What every writer of films asks of the chunks that it is given. Knows nothing of codecs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from talkie.errors import VideoFailed
from talkie.types import FaceChunk, VideoFrame

MAX_GAP_S = 10.0
"""How much sound may come before the first picture, which must be held until the size of the film is known; and how
long one picture may stand where frames were left out."""


class Pace:
    """Sees that chunks are of one film, and holds sound that comes before the first frame.

    Frames come out without a gap, the last one again where some were left out, numbered from the first one's on: that
    is shown at 0.
    """

    def __init__(self) -> None:
        self._last: VideoFrame | None = None
        self._early: list[FaceChunk] = []
        self._first = 0
        self._fps = 0.0

    def take(self, chunk: FaceChunk) -> FaceChunk:
        """The chunk to write now; an empty one while nothing can be. Raises `VideoFailed`."""
        if self._last is None:
            if not chunk.frames:
                return self._hold(chunk)
            self._first, self._fps = chunk.frames[0].index, chunk.fps
            chunk = self._joined(chunk)
        if chunk.fps != self._fps:
            raise VideoFailed("its frames change their rate.")
        return replace(chunk, frames=tuple(shown for frame in chunk.frames for shown in self._filled(frame)))

    def finish(self) -> None:
        """Raises `VideoFailed` where there never was a picture."""
        if self._last is None:
            raise VideoFailed("there is no picture to show.")

    def _filled(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        frame = replace(frame, index=frame.index - self._first)
        last, self._last = self._last, frame
        if last is not None:
            if frame.image.shape != last.image.shape:
                raise VideoFailed("its pictures are not all of one size.")
            if not 0 < frame.index - last.index <= max(1, MAX_GAP_S * self._fps):
                raise VideoFailed("its pictures are not in order.")
            yield from (replace(last, index=index) for index in range(last.index + 1, frame.index))
        yield frame

    def _hold(self, chunk: FaceChunk) -> FaceChunk:
        self._early.append(chunk)
        if sum(len(early.samples) / early.sample_rate for early in self._early) > MAX_GAP_S:
            raise VideoFailed("its sound begins long before its pictures.")
        return replace(chunk, samples=chunk.samples[:0])

    def _joined(self, chunk: FaceChunk) -> FaceChunk:
        early, self._early = self._early, []
        if any(held.sample_rate != chunk.sample_rate for held in early):
            raise VideoFailed("its sound changes its rate.")
        return replace(chunk, samples=np.concatenate([*(held.samples for held in early), chunk.samples]))
