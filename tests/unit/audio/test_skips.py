"""Times of a window without its pauses, in the recording."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.audio import skips
from talkie.types import Dropped, Segment, Skip, Transcript, Word

SKIPS = (Skip(10.0, 3.0), Skip(20.0, 5.0))


@pytest.mark.parametrize(
    ("time_s", "begins_s", "ends_s"),
    [(0, 0, 0), (9.9, 9.9, 9.9), (10, 13, 10), (15, 18, 18), (20, 28, 23), (21, 29, 29)],
)
def test_times_move_by_what_was_left_out_before_them(time_s: float, begins_s: float, ends_s: float) -> None:
    assert skips.begin_s(time_s, SKIPS) == pytest.approx(begins_s)
    assert skips.end_s(time_s, SKIPS) == pytest.approx(ends_s)


def test_a_segment_over_a_pause_holds_the_pause_and_its_words_do_not() -> None:
    words = (Word("before", 8.0, 9.5, 1.0), Word("torn", 9.0, 10.2, 1.0), Word("after", 10.5, 11.0, 1.0))
    segment = Segment(text="before torn after", start_s=8.0, end_s=11.0, words=words)
    heard = skips.transcript(Transcript(segments=(segment,), dropped=(Dropped(segment, "why"),)), SKIPS)
    for found in (heard.segments[0], heard.dropped[0].segment):
        assert (found.start_s, found.end_s) == (8.0, 14.0)
        assert [(word.start_s, word.end_s) for word in found.words] == [(8.0, 9.5), (9.0, 10.0), (13.5, 14.0)]


def test_a_word_that_lies_mostly_after_a_pause_is_said_after_it() -> None:
    word = Word("after", 9.9, 10.8, 1.0)
    heard = skips.transcript(Transcript(segments=(Segment("after", 9.9, 10.8, (word,)),)), SKIPS)
    assert (heard.segments[0].words[0].start_s, heard.segments[0].words[0].end_s) == (13.0, 13.8)


@given(st.lists(st.floats(0, 40), min_size=2, max_size=8))
def test_order_is_kept(times: list[float]) -> None:
    ordered = sorted(times)
    begins = [skips.begin_s(time, SKIPS) for time in ordered]
    assert begins == sorted(begins)
    assert all(skips.end_s(time, SKIPS) <= begin for time, begin in zip(ordered, begins, strict=True))


def test_without_skips_nothing_moves() -> None:
    heard = Transcript(segments=(Segment("a", 1.0, 2.0),))
    assert skips.transcript(heard, ()) is heard
