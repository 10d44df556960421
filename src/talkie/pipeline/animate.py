"""Speech and a face to one moving picture: pieces that hold a stretch of sound and the frames that begin in it.

    pieces of sound -> 16 kHz -> the face's line -> frames, put beside their own sound, on one clock from 0

Knows nothing of how the face is made, of codecs or of who asked. The sound is made in one thread, the face works in
another and whoever takes the pieces encodes them in a third, so that none waits for the work of the others; each is a
bounded way ahead, whatever the length of the speech.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from typing import Protocol, TypeVar

import numpy as np

from talkie.errors import EmptyAudio
from talkie.pipeline.ahead import Ahead
from talkie.pipeline.face_pieces import Ears, FacePieces
from talkie.pipeline.faces import Face, FaceLine
from talkie.types import SAMPLE_RATE_HZ, FaceChunk, Samples, SpeechChunk

T = TypeVar("T")

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


def _seconds(chunk: FaceChunk) -> float:
    return len(chunk.frames) / chunk.fps


def _sound_seconds(chunk: SpeechChunk) -> float:
    """Pieces without sound weigh a little too, so that there are never many."""
    return max(_LEAST_S, len(chunk.samples) / chunk.sample_rate)
