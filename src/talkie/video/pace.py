"""What every writer of films asks of the chunks that it is given. Knows nothing of codecs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from talkie.errors import VideoFailed
from talkie.types import FaceChunk, VideoFrame

MAX_EARLY_S = 10.0
"""How much sound may come before the first picture; it must be held until the size of the film is known."""


class Pace:
    """Sees that chunks are of one film, and holds sound that comes before the first frame.

    Frames are numbered from the first one's on: it is shown at 0.
    """

    def __init__(self) -> None:
        self._first: VideoFrame | None = None
        self._early: list[FaceChunk] = []
        self._fps = 0.0

    def take(self, chunk: FaceChunk) -> FaceChunk:
        """The chunk to write now; an empty one while nothing can be. Raises `VideoFailed`."""
        if self._first is None:
            if not chunk.frames:
                return self._hold(chunk)
            self._first, self._fps = chunk.frames[0], chunk.fps
            chunk = self._joined(chunk)
        if chunk.fps != self._fps:
            raise VideoFailed("its frames change their rate.")
        if any(frame.image.shape != self._first.image.shape for frame in chunk.frames):
            raise VideoFailed("its pictures are not all of one size.")
        first = self._first.index
        return replace(chunk, frames=tuple(replace(frame, index=frame.index - first) for frame in chunk.frames))

    def finish(self) -> None:
        """Raises `VideoFailed` where there never was a picture."""
        if self._first is None:
            raise VideoFailed("there is no picture to show.")

    def _hold(self, chunk: FaceChunk) -> FaceChunk:
        self._early.append(chunk)
        if sum(len(early.samples) / early.sample_rate for early in self._early) > MAX_EARLY_S:
            raise VideoFailed("its sound begins long before its pictures.")
        return replace(chunk, samples=chunk.samples[:0])

    def _joined(self, chunk: FaceChunk) -> FaceChunk:
        early, self._early = self._early, []
        if any(held.sample_rate != chunk.sample_rate for held in early):
            raise VideoFailed("its sound changes its rate.")
        return replace(chunk, samples=np.concatenate([*(held.samples for held in early), chunk.samples]))
