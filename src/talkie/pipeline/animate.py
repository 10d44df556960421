"""Speech and a face to one moving picture: pieces that hold a stretch of sound and the frames that begin in it.

    pieces of sound -> 16 kHz -> the face's line -> frames, put beside their own sound, on one clock from 0

Knows nothing of how the face is made, of codecs or of who asked. The sound is made in one thread, the face works in
another and whoever takes the pieces encodes them in a third, so that none waits for the work of the others; each is a
bounded way ahead, whatever the length of the speech.
"""

from __future__ import annotations

import bisect
import math
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from typing import Protocol, TypeVar

import numpy as np

from talkie.audio.rate import RateChanger
from talkie.errors import Cancelled, EmptyAudio
from talkie.pipeline.ahead import Ahead
from talkie.pipeline.faces import Face, FaceLine, frames_of
from talkie.types import SAMPLE_RATE_HZ, FaceChunk, Mark, Picture, Samples, SpeechChunk, VideoFrame

T = TypeVar("T")

LONGEST_S = 0.2
"""Of a piece. The first has one frame, the next ones twice as many each."""
FEED_S = 4.0
"""Of sound given to the line at once, at most: all that is ready, so that a network gets full batches."""
AHEAD_S = 0.4
_POLL_S = 0.05
_LEAST_S = 0.01


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
    closed in the end. `line` is used in place of one that `face` opens, and stays open; who
    drops it meanwhile sets `cancel` first.

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


def _taken(ahead: Ahead[T], cancel: Cancel) -> Iterator[T]:
    """As iterating over it, but that a cancelled wait is noticed."""
    while True:
        cancel.check()
        with ahead.changed:
            ahead.changed.wait_for(lambda: len(ahead) or ahead.ended, timeout=_POLL_S)
            ended = ahead.ended
            taken = [ahead.take()] if len(ahead) else []
        yield from taken
        if ended and not taken:
            ahead.raise_error()
            return


def _made(sound: Iterable[SpeechChunk], line: FaceLine, fps: float, cancel: Cancel) -> Iterator[FaceChunk]:
    """All pieces, in order; runs in the thread of `Ahead`."""
    pieces, ears = FacePieces(fps), Ears()
    with Ahead(iter(sound), _sound_seconds, FEED_S) as hearing:
        for chunks in _ready(hearing, cancel):
            heard = [np.zeros(0, np.float32)]
            for chunk in chunks:
                pieces.add(chunk)
                heard.append(ears.hear(chunk))
            visemes = [mark for chunk in chunks for mark in chunk.marks if mark.kind == "viseme"]
            for samples in _in_feeds(np.concatenate(heard)):
                cancel.check()  # a line that was told to drop what it had would begin anew
                yield from pieces.show(line.feed(samples, visemes))
                visemes = []
    if not pieces.samples:
        raise EmptyAudio
    cancel.check()
    yield from pieces.show(line.feed(ears.rest(fps)))
    cancel.check()
    yield from pieces.finish(line.finish())


def _ready(hearing: Ahead[SpeechChunk], cancel: Cancel) -> Iterator[list[SpeechChunk]]:
    """At least one piece each time, and all others that are there, up to `FEED_S`."""
    for chunk in _taken(hearing, cancel):
        chunks, seconds = [chunk], _sound_seconds(chunk)
        while len(hearing) and seconds < FEED_S:
            chunks.append(hearing.take())
            seconds += _sound_seconds(chunks[-1])
        yield chunks


def _in_feeds(samples: Samples) -> Iterator[Samples]:
    """At least one, which may be empty: there may be marks without sound."""
    step = round(FEED_S * SAMPLE_RATE_HZ)
    for start in range(0, max(1, len(samples)), step):
        yield samples[start : start + step]


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


def _seconds(chunk: FaceChunk) -> float:
    return len(chunk.frames) / chunk.fps


def _sound_seconds(chunk: SpeechChunk) -> float:
    """Pieces without sound weigh a little too, so that there are never many."""
    return max(_LEAST_S, len(chunk.samples) / chunk.sample_rate)
