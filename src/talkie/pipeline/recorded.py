"""A recording as speech with marks: its own sound, and the shapes of the mouth that go with it.

Speech is found by voice activity and heard phoneme by phoneme in pieces of a few seconds; between them the mouth is
shut, whatever music plays. Where phonemes are not to be had a piece has no marks, and faces follow its sound. Streams
in bounded memory. Knows nothing of files or faces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

import numpy as np

from talkie.audio.formats import AudioInfo
from talkie.audio.rate import RateChanger
from talkie.audio.segment import Segmenter, SegmentOptions
from talkie.engines.base import VoiceActivityDetector
from talkie.errors import EngineFailed
from talkie.text.visemes import viseme_marks
from talkie.types import SAMPLE_RATE_HZ, Audio, Mark, Samples, SpeechChunk

Phonemes: TypeAlias = Callable[[Audio], tuple[Mark, ...]]
"""Those of a piece at 16 kHz, at most `PIECE_S` long, at times of the whole recording. May raise `EngineFailed`."""

PIECE_S = 5.0
CHUNK_S = 0.5
LEAST_RATE_HZ, MOST_RATE_HZ = 8_000, 48_000
_SEGMENTING = SegmentOptions(min_silence_ms=300.0, pad_ms=150.0, max_seconds=PIECE_S)
_FEED = SAMPLE_RATE_HZ


def talk_rate(info: AudioInfo) -> int:
    """The rate at which a recording is handed on: its own, within bounds."""
    return min(max(info.sample_rate, LEAST_RATE_HZ), MOST_RATE_HZ)


def recorded(
    blocks: Iterable[Samples],
    sample_rate: int,
    *,
    detector: VoiceActivityDetector,
    phonemes: Phonemes | None = None,
    generation: int = 0,
) -> Iterator[SpeechChunk]:
    """Mono blocks of any length in, the same sound out in pieces of at most half a second, with viseme marks."""
    listener = _Listener(sample_rate, detector, phonemes, generation)
    for block in blocks:
        step = max(1, sample_rate)
        for at in range(0, len(block), step):
            yield from listener.feed(block[at : at + step])
    yield from listener.finish()


class _Listener:
    """Sound that is held until it is known what is said in it. Positions are samples at 16 kHz unless `own`."""

    def __init__(
        self, sample_rate: int, detector: VoiceActivityDetector, phonemes: Phonemes | None, generation: int
    ) -> None:
        self._rate, self._phonemes, self._generation = sample_rate, phonemes, generation
        self._to_speech = RateChanger(sample_rate, SAMPLE_RATE_HZ)
        self._activity, self._segmenter = detector.open(), Segmenter(_SEGMENTING)
        self._own, self._own_first = np.zeros(0, np.float32), 0
        self._speech, self._first = np.zeros(0, np.float32), 0

    def feed(self, block: Samples) -> Iterator[SpeechChunk]:
        self._own = np.concatenate([self._own, block])
        yield from self._hear(self._to_speech.feed(block))

    def finish(self) -> Iterator[SpeechChunk]:
        yield from self._hear(self._to_speech.finish())
        self._segmenter.feed(np.zeros(0, np.float32), self._activity.finish())
        for span in self._segmenter.finish():
            yield from self._span(_position(span.start_s), _position(span.end_s))
        yield from self._quiet(self._first + len(self._speech), last=True)

    def _hear(self, speech: Samples) -> Iterator[SpeechChunk]:
        self._speech = np.concatenate([self._speech, speech])
        for span in self._segmenter.feed(speech, self._activity.feed(speech)):
            yield from self._span(_position(span.start_s), _position(span.end_s))
        yield from self._quiet(self._segmenter.settled)

    def _span(self, start: int, end: int) -> Iterator[SpeechChunk]:
        yield from self._quiet(start)
        end = min(end, self._first + len(self._speech))
        if end > self._first:
            sound = self._speech[: end - self._first].copy()
            yield from self._chunks(end, self._visemes(Audio(sound, start_s=self._first / SAMPLE_RATE_HZ)))

    def _visemes(self, audio: Audio) -> Sequence[Mark]:
        """Nothing where no phoneme was found: the mouth then goes by the sound."""
        if self._phonemes is None:
            return ()
        try:
            heard = self._phonemes(audio)
        except EngineFailed:  # the face goes on, a little less well
            return ()
        start_s = audio.start_s
        local = [Mark(one.kind, one.text, one.start_s - start_s, one.end_s - start_s) for one in heard]
        visemes = viseme_marks(local, audio.duration_s)
        if all(one.text == "X" for one in visemes):
            return ()
        return [Mark("viseme", one.text, one.start_s + start_s, one.end_s + start_s, True) for one in visemes]

    def _quiet(self, until: int, *, last: bool = False) -> Iterator[SpeechChunk]:
        """Nobody speaks up to there."""
        until = min(until, self._first + len(self._speech))
        if until > self._first or last:
            shut = Mark("viseme", "X", self._first / SAMPLE_RATE_HZ, until / SAMPLE_RATE_HZ)
            yield from self._chunks(until, [shut] if until > self._first else [], last=last)

    def _chunks(self, until: int, marks: Sequence[Mark], *, last: bool = False) -> Iterator[SpeechChunk]:
        """Hand on the sound up to a position, each mark with the piece it begins in; `last`: all there is."""
        own_until = round(until * self._rate / SAMPLE_RATE_HZ)
        if last:
            own_until = self._own_first + len(self._own)
        self._speech, self._first = self._speech[until - self._first :].copy(), until
        count = min(max(0, own_until - self._own_first), len(self._own))
        sound, self._own = self._own[:count], self._own[count:].copy()
        step, waiting = round(CHUNK_S * self._rate), list(marks)
        for at in range(0, count, step):
            piece = sound[at : at + step]
            end_s = (self._own_first + at + len(piece)) / self._rate
            over = at + step >= count
            mine = waiting if over else [mark for mark in waiting if mark.start_s < end_s]
            waiting = waiting[len(mine) :]
            yield SpeechChunk(piece, self._rate, tuple(mine), self._generation)
        self._own_first += count


def _position(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE_HZ)
