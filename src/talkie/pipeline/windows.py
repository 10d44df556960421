"""A recording as windows for a recogniser: those that hold speech, or one after the other.

Knows nothing of recognisers. Memory is bounded: samples that no window can need any more are let go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from talkie.audio.segment import SegmentOptions
from talkie.audio.window import SampleBuffer, Windower
from talkie.engines.base import VoiceActivityDetector
from talkie.types import SAMPLE_RATE_HZ, Audio, Samples

HOP = SAMPLE_RATE_HZ // 100
"""Windows begin on the 10 ms grid of the features, as in the reference; what is shorter than that is no window."""


class Recording:
    """The blocks of one recording, counted as they go by."""

    def __init__(self, blocks: Iterable[Samples]) -> None:
        self._blocks = blocks
        self.samples = 0

    @property
    def duration_s(self) -> float:
        """Seconds decoded so far; the whole length once the blocks are used up."""
        return self.samples / SAMPLE_RATE_HZ

    def __iter__(self) -> Iterator[Samples]:
        for block in self._blocks:
            self.samples += len(block)
            yield block


def speech_windows(recording: Recording, detector: VoiceActivityDetector, options: SegmentOptions) -> Iterator[Audio]:
    """Windows of original time that hold all speech, in order, none longer than `options.max_seconds`."""
    windower = Windower(detector.open(), options)
    for block in recording:
        yield from windower.feed(block)
    yield from windower.finish()


class SeekWindows:
    """Windows of `max_seconds`, each beginning where the work on the last one ended."""

    def __init__(self, blocks: Iterable[Samples], max_seconds: float) -> None:
        self._buffer = SampleBuffer(blocks)
        self._length = int(max_seconds * SAMPLE_RATE_HZ)
        self._start = 0
        self._end = 0

    def next(self) -> Audio | None:
        """The next window; None at the end of the recording."""
        samples = self._buffer.read(self._start, self._length)
        self._end = self._start + len(samples)
        if len(samples) < HOP:
            return None
        return Audio(samples, start_s=self._start / SAMPLE_RATE_HZ)

    def seek(self, decoded_until_s: float) -> None:
        """Go on from there. A decoder that did not move is moved to the end of its window: no loop is endless."""
        start = round(decoded_until_s * SAMPLE_RATE_HZ / HOP) * HOP
        self._start = start if self._start < start <= self._end else self._end
        self._buffer.drop_before(self._start)
