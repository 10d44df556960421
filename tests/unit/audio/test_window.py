"""Windows of original time: all speech, once, exact to a sample, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.audio import skips
from talkie.audio.gate import FRAME
from talkie.audio.segment import Segmenter, SegmentOptions
from talkie.audio.window import SampleBuffer, Windower, WindowOptions
from talkie.types import SAMPLE_RATE_HZ, Audio, Span

Floats = npt.NDArray[np.float32]


class Loudness:
    """A detector that calls every loud frame speech; whole frames only, as the real one."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)

    def feed(self, samples: Floats) -> Floats:
        joined = np.concatenate([self._rest, samples])
        whole = len(joined) // FRAME * FRAME
        self._rest = joined[whole:]
        return (np.abs(joined[:whole]).reshape(-1, FRAME).max(axis=1) > 0.1).astype(np.float32)

    def finish(self) -> Floats:
        return self.feed(np.zeros(FRAME - len(self._rest), np.float32)) if len(self._rest) else self._rest


@st.composite
def recordings(draw: st.DrawFn) -> Floats:
    """Loud and silent stretches of up to 3 s; each sample of the loud ones is one of a kind."""
    parts = draw(st.lists(st.tuples(st.booleans(), st.integers(1, 48_000)), max_size=8))
    loud = np.concatenate([np.full(count, is_loud) for is_loud, count in parts]) if parts else np.zeros(0, bool)
    ramp = np.linspace(0.2, 1.0, len(loud), dtype=np.float32) if len(loud) else np.zeros(0, np.float32)
    return np.where(loud, ramp, np.float32(0))


def split(samples: Floats, sizes: list[int]) -> Iterator[Floats]:
    place = 0
    for index in range(len(samples) + 1):
        if place >= len(samples):
            return
        size = sizes[index % len(sizes)]
        yield samples[place : place + size]
        place += size


def windows(samples: Floats, sizes: list[int], windower: Windower) -> list[Audio]:
    found = [window for block in split(samples, sizes) for window in windower.feed(block)]
    return found + windower.finish()


sizes = st.lists(st.integers(100, 40_000), min_size=1, max_size=5)
segmenting = st.builds(
    SegmentOptions,
    min_silence_ms=st.sampled_from([64.0, 500.0]),
    pad_ms=st.sampled_from([0.0, 300.0]),
    max_seconds=st.sampled_from([1.0, 4.0, 30.0]),
)


@given(recordings(), sizes, segmenting, st.sampled_from([0.0, 0.5, 2.0]))
def test_windows_hold_every_span_once_and_exactly(
    samples: Floats, sizes: list[int], segment: SegmentOptions, gap_s: float
) -> None:
    options = WindowOptions(gap_s, pause_s=gap_s)  # no pause is left out
    found = windows(samples, sizes, Windower(Loudness(), segment, options))
    end = 0
    for window in found:
        start = round(window.start_s * SAMPLE_RATE_HZ)
        assert np.array_equal(window.samples, samples[start : start + len(window.samples)])
        assert end <= start
        assert len(window.samples) <= segment.max_seconds * SAMPLE_RATE_HZ
        assert window.speech[0].start_s == window.start_s
        assert window.speech[-1].end_s == pytest.approx(window.end_s)
        end = start + len(window.samples)
    detector, segmenter = Loudness(), Segmenter(segment)
    spans = segmenter.feed(samples, np.concatenate([detector.feed(samples), detector.finish()]))
    spans += segmenter.finish()
    assert joined([span for window in found for span in window.speech]) == joined(spans)


def joined(spans: list[Span]) -> list[Span]:
    """Spans that touch as one: a window may end within a span."""
    whole: list[Span] = []
    for span in spans:
        if whole and whole[-1].end_s == span.start_s:
            whole[-1] = Span(whole[-1].start_s, span.end_s)
        else:
            whole.append(span)
    return whole


def talk(*parts: tuple[float, bool]) -> Floats:
    """Seconds that are loud or not."""
    return np.concatenate([np.full(int(seconds * SAMPLE_RATE_HZ), 0.5 * loud, np.float32) for seconds, loud in parts])


