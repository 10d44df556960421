"""Speech probabilities to spans of speech: hysteresis, minimum lengths, padding, and a cut where it is quietest.

Knows nothing of detectors or files; streaming and pure. The same spans come out however the recording is split
into pieces. Spans are ordered, do not overlap, lie within the recording, and none is longer than
`SegmentOptions.max_seconds`. Positions are counted in samples inside and become seconds at the edge.

Hysteresis as in Silero VAD (`get_speech_timestamps`): speech begins at `threshold` and ends when the probability has
been under `neg_threshold` for `min_silence_ms`. Defaults: docs/decisions/0012.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from talkie.audio.gate import FRAME, frame_energy
from talkie.audio.padding import Padder
from talkie.types import SAMPLE_RATE_HZ, Samples, Span

HYSTERESIS = 0.15
QUIET_FRAMES = 5
"""A cut is made in the middle of the quietest 160 ms: longer than the closure of a stop consonant inside a word."""
CUT_SEARCH = 1 / 3
"""The share of a span that is too long, from its end, in which the cut is looked for."""


@dataclass(frozen=True, slots=True)
class SegmentOptions:
    """When speech begins and ends.

    `threshold` and `neg_threshold` are probabilities 0..1 (None: `threshold - 0.15`). Speech shorter than
    `min_speech_ms` is noise; a pause shorter than `min_silence_ms` does not end it; `pad_ms` are kept on both sides,
    or half the pause where it is short. `energy_gate` puts a gate before the detector, which sleeps where frames are
    under `energy_threshold` (root mean square) or have fewer than `zero_crossings` sign changes a second: see
    `talkie.audio.gate`.
    """

    threshold: float = 0.5
    neg_threshold: float | None = None
    min_speech_ms: float = 128.0
    min_silence_ms: float = 500.0
    pad_ms: float = 300.0
    max_seconds: float = 30.0
    energy_gate: bool = False
    energy_threshold: float = 0.005
    zero_crossings: float = 50.0

    def __post_init__(self) -> None:
        if self.max_seconds * SAMPLE_RATE_HZ < 8 * FRAME:
            raise ValueError("max_seconds must be at least 0.256")

    @property
    def release(self) -> float:
        """The probability under which speech may end."""
        return self.neg_threshold if self.neg_threshold is not None else max(self.threshold - HYSTERESIS, 0.01)

    @property
    def pad(self) -> int:
        """Padding in samples: at most a quarter of the longest span, so that something is left to pad."""
        return min(_samples(self.pad_ms), int(self.max_seconds * SAMPLE_RATE_HZ) // 4)

    @property
    def max_frames(self) -> int:
        """The longest run of frames that is within `max_seconds` with its padding on both sides."""
        return (int(self.max_seconds * SAMPLE_RATE_HZ) - 2 * self.pad) // FRAME


class Segmenter:
    """The spans of one recording. Feed samples and probabilities as they come; `finish` once.

    Probabilities belong to frames of 512 samples from the start of the recording; they may lag behind the samples by
    any amount, and run ahead of them by the last, partial frame only.
    """

    def __init__(self, options: SegmentOptions = SegmentOptions()) -> None:
        self._options = options
        self._energies = _Energies()
        self._min_speech = min(max(1, _samples(options.min_speech_ms) // FRAME), options.max_frames)
        self._min_silence = max(1, _samples(options.min_silence_ms) // FRAME)
        self._frame = 0
        self._run: _Run | None = None
        self._padder = Padder(options.pad)

    def feed(self, samples: Samples, probabilities: NDArray[np.float32]) -> list[Span]:
        """The spans that are certain by now. `samples` has any length, `probabilities` one for each whole frame."""
        self._energies.feed(samples)
        place = 0
        while place < len(probabilities):
            place += self._pass_over(probabilities[place:])
            if place < len(probabilities):
                self._judge(float(probabilities[place]), self._energies.next())
                place += 1
        return self._padder.take()

    def finish(self) -> list[Span]:
        """The last spans."""
        if self._run is not None:
            self._close(self._run)
        return self._padder.finish(self._energies.samples)

    @property
    def settled(self) -> int:
        """The sample before which no span still to come can begin: what lies before may be forgotten."""
        return self._padder.settled(self._frame if self._run is None else self._run.start)

    @property
    def open_from(self) -> int | None:
        """The sample at which a span begins that has begun for certain and was not given out."""
        return self._padder.open_from

    @property
    def judged(self) -> int:
        """Samples whose probability is known."""
        return self._frame * FRAME

    @property
    def speaking(self) -> bool:
        """Was the last frame speech, of a span that has begun?"""
        return self._run is not None and self._run.begun and self._run.end == self._frame

    def _pass_over(self, probabilities: NDArray[np.float32]) -> int:
        """Frames at the front that change nothing, all at once: silence before speech, or speech that goes on.

        Just what `_judge` does with them, one by one, at thirty times the cost.
        """
        run = self._run
        if run is None:
            count = _first(probabilities >= self._options.threshold)
            self._energies.skip(count)
            self._frame += count
            self._padder.advance(self._frame)
            return count
        if not run.begun or run.end < self._frame:
            return 0
        room = self._options.max_frames - 1 - (self._frame - run.start)
        count = _first(probabilities[: max(0, room)] < self._options.release)
        run.probabilities += probabilities[:count].tolist()
        run.energies += self._energies.skip(count)
        self._frame += count
        run.end = self._frame
        return count

    def _judge(self, probability: float, energy: float) -> None:
        run = self._run
        if run is None and probability >= self._options.threshold:
            run = self._run = _Run(self._frame, self._frame)
        self._frame += 1
        if run is None:
            self._padder.advance(self._frame)
            return
        run.add(probability, energy)
        in_silence = run.end < self._frame - 1
        if probability >= (self._options.threshold if in_silence else self._options.release):
            run.end = self._frame
        if not run.begun and run.end - run.start >= self._min_speech:
            run.begun = True
            self._padder.begin(run.start)
        if self._frame - run.end >= self._min_silence:
            self._close(run)
            self._padder.advance(self._frame)
        elif self._frame - run.start >= self._options.max_frames:
            self._cut(run)

    def _close(self, run: _Run) -> None:
        self._run = None
        if run.begun:
            self._padder.end(run.end)

    def _cut(self, run: _Run) -> None:
        """Split a run that has become too long where it is quietest, and go on with what comes after."""
        where = run.quietest()
        if not run.begun or where >= run.end:
            self._close(run)
        else:
            self._padder.cut(where)
            run.go_on(where)


@dataclass(slots=True)
class _Run:
    """Speech that has not ended; positions in frames. `end` is after the last frame of speech so far."""

    start: int
    end: int
    begun: bool = False  # long enough to be speech for certain
    probabilities: list[float] = field(default_factory=list)
    energies: list[float] = field(default_factory=list)

    def add(self, probability: float, energy: float) -> None:
        self.probabilities.append(probability)
        self.energies.append(energy)

    def quietest(self) -> int:
        """The frame in the last part at which to cut: least energy and probability, over a few frames."""
        first = len(self.energies) - max(1, int(len(self.energies) * CUT_SEARCH))
        energy, probability = np.array(self.energies[first:]), np.array(self.probabilities[first:])
        cost = energy / max(float(energy.max()), 1e-9) + probability
        width = min(QUIET_FRAMES, len(cost))
        smooth = np.convolve(cost, np.full(width, 1 / width), "valid")
        return self.start + first + int(smooth.argmin()) + width // 2

    def go_on(self, where: int) -> None:
        gone = where - self.start
        del self.probabilities[:gone], self.energies[:gone]
        self.start = where


class _Energies:
    """The energy of each frame, in order, however the samples come."""

    def __init__(self) -> None:
        self.samples = 0
        self._rest = np.zeros(0, np.float32)
        self._ready: deque[float] = deque()

    def feed(self, samples: Samples) -> None:
        self.samples += len(samples)
        joined = np.concatenate([self._rest, samples])
        whole = len(joined) // FRAME * FRAME
        self._rest = joined[whole:].copy()
        self._ready.extend(frame_energy(joined[:whole]).tolist())

    def next(self) -> float:
        if not self._ready:  # the last, partial frame
            self._ready.extend(frame_energy(np.pad(self._rest, (0, FRAME - len(self._rest)))).tolist())
        return self._ready.popleft()

    def skip(self, count: int) -> list[float]:
        """The next `count`."""
        return [self.next() for _ in range(count)]


def _first(wanted: NDArray[np.bool_]) -> int:
    """The place of the first that is true; the length where none is."""
    return int(wanted.argmax()) if wanted.any() else len(wanted)


def _samples(milliseconds: float) -> int:
    return round(milliseconds * SAMPLE_RATE_HZ / 1000)
