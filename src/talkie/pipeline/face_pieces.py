"""Sound and the frames that begin in it, put together into pieces; and sound as a face hears it.

Exact: every sample comes out once, frame i begins at sample `round(i / fps * rate)`, and there are as many frames as
the sound itself has, whatever its rate. Knows nothing of threads, or of how frames are made.
"""

from __future__ import annotations

import bisect
import math
from collections import deque
from collections.abc import Iterator

import numpy as np

from talkie.audio.rate import RateChanger
from talkie.errors import Cancelled
from talkie.pipeline.faces import frames_of
from talkie.types import SAMPLE_RATE_HZ, FaceChunk, Mark, Picture, Samples, SpeechChunk, VideoFrame

LONGEST_S = 0.2
"""Of a piece. The first has one frame, the next ones twice as many each."""


class Ears:
    """Sound as a line hears it: 16 kHz, and as many frames long as the sound itself."""

    def __init__(self) -> None:
        self._changer: RateChanger | None = None
        self._rate = 0
        self._taken = self._given = 0

    def hear(self, chunk: SpeechChunk) -> Samples:
        """Raises `ValueError` where the rate changes."""
        if self._changer is None:
            self._changer, self._rate = RateChanger(chunk.sample_rate, SAMPLE_RATE_HZ), chunk.sample_rate
        if chunk.sample_rate != self._rate:
            raise ValueError("the rate of an utterance changes midway")
        heard = self._changer.feed(chunk.samples)
        self._taken += len(chunk.samples)
        self._given += len(heard)
        return heard

    def rest(self, fps: float) -> Samples:
        """What the resampler kept back, made to end in the frame in which the sound ends: it may be off by a sample,
        and that sample may be the one that makes a frame."""
        kept = self._changer.finish() if self._changer is not None else np.zeros(0, np.float32)
        frames = int(self._taken / max(1, self._rate) * fps + 1e-6)
        least = math.ceil(frames / fps * SAMPLE_RATE_HZ - 1e-6)
        most = math.ceil((frames + 1) / fps * SAMPLE_RATE_HZ - 1e-6) - 1
        wanted = min(max(self._given + len(kept), least), most) - self._given
        kept = kept[: max(0, wanted)]
        return np.concatenate([kept, np.zeros(max(0, wanted - len(kept)), np.float32)])


class FacePieces:
    """Sound that waits for its frames, and frames put beside it. Exact: frame i begins at sample `round(i/fps * rate)`
    and the last piece has all the rest."""

    def __init__(self, fps: float) -> None:
        self.samples = 0  # taken in all
        self._fps = fps
        self._rate = self._generation = 0
        self._waiting: deque[Samples] = deque()
        self._given = 0  # samples
        self._marks: list[Mark] = []
        self._frames: list[VideoFrame] = []
        self._index = 0  # of the next frame
        self._size = 1

    def add(self, chunk: SpeechChunk) -> None:
        self._rate, self._generation = chunk.sample_rate, chunk.generation
        self.samples += len(chunk.samples)
        if len(chunk.samples):
            self._waiting.append(chunk.samples)
        for mark in chunk.marks:
            bisect.insort(self._marks, mark, key=_start)

    def show(self, pictures: Iterator[Picture]) -> Iterator[FaceChunk]:
        """The pieces that are whole."""
        for picture in pictures:
            self._frames.append(VideoFrame(picture, self._index, self._generation))
            self._index += 1
            if len(self._frames) >= self._size and self._end() <= self.samples:
                yield self._piece(self._end())

    def finish(self, pictures: Iterator[Picture]) -> Iterator[FaceChunk]:
        """The rest. The very last piece also holds the sound after the last whole frame, so one frame waits for it."""
        frames = frames_of(self.samples / self._rate, self._fps)
        for picture in pictures:
            if self._index < frames:
                if len(self._frames) >= self._size:
                    yield self._piece(self._end())
                self._frames.append(VideoFrame(picture, self._index, self._generation))
                self._index += 1
        if self._index < frames:  # the line was told to drop it
            raise Cancelled
        yield self._piece(self.samples)

    def _end(self) -> int:
        """The sample at which the next frame begins."""
        return round(self._index / self._fps * self._rate)

    def _piece(self, end: int) -> FaceChunk:
        samples, start_s = self._cut(end - self._given), self._given / self._rate
        until = len(self._marks)
        if end < self.samples:
            until = bisect.bisect_left(self._marks, end / self._rate, key=_start)
        self._given = end
        marks, self._marks = tuple(self._marks[:until]), self._marks[until:]
        frames, self._frames = tuple(self._frames), []
        self._size = min(self._size * 2, max(1, int(LONGEST_S * self._fps + 1e-6)))
        return FaceChunk(samples, self._rate, frames, start_s, self._fps, marks, self._generation)

    def _cut(self, length: int) -> Samples:
        """The first samples of those that wait."""
        taken: list[Samples] = []
        while length > 0:
            first = self._waiting.popleft()
            taken.append(first[:length])
            if len(first) > length:
                self._waiting.appendleft(first[length:])
            length -= len(taken[-1])
        return np.concatenate(taken) if taken else np.zeros(0, np.float32)


def _start(mark: Mark) -> float:
    return mark.start_s