def test_a_span_that_does_not_fit_is_divided_at_its_last_pause_that_does() -> None:
    samples = talk((18, True), (1, False), (6, True), (0.3, False), (8, True), (0.3, False), (5, True))
    first, second = windows(samples, [160_000], Windower(Loudness()))
    assert first.end_s == second.start_s == pytest.approx(25.15, abs=0.05)
    assert second.end_s == pytest.approx(len(samples) / SAMPLE_RATE_HZ)


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([(6, True), (0.06, False), (8, True), (5, True)], id="no pause"),
        pytest.param([(1, True), (0.3, False), (16, True)], id="too little would fit"),
        pytest.param([(16, True), (0.3, False), (1, True)], id="too little would be left"),
    ],
)
def test_a_span_is_divided_only_where_it_is_worth_while(parts: list[tuple[float, bool]]) -> None:
    first, second = windows(talk((18, True), (1, False), *parts), [160_000], Windower(Loudness()))
    assert second.start_s - first.end_s == pytest.approx(0.4, abs=0.05)


@given(recordings(), sizes)
def test_without_a_detector_windows_follow_each_other(samples: Floats, sizes: list[int]) -> None:
    found = windows(samples, sizes, Windower(None, SegmentOptions(max_seconds=1.0)))
    joined = np.concatenate([window.samples for window in found]) if found else samples[:0]
    assert np.array_equal(joined, samples)
    assert all(window.start_s == index for index, window in enumerate(found))
    assert all(len(window.samples) == SAMPLE_RATE_HZ and not window.speech for window in found[:-1])


def test_neighbours_share_a_window_until_the_pause_is_too_long() -> None:
    second = np.full(SAMPLE_RATE_HZ, 0.5, np.float32)
    pause = np.zeros(SAMPLE_RATE_HZ, np.float32)
    samples = np.concatenate([second, pause, second, *[pause] * 6, second])
    first, last = windows(samples, [8000], Windower(Loudness()))
    assert len(first.speech) == 2
    assert (first.start_s, last.end_s) == (0.0, 10.0)


