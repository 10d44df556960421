"""Spans of speech: ordered, within the recording, bounded, and the same however the recording is split."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.audio.gate import FRAME
from talkie.audio.segment import Segmenter, SegmentOptions
from talkie.types import SAMPLE_RATE_HZ, Span

Floats = npt.NDArray[np.float32]
FRAME_S = FRAME / SAMPLE_RATE_HZ


def spans(probabilities: Floats, options: SegmentOptions, samples: Floats | None = None) -> list[Span]:
    samples = np.zeros(len(probabilities) * FRAME, np.float32) if samples is None else samples
    segmenter = Segmenter(options)
    return [*segmenter.feed(samples, probabilities), *segmenter.finish()]


def runs(*parts: tuple[int, float]) -> Floats:
    return np.concatenate([np.full(count, value, np.float32) for count, value in parts])


@st.composite
def recordings(draw: st.DrawFn) -> tuple[Floats, Floats]:
    """Probabilities in stretches, as detectors give them, and samples whose energy varies."""
    parts = draw(st.lists(st.tuples(st.integers(1, 60), st.sampled_from([0.0, 0.2, 0.4, 0.6, 1.0])), max_size=20))
    probabilities = runs(*parts) if parts else np.zeros(0, np.float32)
    rest = draw(st.integers(1, FRAME)) if len(probabilities) else 0
    seed = draw(st.integers(0, 2**32 - 1))
    count = max(0, len(probabilities) - 1) * FRAME + rest
    return np.random.default_rng(seed).uniform(-1, 1, count).astype(np.float32), probabilities


options = st.builds(
    SegmentOptions,
    min_speech_ms=st.sampled_from([0.0, 64.0, 250.0]),
    min_silence_ms=st.sampled_from([0.0, 100.0, 500.0, 2000.0]),
    pad_ms=st.sampled_from([0.0, 30.0, 300.0, 1000.0]),
    max_seconds=st.sampled_from([0.3, 1.0, 5.0, 30.0]),
)


@given(recordings(), options)
def test_spans_are_ordered_apart_within_the_recording_and_never_too_long(
    recording: tuple[Floats, Floats], options: SegmentOptions
) -> None:
    samples, probabilities = recording
    end_s = 0.0
    for span in spans(probabilities, options, samples):
        assert end_s <= span.start_s < span.end_s <= len(samples) / SAMPLE_RATE_HZ
        assert span.duration_s <= options.max_seconds + 1e-9
        end_s = span.end_s


@given(recordings(), options)
def test_speech_that_is_long_enough_is_covered(recording: tuple[Floats, Floats], options: SegmentOptions) -> None:
    samples, probabilities = recording
    covered = np.zeros(len(samples), bool)
    for span in spans(probabilities, options, samples):
        covered[round(span.start_s * SAMPLE_RATE_HZ) : round(span.end_s * SAMPLE_RATE_HZ)] = True
    loud = np.concatenate([[False], probabilities >= options.threshold, [False]])
    edges = np.flatnonzero(np.diff(loud.astype(int)))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        if (last - first) * FRAME_S * 1000 >= options.min_speech_ms:
            assert covered[first * FRAME : last * FRAME].all()


@given(recordings(), options, st.lists(st.integers(100, 9000), min_size=1, max_size=30), st.integers(0, 5))
def test_a_stream_gives_what_the_whole_gives(
    recording: tuple[Floats, Floats], options: SegmentOptions, sizes: list[int], lag: int
) -> None:
    samples, probabilities = recording
    segmenter, found, place, judged = Segmenter(options), [], 0, 0
    while place < len(samples):
        size = sizes[place % len(sizes)]
        ready = max(judged, min((place + size) // FRAME - lag, len(probabilities)))
        found += segmenter.feed(samples[place : place + size], probabilities[judged:ready])
        place, judged = place + size, ready
    found += segmenter.feed(samples[:0], probabilities[judged:])
    assert [*found, *segmenter.finish()] == spans(probabilities, options, samples)


@given(recordings(), options)
def test_what_is_settled_stays_settled(recording: tuple[Floats, Floats], options: SegmentOptions) -> None:
    """No span begins before what `settled` promised at any time before it came."""
    samples, probabilities = recording
    segmenter, promised = Segmenter(options), 0
    for index, probability in enumerate(probabilities):
        part = samples[index * FRAME : (index + 1) * FRAME]
        for span in segmenter.feed(part, np.array([probability], np.float32)):
            assert round(span.start_s * SAMPLE_RATE_HZ) >= promised
        promised = max(promised, segmenter.settled)
    for span in segmenter.finish():
        assert round(span.start_s * SAMPLE_RATE_HZ) >= promised


def test_padding_is_added_on_both_sides() -> None:
    found = spans(runs((100, 0.0), (50, 1.0), (100, 0.0)), SegmentOptions(pad_ms=320))
    assert found == [Span(2.88, 5.12)]


def test_padding_ends_at_the_edges_of_the_recording() -> None:
    found = spans(runs((2, 0.0), (50, 1.0), (2, 0.0)), SegmentOptions(pad_ms=320))
    assert found == [Span(0.0, 54 * FRAME_S)]


def test_a_short_pause_is_shared_by_the_spans_beside_it() -> None:
    options = SegmentOptions(pad_ms=320, min_silence_ms=320)
    first, second = spans(runs((50, 0.0), (50, 1.0), (12, 0.0), (50, 1.0), (50, 0.0)), options)
    assert first.end_s == second.start_s == pytest.approx(106 * FRAME_S)


def test_a_pause_shorter_than_min_silence_does_not_end_speech() -> None:
    found = spans(runs((50, 1.0), (10, 0.0), (50, 1.0), (50, 0.0)), SegmentOptions(min_silence_ms=500, pad_ms=0))
    assert found == [Span(0.0, 110 * FRAME_S)]


def test_a_click_is_not_speech() -> None:
    assert spans(runs((50, 0.0), (2, 1.0), (50, 0.0)), SegmentOptions(min_speech_ms=128)) == []


def test_hysteresis_keeps_speech_that_grows_weak() -> None:
    found = spans(runs((20, 1.0), (30, 0.4), (60, 0.1)), SegmentOptions(pad_ms=0))
    assert found == [Span(0.0, 50 * FRAME_S)]


def test_speech_that_is_too_long_is_cut_where_it_is_quietest() -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, 400 * FRAME).astype(np.float32)
    samples[250 * FRAME : 260 * FRAME] *= 0.01
    first, second = spans(np.ones(400, np.float32), SegmentOptions(max_seconds=10.0, pad_ms=0), samples)
    assert first.end_s == second.start_s
    assert 250 * FRAME_S <= first.end_s <= 260 * FRAME_S


def test_a_cut_prefers_what_the_detector_doubts() -> None:
    probabilities = np.ones(400, np.float32)
    probabilities[250:260] = 0.36
    first, second = spans(probabilities, SegmentOptions(max_seconds=10.0, pad_ms=0))
    assert first.end_s == second.start_s
    assert 250 * FRAME_S <= first.end_s <= 260 * FRAME_S


def test_a_span_is_given_out_as_soon_as_it_is_certain() -> None:
    options = SegmentOptions(pad_ms=100, min_silence_ms=320)
    segmenter = Segmenter(options)
    segmenter.feed(np.zeros(50 * FRAME, np.float32), np.ones(50, np.float32))
    found = segmenter.feed(np.zeros(10 * FRAME, np.float32), np.zeros(10, np.float32))
    assert found == [Span(0.0, 1.7)]


def test_the_release_threshold_follows_the_threshold() -> None:
    assert SegmentOptions().release == pytest.approx(0.35)
    assert replace(SegmentOptions(), threshold=0.1).release == pytest.approx(0.01)
    assert replace(SegmentOptions(), neg_threshold=0.2).release == 0.2


def test_a_longest_span_shorter_than_the_shortest_speech_loses_nothing() -> None:
    options = SegmentOptions(min_speech_ms=1000, max_seconds=0.3, pad_ms=0)
    found = spans(runs((20, 0.0), (40, 1.0), (20, 0.0)), options)
    assert found[0].start_s == 20 * FRAME_S
    assert found[-1].end_s == 60 * FRAME_S
    assert all(span.end_s == after.start_s for span, after in pairwise(found))


def test_a_longest_span_too_short_to_cut_is_refused() -> None:
    with pytest.raises(ValueError, match="max_seconds"):
        SegmentOptions(max_seconds=0.1)
