"""Engines for unit tests: they hear what they are told to, and write down what they were asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from talkie.engines.base import RecognizeOptions, Recognizer, RecognizerInfo
from talkie.types import SAMPLE_RATE_HZ, Audio, Samples, Segment, Span, Transcript

Hear = Callable[[Audio, RecognizeOptions], Transcript]

FAKE_INFO = RecognizerInfo("fake", "fake", ("en", "de"), tasks=("transcribe", "translate"), max_batch=4)


def heard(audio: Audio, *texts: str, until_s: float | None = None, **values: float) -> Transcript:
    """`texts` spread evenly from the start of the audio to `until_s` (default: its end)."""
    end_s = audio.end_s if until_s is None else until_s
    step_s = (end_s - audio.start_s) / max(1, len(texts))
    segments = tuple(
        Segment(text, audio.start_s + place * step_s, audio.start_s + (place + 1) * step_s, **values)
        for place, text in enumerate(texts)
    )
    return Transcript(segments, "en", 0.9, audio.duration_s, decoded_until_s=end_s)


def hear_its_place(audio: Audio, options: RecognizeOptions) -> Transcript:
    """Every window says where it begins: `at 12.5`."""
    return heard(audio, f"at {audio.start_s:g}")


@dataclass
class FakeRecognizer:
    """A recogniser of one function. `gate` unset holds every batch until it is set; `batches` is what came.

    Items with equal options share a batch; `options` are those of each batch's first item.
    """

    hear: Hear = hear_its_place
    info: RecognizerInfo = FAKE_INFO
    gate: threading.Event | None = None
    batches: list[list[Audio]] = field(default_factory=list)
    options: list[RecognizeOptions] = field(default_factory=list)
    closed: bool = False
    started: threading.Event = field(default_factory=threading.Event)

    def batch_key(self, audio: Audio, options: RecognizeOptions) -> Hashable:
        return options

    def recognize(self, batch: Sequence[Audio], options: Sequence[RecognizeOptions]) -> list[Transcript]:
        self.batches.append(list(batch))
        self.options.append(options[0])
        self.started.set()
        if self.gate is not None:
            assert self.gate.wait(20)
        return [self.hear(*item) for item in zip(batch, options, strict=True)]

    def submit(self, audio: Audio, options: RecognizeOptions) -> Future[Transcript]:
        """For pipelines without a lane: the work is done at once."""
        future: Future[Transcript] = Future()
        future.set_result(self.recognize([audio], [options])[0])
        return future

    def close(self) -> None:
        self.closed = True


def hear_all(recognizer: Recognizer, batch: Sequence[Audio], options: RecognizeOptions) -> list[Transcript]:
    """A whole batch with the same options."""
    return recognizer.recognize(batch, [options] * len(batch))


class LoudnessDetector:
    """A detector that takes every loud 32 ms for speech."""

    def open(self) -> LoudnessStream:
        return LoudnessStream()

    def probabilities(self, audio: Audio) -> NDArray[np.float32]:
        stream = self.open()
        return np.concatenate([stream.feed(audio.samples), stream.finish()])


class LoudnessStream:
    def __init__(self) -> None:
        self._rest: Samples = np.zeros(0, np.float32)

    def feed(self, samples: Samples) -> NDArray[np.float32]:
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) // 512 * 512
        self._rest = samples[whole:]
        return _loud(samples[:whole])

    def finish(self) -> NDArray[np.float32]:
        rest, self._rest = self._rest, np.zeros(0, np.float32)
        return _loud(np.pad(rest, (0, -len(rest) % 512)))


def _loud(samples: Samples) -> NDArray[np.float32]:
    frames = samples.reshape(-1, 512)
    return np.where(np.abs(frames).max(axis=1) > 0.1, 0.99, 0.01).astype(np.float32)


def recording(seconds: float, *speech: Span, block_s: float = 7.0) -> list[Samples]:
    """Silence with loud stretches, in blocks."""
    samples = np.zeros(int(seconds * SAMPLE_RATE_HZ), np.float32)
    for span in speech:
        start, end = int(span.start_s * SAMPLE_RATE_HZ), int(span.end_s * SAMPLE_RATE_HZ)
        samples[start:end] = np.sin(np.arange(end - start, dtype=np.float32) / 4) / 2
    step = int(block_s * SAMPLE_RATE_HZ)
    return [samples[place : place + step] for place in range(0, len(samples), step)]