def test_a_window_comes_as_soon_as_nothing_can_join_it() -> None:
    windower = Windower(Loudness(), SegmentOptions(pad_ms=0), WindowOptions(join_gap_s=1.0))
    assert windower.feed(np.full(SAMPLE_RATE_HZ, 0.5, np.float32)) == []
    assert windower.feed(np.zeros(SAMPLE_RATE_HZ // 2, np.float32)) == []
    (window,) = windower.feed(np.zeros(SAMPLE_RATE_HZ, np.float32))
    assert window.end_s == pytest.approx(1.0, abs=0.04)


def test_hours_of_silence_are_not_kept() -> None:
    windower, block = Windower(Loudness()), np.zeros(10 * SAMPLE_RATE_HZ, np.float32)
    for _ in range(360):
        assert windower.feed(block) == []
    assert windower._buffer.end - windower._buffer.start <= 11 * SAMPLE_RATE_HZ
    (window,) = windower.feed(np.full(SAMPLE_RATE_HZ, 0.5, np.float32)) + windower.finish()
    assert window.start_s == pytest.approx(3600 - 0.3)


def test_hours_of_speech_are_not_kept() -> None:
    windower, block = Windower(Loudness()), np.full(10 * SAMPLE_RATE_HZ, 0.5, np.float32)
    for _ in range(60):
        windower.feed(block)
        assert windower._buffer.end - windower._buffer.start <= 80 * SAMPLE_RATE_HZ


def test_the_gate_lets_the_detector_sleep() -> None:
    class Counting(Loudness):
        heard = 0

        def feed(self, samples: Floats) -> Floats:
            self.heard += len(samples)
            return super().feed(samples)

    detector = Counting()
    windower = Windower(detector, SegmentOptions(energy_gate=True))
    tone = 0.5 * np.sin(np.arange(SAMPLE_RATE_HZ) / 5).astype(np.float32)
    found = windows(np.concatenate([np.zeros(SAMPLE_RATE_HZ * 60, np.float32), tone]), [16_000], windower)
    assert len(found) == 1
    assert detector.heard <= SAMPLE_RATE_HZ + FRAME


def test_a_buffer_reads_by_position_from_a_stream() -> None:
    drawn = []

    def blocks() -> Iterator[Floats]:
        for index in range(10):
            drawn.append(index)
            yield np.arange(index * 100, index * 100 + 100, dtype=np.float32)

    buffer = SampleBuffer(blocks())
    assert buffer.read(150, 100).tolist() == list(range(150, 250))
    assert drawn == [0, 1, 2]
    assert buffer.read(120, 3).tolist() == [120, 121, 122]
    buffer.drop_before(140)
    assert buffer.read(140, 5).tolist() == list(range(140, 145))
    with pytest.raises(ValueError, match="dropped"):
        buffer.read(139, 1)
    assert buffer.read(950, 500).tolist() == list(range(950, 1000))
    assert buffer.read(1000, 10).tolist() == []


def test_a_buffer_lets_go_of_whole_blocks() -> None:
    buffer = SampleBuffer(np.zeros(100, np.float32) for _ in range(1000))
    for start in range(0, 100_000, 100):
        assert len(buffer.read(start, 150)) in (100, 150)
        buffer.drop_before(start)
        assert len(buffer._blocks) <= 3


def test_the_middle_of_a_long_pause_is_left_out() -> None:
    """Speech at 0..2 and 5..7: a second of the pause between their edges is kept, half at either side."""
    tone = np.full(2 * SAMPLE_RATE_HZ, 0.5, np.float32)
    samples = np.concatenate([tone, np.zeros(3 * SAMPLE_RATE_HZ, np.float32), tone])
    samples += np.arange(len(samples), dtype=np.float32) * np.float32(1e-9)  # every sample has its place written on it
    windower = Windower(Loudness(), SegmentOptions(pad_ms=0), WindowOptions(join_gap_s=4.0, pause_s=1.0))
    (window,) = windows(samples, [8000], windower)
    (skip,) = window.skips
    assert skip.seconds == pytest.approx(2.0, abs=0.05)
    assert window.duration_s == pytest.approx(5.0, abs=0.05)
    at = round(skip.at_s * SAMPLE_RATE_HZ)
    assert np.array_equal(window.samples[:at], samples[:at])
    assert np.array_equal(window.samples[at:], samples[at + round(skip.seconds * SAMPLE_RATE_HZ) :])
    assert [span.start_s for span in skips.spans(window)] == pytest.approx([0.0, 5.0], abs=0.05)


@given(
    speech=st.lists(st.tuples(st.integers(1, 60), st.integers(1, 80)), min_size=1, max_size=12),
    pause_s=st.sampled_from([0.0, 0.5, 1.0, 4.0]),
)
def test_every_sample_of_speech_is_in_its_window_at_its_time(speech: list[tuple[int, int]], pause_s: float) -> None:
    """Tenths of a second of sound and of silence in turn; every sample tells its place."""
    tenth = SAMPLE_RATE_HZ // 10
    loud = np.concatenate([np.repeat([1.0, 0.0], [sound * tenth, quiet * tenth]) for sound, quiet in speech])
    samples = (loud * (0.5 + np.arange(len(loud)) * 1e-8)).astype(np.float32)
    found = windows(samples, [8000], Windower(Loudness(), SegmentOptions(), WindowOptions(pause_s=pause_s)))
    for window in found:
        assert window.duration_s <= 30.0
        for at_s, span in zip((span.start_s for span in window.speech), skips.spans(window), strict=True):
            inside = round((at_s - window.start_s) * SAMPLE_RATE_HZ)
            place = round(span.start_s * SAMPLE_RATE_HZ)
            length = round(span.duration_s * SAMPLE_RATE_HZ)
            assert np.array_equal(window.samples[inside : inside + length], samples[place : place + length])
    ends = [skips.end_s(window.end_s, window.skips) for window in found]
    starts = [window.start_s for window in found]
    assert all(end <= start + 1e-6 for end, start in zip(ends, starts[1:], strict=False))
