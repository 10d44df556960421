"""Utterances of a stream are the spans and windows of a file, however the stream comes and wherever it begins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes import LoudnessDetector, recording
from talkie.audio.segment import Segmenter, SegmentOptions
from talkie.audio.utterances import Utterances
from talkie.audio.window import Windower
from talkie.types import SAMPLE_RATE_HZ, Audio, Samples, Span

SHORT = SegmentOptions(max_seconds=4.0)
SPEECH = st.lists(st.tuples(st.floats(0.1, 3.0), st.floats(0.1, 6.0)), min_size=1, max_size=6)


def speech(gaps: list[tuple[float, float]]) -> Samples:
    place, spans = 0.0, []
    for gap_s, length_s in gaps:
        spans.append(Span(place + gap_s, place + gap_s + length_s))
        place = spans[-1].end_s
    return np.concatenate(recording(place + 1.0, *spans))


def pieces(samples: Samples, step: int) -> list[Samples]:
    return [samples[at : at + step] for at in range(0, len(samples), step)]


def heard(utterances: Utterances, parts: list[Samples]) -> list[Audio]:
    return [window for part in parts for window in utterances.feed(part)] + utterances.finish()


def same(ours: list[Audio], theirs: list[Audio], start: int = 0) -> bool:
    return len(ours) == len(theirs) and all(
        np.array_equal(one.samples, other.samples)
        and round(one.start_s * SAMPLE_RATE_HZ) == round(other.start_s * SAMPLE_RATE_HZ) + start
        and [round(s.start_s * SAMPLE_RATE_HZ) for s in one.speech]
        == [round(s.start_s * SAMPLE_RATE_HZ) + start for s in other.speech]
        and [skip.seconds for skip in one.skips] == [skip.seconds for skip in other.skips]
        for one, other in zip(ours, theirs, strict=True)
    )


@settings(max_examples=40, deadline=None)
@given(gaps=SPEECH, step=st.integers(100, 20_000), start=st.sampled_from([0, 7, 5_000_000]))
def test_an_utterance_is_a_span_of_the_file(gaps: list[tuple[float, float]], step: int, start: int) -> None:
    samples = speech(gaps)
    ours = heard(Utterances(LoudnessDetector().open(), SHORT, start=start), pieces(samples, step))
    segmenter = Segmenter(SHORT)
    spans = segmenter.feed(samples, LoudnessDetector().probabilities(Audio(samples))) + segmenter.finish()
    places = [(round(span.start_s * SAMPLE_RATE_HZ), round(span.end_s * SAMPLE_RATE_HZ)) for span in spans]
    files = [
        Audio(samples[first:last], start_s=first / 16_000, speech=(Span(first / 16_000, 0),)) for first, last in places
    ]
    assert same(ours, files, start)


@settings(max_examples=40, deadline=None)
@given(gaps=SPEECH, step=st.integers(100, 20_000), start=st.sampled_from([0, 7, 5_000_000]))
def test_what_a_client_ends_are_windows_of_the_file(gaps: list[tuple[float, float]], step: int, start: int) -> None:
    samples = speech(gaps)
    ours = heard(Utterances(LoudnessDetector().open(), SHORT, by_client=True, start=start), pieces(samples, step))
    windower = Windower(LoudnessDetector().open(), SHORT)
    assert same(ours, windower.feed(samples) + windower.finish(), start)


@settings(max_examples=40, deadline=None)
@given(gaps=SPEECH, step=st.integers(100, 9_000), by_client=st.booleans())
def test_what_is_open_becomes_the_next_window(gaps: list[tuple[float, float]], step: int, by_client: bool) -> None:
    """Its beginning is known before it ends, is never taken back, and its sound can be read meanwhile."""
    samples = speech(gaps)
    utterances = Utterances(LoudnessDetector().open(), SHORT, by_client=by_client)
    begun: int | None = None
    parts = pieces(samples, step)
    for number, part in enumerate([*parts, None]):
        for window in utterances.finish() if part is None else utterances.feed(part):
            first = round(window.start_s * SAMPLE_RATE_HZ)
            assert begun is None or first == begun
            begun = None
        if part is not None and utterances.open_from is not None:
            assert begun is None or utterances.open_from == begun
            begun = utterances.open_from
            assert utterances.judged <= utterances.end == min((number + 1) * step, len(samples))
            sound = utterances.read(begun, utterances.judged)
            assert np.array_equal(sound, samples[begun : utterances.judged])
    assert begun is None


def test_speaking_is_what_the_last_frames_were() -> None:
    utterances = Utterances(LoudnessDetector().open(), SegmentOptions())
    said = []
    for part in recording(4.0, Span(1.0, 2.0), block_s=0.032):
        utterances.feed(part)
        if utterances.speaking:
            said.append(utterances.judged / SAMPLE_RATE_HZ)
    assert said[0] == pytest.approx(1.128, abs=0.05)
    assert said[-1] == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("by_client", [False, True])
def test_hours_of_silence_hold_no_memory(by_client: bool) -> None:
    utterances = Utterances(LoudnessDetector().open(), SegmentOptions(), by_client=by_client)
    for _ in range(600):
        assert utterances.feed(np.zeros(SAMPLE_RATE_HZ, np.float32)) == []
        assert utterances.open_from is None
    place, sound = utterances.unsettled()
    assert len(sound) < SAMPLE_RATE_HZ
    assert place + len(sound) == utterances.end
    assert utterances.finish() == []
