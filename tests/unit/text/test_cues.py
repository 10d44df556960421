from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.text.cues import Layout, break_lines, clean, columns, cues, milliseconds
from talkie.types import Segment, Word

LAYOUT = Layout()


def spoken(text: str, word_s: float = 0.4) -> Segment:
    words = [Word(word, index * word_s, (index + 1) * word_s) for index, word in enumerate(text.split())]
    return Segment(text, 0.0, len(words) * word_s, tuple(words))


def test_without_a_layout_a_segment_is_a_cue() -> None:
    (cue,) = cues(Segment("  one\ntwo\t three ", 0.0004, 1.2346))
    assert (cue.start_ms, cue.end_ms, cue.lines) == (0, 1235, ("one two three",))
    assert list(cues(Segment(" \n", 0, 1))) == []


def test_a_long_segment_is_cut_between_words_and_nothing_is_lost() -> None:
    text = "It was late when we came home, and the lights in every window of the old house were burning. " * 4
    segment = spoken(text.strip())
    found = list(cues(segment, LAYOUT))
    assert len(found) > 4
    assert " ".join(line for cue in found for line in cue.lines).split() == text.split()
    assert all(len(cue.lines) <= 2 and all(columns(line) <= 42 for line in cue.lines) for cue in found)
    assert all(cue.end_ms - cue.start_ms <= 7000 for cue in found)
    assert all(one.end_ms <= two.start_ms for one, two in pairwise(found))


def test_a_cue_ends_with_the_sentence_where_it_is_half_full() -> None:
    found = list(
        cues(spoken("We went to the garden because it was warm. Then it began to rain and we ran home."), LAYOUT)
    )
    assert found[0].lines[-1].endswith("warm.") and found[1].lines[0].startswith("Then")


def test_without_word_times_no_time_is_invented() -> None:
    (cue,) = cues(Segment("word " * 60, 0, 20), LAYOUT)
    assert (cue.start_ms, cue.end_ms) == (0, 20_000) and len(cue.lines) > 2


def test_words_that_are_not_in_the_text_do_not_cut_it() -> None:
    (cue,) = cues(Segment("one two three", 0, 9, (Word("one", 0, 1), Word("TWO", 1, 9))), LAYOUT)
    assert cue.lines == ("one two three",)


def test_languages_without_spaces_are_broken_between_letters() -> None:
    text = "今日は天気がとても良いので、公園まで散歩に行きましょう。"
    lines = break_lines(text, 42)
    assert "".join(lines) == text and len(lines) == 2 and all(columns(line) <= 42 for line in lines)
    assert not any(line.startswith(("、", "。")) for line in lines)
    words = tuple(Word(letter, index * 0.5, index * 0.5 + 0.5) for index, letter in enumerate(text))
    found = list(cues(Segment(text, 0, 14, words), LAYOUT))
    assert len(found) == 2 and "".join(line for cue in found for line in cue.lines) == text


def test_two_lines_are_made_about_equal() -> None:
    first, second = break_lines("the quick brown fox jumps over the lazy dog now", 42)
    assert abs(len(first) - len(second)) <= 5


def test_a_word_wider_than_a_line_is_left_whole() -> None:
    assert break_lines("see " + "x" * 60 + " there", 42) == ("see", "x" * 60, "there")


@pytest.mark.parametrize("seconds", [-1.0, math.nan, math.inf, -math.inf])
def test_impossible_times_are_zero(seconds: float) -> None:
    assert milliseconds(seconds) == 0


@given(st.text())
def test_clean_text_is_one_line_and_can_be_written(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert cleaned.splitlines() in ([], [cleaned]) and cleaned == clean(cleaned) == cleaned.strip()


@given(st.text(max_size=200), st.integers(8, 60))
def test_lines_hold_all_of_the_text_within_the_width(text: str, width: int) -> None:
    lines = break_lines(clean(text), width)
    assert "".join("".join(lines).split()) == "".join(clean(text).split())
    assert all(columns(line) <= width or " " not in line for line in lines)


@given(
    st.lists(st.text("abc .,", min_size=1, max_size=12).filter(str.strip), min_size=1, max_size=40), st.floats(0.01, 3)
)
def test_any_words_become_cues_that_hold_them_all(words: list[str], word_s: float) -> None:
    segment = spoken(" ".join(words), word_s)
    found = list(cues(segment, LAYOUT))
    assert " ".join(line for cue in found for line in cue.lines).split() == " ".join(words).split()
    assert all(0 <= cue.start_ms <= cue.end_ms for cue in found)
