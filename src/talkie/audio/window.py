"""A recording as windows that hold its speech, at their places in it; and a buffer to read a stream by position.

Knows nothing of engines: a detector is anything that turns samples into probabilities. Memory is bounded by the
longest window and the longest span, across hours of silence too. Places are exact to a sample.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from talkie.audio.gate import ActivityStream, GatedActivity, GateOptions
from talkie.audio.pauses import Pauses
from talkie.audio.segment import Segmenter, SegmentOptions
from talkie.types import SAMPLE_RATE_HZ, Audio, Samples, Skip, Span


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """`join_gap_s`: neighbouring spans share a window when the pause between them is no longer and all of it fits.

    `pause_s`: of a longer pause so much is kept, half at either side, so that a window is full of speech and not of
    silence, in which recognisers invent words. What is left out stands in `Audio.skips`.

    `split_s`: a span that does not fit is divided at its last short pause that does, where at least so much of it fits
    (a window costs the same however much of it is filled), and as much stays behind. Infinity: never.
    """

    join_gap_s: float = 4.0
    pause_s: float = 1.0
    split_s: float = 2.0


class SampleBuffer:
    """The samples of a recording by position, drawn from `blocks` when they are needed and let go when they are not."""

    def __init__(self, blocks: Iterable[Samples] = ()) -> None:
        self._source: Iterator[Samples] = iter(blocks)
        self._blocks: deque[tuple[int, Samples]] = deque()
        self.start = 0
        """The first sample that is still held."""
        self.end = 0
        """The sample after the last that has been drawn."""

    def append(self, samples: Samples) -> None:
        if len(samples):
            self._blocks.append((self.end, samples))
            self.end += len(samples)

    def read(self, start: int, count: int) -> Samples:
        """Samples `start` to `start + count`, fewer at the end of the recording: a new array of shape `(<= count,)`.

        Raises `ValueError` for what was dropped.
        """
        if start < self.start:
            raise ValueError(f"sample {start} was dropped; {self.start} is the first that is held")
        while self.end < start + count:
            block = next(self._source, None)
            if block is None:
                break
            self.append(block)
        parts = [
            block[max(0, start - place) : start + count - place]
            for place, block in self._blocks
            if place < start + count and place + len(block) > start
        ]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def drop_before(self, sample: int) -> None:
        """Let go of what lies before `sample`; whole blocks only, so that nothing is copied."""
        self.start = max(self.start, min(sample, self.end))
        while self._blocks and self._blocks[0][0] + len(self._blocks[0][1]) <= self.start:
            self._blocks.popleft()


class Windower:
    """Blocks to windows, none longer than `segment.max_seconds`, in order and without overlap.

    With a detector, a window is one span of speech or several neighbours with the pauses between them, or the edges of
    pauses that are long, and `Audio.speech` are its spans. Without one, windows follow each other without a gap and
    `Audio.speech` is empty.
    """

    def __init__(
        self,
        activity: ActivityStream | None = None,
        segment: SegmentOptions | None = None,
        window: WindowOptions | None = None,
    ) -> None:
        segment, window = segment or SegmentOptions(), window or WindowOptions()
        if activity is not None and segment.energy_gate:
            activity = GatedActivity(activity, GateOptions(segment.energy_threshold, segment.zero_crossings))
        self._activity = activity
        self._segmenter = Segmenter(segment)
        self._pauses = Pauses(segment.release)
        self._max = int(segment.max_seconds * SAMPLE_RATE_HZ)
        self._gap = round(window.join_gap_s * SAMPLE_RATE_HZ)
        self._pause = round(window.pause_s * SAMPLE_RATE_HZ)
        self._split = min(window.split_s * SAMPLE_RATE_HZ, self._max)
        self._buffer = SampleBuffer()
        self._group: list[Span] = []

    def feed(self, block: Samples) -> list[Audio]:
        """The windows that are complete by now."""
        self._buffer.append(block)
        if self._activity is None:
            return self._plain(self._max)
        return self._advance(self._spans(block, self._activity.feed(block)))

    def finish(self) -> list[Audio]:
        """The last windows."""
        if self._activity is None:
            return self._plain(1)
        spans = self._spans(np.zeros(0, np.float32), self._activity.finish())
        windows = self._group_up([*spans, *self._segmenter.finish()])
        return windows + self._release()

    @property
    def open_from(self) -> int | None:
        """The sample at which speech begins that is in no window yet."""
        return _sample(self._group[0].start_s) if self._group else self._segmenter.open_from

    @property
    def judged(self) -> int:
        """Samples of which it is known whether they are speech."""
        return self._segmenter.judged

    @property
    def settled(self) -> int:
        """The first sample that a window to come may need."""
        return self._buffer.start

    @property
    def speaking(self) -> bool:
        """Does speech go on at the end of what was judged?"""
        return self._segmenter.speaking

    def read(self, start: int, end: int) -> Samples:
        """Samples that no window has taken yet. Raises `ValueError` for those that were let go."""
        return self._buffer.read(start, end - start)

    def _spans(self, block: Samples, probabilities: NDArray[np.float32]) -> list[Span]:
        self._pauses.feed(probabilities)
        return self._segmenter.feed(block, probabilities)

    def _plain(self, at_least: int) -> list[Audio]:
        windows = []
        while self._buffer.end - self._buffer.start >= at_least:
            start = self._buffer.start
            windows.append(Audio(self._buffer.read(start, self._max), start_s=start / SAMPLE_RATE_HZ))
            self._buffer.drop_before(start + self._max)
        return windows

    def _advance(self, spans: list[Span]) -> list[Audio]:
        windows = self._group_up(spans)
        settled = self._segmenter.settled
        if self._group and settled - _sample(self._group[-1].end_s) > self._gap:
            windows += self._release()
        needed = _sample(self._group[0].start_s) if self._group else settled
        self._buffer.drop_before(needed)
        self._pauses.drop_before(needed)
        return windows

    def _group_up(self, spans: list[Span]) -> list[Audio]:
        windows: list[Audio] = []
        for span in spans:
            if self._group and not self._fits(span):
                cut = self._place_to_split(span)
                if cut is not None:
                    self._group.append(Span(span.start_s, cut / SAMPLE_RATE_HZ))
                    span = Span(cut / SAMPLE_RATE_HZ, span.end_s)
                windows += self._release()
            self._group.append(span)
        return windows

    def _near(self, span: Span) -> bool:
        return _sample(span.start_s) - _sample(self._group[-1].end_s) <= self._gap

    def _fits(self, span: Span) -> bool:
        return self._near(span) and _sample(span.end_s) - _sample(span.start_s) <= self._room(span)

    def _room(self, span: Span) -> int:
        """Samples that are left in the group's window for a span that begins where this one does."""
        used = self._length(self._group) + self._kept(self._group[-1], span)
        return self._max - used

    def _length(self, group: Sequence[Span]) -> int:
        spoken = sum(_sample(span.end_s) - _sample(span.start_s) for span in group)
        return spoken + sum(self._kept(*pair) for pair in pairwise(group))

    def _kept(self, before: Span, after: Span) -> int:
        """What is kept of the pause between two spans."""
        return min(_sample(after.start_s) - _sample(before.end_s), self._pause)

    def _place_to_split(self, span: Span) -> int | None:
        """The last pause in a span that fits into the group's window; None where it is not worth while."""
        if not self._near(span):
            return None
        first, last = _sample(span.start_s) + self._split, _sample(span.end_s) - self._split
        room_end = _sample(span.start_s) + self._room(span)
        return self._pauses.last_within(ceil(first), floor(min(last, room_end)))

    def _release(self) -> list[Audio]:
        """The group's window. Where pauses were left out, times after them run on as if they had not been."""
        if not self._group:
            return []
        group, self._group = tuple(self._group), []
        start = place = _sample(group[0].start_s)
        pieces, speech, skips, skipped = [], [], [], 0
        for number, span in enumerate(group):
            if number and (left_out := _sample(span.start_s) - _sample(group[number - 1].end_s) - self._pause) > 0:
                cut = _sample(group[number - 1].end_s) + self._pause // 2
                pieces.append(self._buffer.read(place, cut - place))
                skips.append(Skip((cut - skipped) / SAMPLE_RATE_HZ, left_out / SAMPLE_RATE_HZ))
                place, skipped = cut + left_out, skipped + left_out
            places = (_sample(span.start_s) - skipped, _sample(span.end_s) - skipped)
            speech.append(Span(places[0] / SAMPLE_RATE_HZ, places[1] / SAMPLE_RATE_HZ))
        pieces.append(self._buffer.read(place, _sample(group[-1].end_s) - place))
        samples = np.concatenate(pieces) if skips else pieces[0]
        return [Audio(samples, start_s=start / SAMPLE_RATE_HZ, speech=tuple(speech), skips=tuple(skips))]


def _sample(seconds: float) -> int:
    """Exact: spans are made of whole samples."""
    return round(seconds * SAMPLE_RATE_HZ)
