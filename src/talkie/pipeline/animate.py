"""Speech and a face to one moving picture: pieces that hold a stretch of sound and the frames that begin in it.

    pieces of sound -> 16 kHz -> the face's line -> frames, put beside their own sound, on one clock from 0

Knows nothing of how the face is made, of codecs or of who asked. The face works in a thread of its own, a little way
ahead of whoever takes the pieces, so that encoding them does not make it wait. Whatever the length of the speech, what
is held is the sound that waits for its frames, and `ahead_s` of pieces.
"""

from __future__ import annotations

import bisect
import math
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from typing import Protocol

import numpy as np

from talkie.audio.rate import RateChanger
from talkie.errors import Cancelled, EmptyAudio
from talkie.pipeline.ahead import Ahead
from talkie.pipeline.faces import Face, FaceLine, frames_of
from talkie.types import SAMPLE_RATE_HZ, FaceChunk, Mark, Picture, Samples, SpeechChunk, VideoFrame

LONGEST_S = 0.2
"""Of a piece. The first has one frame, the next ones twice as many each."""
FEED_S = 2.0
"""Of sound given to the line at once: enough for full batches, and little enough to stop soon."""
AHEAD_S = 0.4
_POLL_S = 0.05


class Cancel(Protocol):
    """The caller's flag; `cancel` is called when the pieces are left before their end."""

    @property
    def cancelled(self) -> bool: ...

    def cancel(self) -> None: ...

    def check(self) -> None: ...


def animate(
    sound: Iterable[SpeechChunk], face: Face, cancel: Cancel, *, ahead_s: float = AHEAD_S, line: FaceLine | None = None
) -> Generator[FaceChunk, None, None]:
    """`sound` is one utterance: pieces of any length, of one rate and one generation, their marks in order; it is
    closed in the end. `line` is used in place of one that `face` opens, and stays open.

    The pieces hold every sample once, `frames_of` frames in all, and each mark where it begins. Raises `EmptyAudio`,
    `Cancelled`, and what the sound and the face raise. Leaving the generator sets `cancel`.
    """
    own = face.open() if line is None else line
    finished = False
    with ExitStack() as stack:
        if line is None:
            stack.callback(own.close)
        ahead = stack.enter_context(Ahead(_made(sound, own, face.info.fps, cancel), _seconds, ahead_s))
        try:
            yield from _taken(ahead, cancel)
            finished = True
        finally:
            if not finished:
                cancel.cancel()  # before `ahead` waits for its thread, which may wait for the sound or the face
                own.drop()


def _taken(ahead: Ahead[FaceChunk], cancel: Cancel) -> Iterator[FaceChunk]:
    """As iterating over it, but that a cancelled wait is noticed."""
    while True:
        cancel.check()
        with ahead.changed:
            ahead.changed.wait_for(lambda: len(ahead) or ahead.ended, timeout=_POLL_S)
            chunk = ahead.take() if len(ahead) else None
            ended = chunk is None and ahead.ended
        if chunk is not None:
            yield chunk
        elif ended:
            ahead.raise_error()
            return


def _made(sound: Iterable[SpeechChunk], line: FaceLine, fps: float, cancel: Cancel) -> Iterator[FaceChunk]:
    """All pieces, in order; runs in the thread of `Ahead`."""
    pieces, ears = FacePieces(fps), Ears(fps)
    with ExitStack() as stack:
        stack.callback(getattr(sound, "close", _nothing))
        for chunk in sound:
            cancel.check()
            pieces.add(chunk)
            visemes = [mark for mark in chunk.marks if mark.kind == "viseme"]
            for samples in ears.hear(chunk):
                yield from pieces.show(line.feed(samples, visemes))
                visemes = []
            if visemes:  # the resampler kept all of a short piece back
                yield from pieces.show(line.feed(np.zeros(0, np.float32), visemes))
        if not pieces.samples:
            raise EmptyAudio
        cancel.check()
        yield from pieces.show(line.feed(ears.rest()))
        yield from pieces.finish(line.finish())


class Ears:
    """Sound as a line hears it: 16 kHz, in pieces of at most `FEED_S`, as many frames long as the sound itself."""

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._changer: RateChanger | None = None
        self._rate = 0
        self._taken = self._given = 0

    def hear(self, chunk: SpeechChunk) -> Iterator[Samples]:
        """Raises `ValueError` where the rate changes."""
        if self._changer is None:
            self._changer, self._rate = RateChanger(chunk.sample_rate, SAMPLE_RATE_HZ), chunk.sample_rate
        if chunk.sample_rate != self._rate:
            raise ValueError("the rate of an utterance changes midway")
        self._taken += len(chunk.samples)
        step = round(FEED_S * self._rate)
        for start in range(0, len(chunk.samples), step):
            heard = self._changer.feed(chunk.samples[start : start + step])
            self._given += len(heard)
            if len(heard):
                yield heard

    def rest(self) -> Samples:
        """What the resampler kept back, made to end in the frame in which the sound ends: it may be off by a sample,
        and that sample may be the one that makes a frame."""
        kept = self._changer.finish() if self._changer is not None else np.zeros(0, np.float32)
        frames = int(self._taken / max(1, self._rate) * self._fps + 1e-6)
        least = math.ceil(frames / self._fps * SAMPLE_RATE_HZ - 1e-6)
        most = math.ceil((frames + 1) / self._fps * SAMPLE_RATE_HZ - 1e-6) - 1
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


def _nothing() -> None:
    """A list has nothing to be closed."""


def _start(mark: Mark) -> float:
    return mark.start_s


def _seconds(chunk: FaceChunk) -> float:
    return len(chunk.frames) / chunk.fps
