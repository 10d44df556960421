"""The built-in English recogniser: PocketSphinx in worker processes, because it holds the GIL while it decodes.

It works at once and without a download, and it is no more than that: expect one word in four to be wrong in short
clean sentences and far more in conversation. Knows nothing of queues or files; `sphinx_decoder.py` is the other end.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from talkie.engines.asr.sphinx_pieces import quietest_sample
from talkie.engines.base import Partial, RecognizeOptions, RecognizerInfo
from talkie.engines.workers import WorkerPool, WorkerSpec
from talkie.errors import EngineFailed, UnsupportedByModel
from talkie.text.compression import compression_ratio
from talkie.types import SAMPLE_RATE_HZ, Audio, Mark, Notice, Samples, Segment, Transcript, Word

NAME = "sphinx-en"
FRAME_S = 0.01
MAX_SECONDS = 30.0
_SLACK_S = 2.0
_ARENA_BYTES = int((MAX_SECONDS + _SLACK_S) * SAMPLE_RATE_HZ) * 4
_TASK = "talkie.engines.asr.sphinx_decoder:SphinxTask"
_PATIENCE = 10.0  # processor seconds a second of sound are 0.2 to 0.8; a busy machine may take ten times as long
_OPEN_WAIT_S = 1.0


class SphinxRecognizer:
    """Recogniser and streaming recogniser. The first process starts with the constructor and loads behind it.

    Up to `workers` items are decoded at once. Streams have processes of their own, started with the first one, so
    that a live session and a file never wait for each other; the same number may be open at once.
    """

    def __init__(self, *, workers: int = 1) -> None:
        self._workers = max(1, workers)
        self._lock = threading.Lock()
        self._pool = WorkerPool(self._spec(live=False), workers=self._workers)
        self._live: WorkerPool | None = None
        self._info = RecognizerInfo(
            name=NAME,
            engine="sphinx",
            languages=("en",),
            max_seconds=MAX_SECONDS,
            workers=self._workers,
            partials=True,
            interruptible=True,
            compute_type="int8",
        )

    @property
    def info(self) -> RecognizerInfo:
        return self._info

    def ready(self) -> bool:
        """Has a process loaded its model? Does not wait."""
        return self._pool.ready()

    def batch_key(self, audio: Audio, options: RecognizeOptions) -> Hashable:
        """Raises `UnsupportedByModel` for another language or for translation."""
        check(options)
        return options

    def recognize(self, batch: Sequence[Audio], options: Sequence[RecognizeOptions]) -> list[Transcript]:
        """One transcript for each item; empty for silence, for less than 0.1 s and for nothing at all.

        Raises `UnsupportedByModel` for another language or for translation, `EngineFailed`.
        """
        notices = [check(one) for one in options]
        items = list(zip(batch, options, notices, strict=True))
        return self._pool.map(lambda item: self._recognize(*item), items)

    def phonemes(self, audio: Audio) -> tuple[Mark, ...]:
        """ARPAbet phonemes (`HH AH L OW`, and `SIL`) with original times: what a mouth does, for any recording."""
        reply = self._pool.call("phonemes", {}, self._samples(audio), timeout_s=self._timeout_s(audio))
        return tuple(
            Mark("phoneme", word.text, word.start_s, word.end_s) for word in to_words(reply.values["phonemes"], audio)
        )

    def open(self, options: RecognizeOptions) -> SphinxStream:
        """Hear one utterance as it comes. Raises `QueueFull` when all stream processes are taken."""
        check(options)
        with self._lock:
            if self._live is None:
                self._live = WorkerPool(self._spec(live=True), workers=self._workers)
        return SphinxStream(self, self._live, options)

    def close(self) -> None:
        with self._lock:
            for pool in (self._pool, self._live):
                if pool is not None:
                    pool.close()

    @staticmethod
    def _spec(*, live: bool) -> WorkerSpec:
        return WorkerSpec("sphinx", _TASK, {"live": live}, arena_bytes=_ARENA_BYTES)

    def _recognize(self, audio: Audio, options: RecognizeOptions, notices: tuple[Notice, ...]) -> Transcript:
        reply = self._pool.call("recognize", {}, self._samples(audio), timeout_s=self._timeout_s(audio))
        segments = (to_segment(piece, audio, words=options.words) for piece in reply.values["pieces"])
        return Transcript(
            segments=tuple(segments),
            language="en",
            duration_s=audio.duration_s,
            model=NAME,
            decoded_until_s=audio.end_s,
            notices=notices,
        )

    def _timeout_s(self, audio: Audio) -> float:
        return 30.0 + _PATIENCE * audio.duration_s

    @staticmethod
    def _samples(audio: Audio) -> Samples:
        if audio.sample_rate != SAMPLE_RATE_HZ or audio.duration_s > MAX_SECONDS + _SLACK_S:
            raise EngineFailed("sphinx", f"it hears {MAX_SECONDS:g} s at {SAMPLE_RATE_HZ} Hz at most")
        return np.ascontiguousarray(audio.samples, dtype=np.float32)


class SphinxStream:
    """One utterance fed in pieces of any length. Partials come from a light decoder; what is final was heard twice.

    After `longest_s` without an end what was said so far is made final at its quietest moment, so that memory and
    work stay bounded however long somebody talks.
    """

    longest_s = MAX_SECONDS

    def __init__(self, recognizer: SphinxRecognizer, pool: WorkerPool, options: RecognizeOptions) -> None:
        self._recognizer = recognizer
        self._options = options
        self._stack = ExitStack()
        self._lease = self._stack.enter_context(pool.lease(wait_s=_OPEN_WAIT_S))
        self._heard: list[Samples] = []
        self._start_s = 0.0
        self._seconds = 0.0
        self._final: list[Segment] = []
        self._last = ""
        try:
            self._lease.ask("begin", {"fresh": True})
        except BaseException:
            self._stack.close()
            raise

    def feed(self, samples: Samples) -> Partial | None:
        """Hear more, mono float32 at 16 kHz. A partial when the guess has changed, a final one when it is settled."""
        step = SAMPLE_RATE_HZ  # so that a buffer is never more than a second longer than `longest_s`
        pieces = (samples[at : at + step] for at in range(0, len(samples), step))
        guesses = [self._feed(np.ascontiguousarray(piece, dtype=np.float32)) for piece in pieces]
        settled = [guess.segment for guess in guesses if guess is not None and guess.final]
        if settled:
            return Partial(joined(settled), final=True)
        return next((guess for guess in reversed(guesses) if guess is not None), None)

    def finish(self) -> Transcript:
        """The whole utterance, decoded again with all it has. Closes the stream."""
        try:
            if self._seconds:
                self._settle(self._audio())
        finally:
            self.close()
        return Transcript(
            segments=tuple(self._final),
            language="en",
            duration_s=self._start_s + self._seconds,
            model=NAME,
            decoded_until_s=self._start_s + self._seconds,
        )

    def close(self) -> None:
        """Give the process back. Can be called again."""
        self._stack.close()
        self._heard.clear()

    def _feed(self, samples: Samples) -> Partial | None:
        self._heard.append(samples)
        self._seconds += len(samples) / SAMPLE_RATE_HZ
        guess = self._lease.ask("feed", {}, samples).values["words"]
        if self._seconds >= self.longest_s:
            return self._roll()
        text = " ".join(word[0] for word in guess)
        if text == self._last:
            return None
        self._last = text
        return Partial(to_segment(guess, self._audio(), words=True))

    def _roll(self) -> Partial | None:
        """Make all but the newest sound final and go on with the rest."""
        audio = self._audio()
        cut = quietest_sample(audio.samples, len(audio.samples) * 2 // 3, len(audio.samples))
        settled = self._settle(Audio(audio.samples[:cut], SAMPLE_RATE_HZ, audio.start_s))
        rest = audio.samples[cut:].copy()
        self._heard, self._seconds = [rest], len(rest) / SAMPLE_RATE_HZ
        self._start_s = audio.start_s + cut / SAMPLE_RATE_HZ
        self._last = ""
        self._lease.ask("begin")
        self._lease.ask("feed", {}, rest)
        return Partial(joined(settled), final=True) if settled else None

    def _settle(self, audio: Audio) -> Sequence[Segment]:
        """Decode carefully what was only guessed at so far."""
        [transcript] = self._recognizer.recognize([audio], [self._options])
        self._final.extend(transcript.segments)
        return transcript.segments

    def _audio(self) -> Audio:
        self._heard = [np.concatenate(self._heard)]
        return Audio(self._heard[0], SAMPLE_RATE_HZ, self._start_s)


def check(options: RecognizeOptions) -> tuple[Notice, ...]:
    """What the options ask for and this engine cannot do: an error, or a notice where it is only a hint."""
    if options.language not in (None, "", "en"):
        raise UnsupportedByModel("language", f"{NAME} hears English only, not {options.language!r}.")
    if options.task != "transcribe":
        raise UnsupportedByModel("task", f"{NAME} cannot translate.")
    if options.prompt or options.hotwords:
        return (Notice("prompt_ignored", f"{NAME} does not use prompts or hotwords."),)
    return ()


def to_words(rows: Iterable[Sequence[Any]], audio: Audio) -> Iterator[Word]:
    """Words in original time from `(text, first frame, last frame, probability)` rows."""
    for text, first, last, probability in rows:
        start_s, end_s = (min(audio.start_s + frame * FRAME_S, audio.end_s) for frame in (first, last + 1))
        yield Word(text, start_s, end_s, probability)


def to_segment(piece: Iterable[Sequence[Any]], audio: Audio, *, words: bool) -> Segment:
    """A segment in original time; `words` says whether it carries them."""
    heard = tuple(to_words(piece, audio))
    text = " ".join(word.text for word in heard)
    return Segment(
        text=text,
        start_s=heard[0].start_s if heard else audio.start_s,
        end_s=heard[-1].end_s if heard else audio.end_s,
        words=heard if words else (),
        avg_logprob=sum(math.log(max(word.probability, 1e-6)) for word in heard) / len(heard) if heard else 0.0,
        compression_ratio=compression_ratio(text),
    )


def joined(segments: Sequence[Segment]) -> Segment:
    """Several segments as one; the log probability is the mean over their words, silent ones count for nothing."""
    text = " ".join(segment.text for segment in segments)
    weights = [len(segment.text.split()) for segment in segments]
    return Segment(
        text=text,
        start_s=segments[0].start_s,
        end_s=segments[-1].end_s,
        words=tuple(word for segment in segments for word in segment.words),
        avg_logprob=sum(s.avg_logprob * weight for s, weight in zip(segments, weights, strict=True)) / sum(weights),
        compression_ratio=compression_ratio(text),
    )
