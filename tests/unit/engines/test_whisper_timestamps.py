"""Phrases from timestamp tokens: against the reference's own function, and at the edges of a window."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.engines.asr.whisper.timestamps import Window, cut

BEGIN = 1000
FULL = Window(0.0, 3000)


def at(seconds: float) -> int:
    return BEGIN + round(seconds * 50)


def reference(tokens: list[int], window: Window) -> tuple[list[tuple[float, float, tuple[int, ...]]], int, bool]:
    from faster_whisper.transcribe import WhisperModel

    model = SimpleNamespace(time_precision=0.02, input_stride=2)
    parts, seek, alone = WhisperModel._split_segments_by_timestamps(
        model, SimpleNamespace(timestamp_begin=BEGIN), tokens, window.start_s, window.frames, window.duration_s, 0
    )
    return [(part["start"], part["end"], tuple(part["tokens"])) for part in parts], seek, alone


@pytest.mark.parametrize(
    "tokens",
    [
        pytest.param([at(0), 1, 2, at(2)], id="one phrase, the window is done"),
        pytest.param([at(0), 1, at(2), at(2.4), 2, at(5)], id="two phrases, the window is done"),
        pytest.param([at(0), 1, at(2), at(2)], id="the rest is for the next window"),
        pytest.param([at(0), 1, at(2), at(2), 2, 3], id="a phrase left open"),
        pytest.param([at(0), 1, 2, 3], id="never closed"),
        pytest.param([1, 2, 3], id="no timestamps at all"),
        pytest.param([at(0)], id="a timestamp alone"),
        pytest.param([at(3)], id="a later timestamp alone"),
        pytest.param([at(0), at(3)], id="timestamps alone"),
        pytest.param([], id="nothing"),
    ],
)
def test_phrases_are_those_of_the_reference(tokens: list[int]) -> None:
    found = cut(tokens, BEGIN, FULL)
    parts, seek, alone = reference(tokens, FULL)
    assert [(one.start_s, one.end_s, one.tokens) for one in found.phrases] == parts
    assert (found.frames_done, found.ends_alone) == (seek, alone)


tokens_in_order = st.lists(st.tuples(st.integers(0, 200), st.lists(st.integers(1, 900), max_size=4)), max_size=8)


@given(tokens_in_order, st.integers(0, 100), st.booleans())
def test_any_rising_timestamps_give_what_the_reference_gives(
    parts: list[tuple[int, list[int]]], start: int, pairs: bool
) -> None:
    tokens: list[int] = []
    step = 0
    for gap, text in parts:
        step = min(step + gap, 1500)
        tokens += [BEGIN + step, *([BEGIN + step] if pairs else []), *text]
    window = Window(start / 100, 3000)
    found = cut(tokens, BEGIN, window)
    theirs, seek, _ = reference(tokens, window)
    assert found.frames_done == min(seek, 3000)
    assert [one.tokens for one in found.phrases] == [one[2] for one in theirs]
    for ours, (start_s, end_s, _) in zip(found.phrases, theirs, strict=True):
        assert ours.start_s == pytest.approx(window.clip(start_s))
        assert ours.end_s == pytest.approx(max(ours.start_s, window.clip(end_s)))


def test_times_stay_inside_a_short_window() -> None:
    window = Window(100.0, 250)
    found = cut([at(0), 1, at(2), at(2), 2, at(29)], BEGIN, window)
    assert [(one.start_s, one.end_s) for one in found.phrases] == [(100.0, 102.0), (102.0, 102.5)]


def test_a_seek_past_the_end_stops_at_the_end() -> None:
    assert cut([at(0), 1, at(20), at(20)], BEGIN, Window(0.0, 250)).frames_done == 250
