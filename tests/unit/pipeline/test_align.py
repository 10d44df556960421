"""A known text laid beside what a recogniser heard: every word gets a time, in order, and says that it is estimated."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.pipeline.align import align_words, aligner
from talkie.types import Audio, Mark, Segment, Transcript, Word


def heard(text: str, step_s: float = 0.5) -> list[Word]:
    return [Word(word, index * step_s, index * step_s + 0.4) for index, word in enumerate(text.split())]


def starts(marks: tuple[Mark, ...]) -> dict[str, float]:
    return {mark.text: mark.start_s for mark in marks}


def test_what_was_heard_right_keeps_its_times() -> None:
    marks = align_words("Open the door, please.", heard("open the door please"), 2.0)
    assert [(mark.text, mark.start_s, mark.end_s) for mark in marks] == [
        ("Open", 0.0, 0.4), ("the", 0.5, 0.9), ("door,", 1.0, 1.4), ("please.", 1.5, 1.9)
    ]  # fmt: skip
    assert all(mark.estimated and mark.kind == "word" for mark in marks)


def test_a_misheard_word_keeps_its_time() -> None:
    assert starts(align_words("open the door please", heard("open the tore please"), 2.0))["door"] == 1.0


def test_a_missed_word_lies_between_its_neighbours() -> None:
    words = [Word("open", 0.0, 0.4), Word("please", 1.5, 1.9)]
    times = starts(align_words("open the door please", words, 2.0))
    assert 0.4 <= times["the"] < times["door"] < 1.5
    assert times["please"] == 1.5


def test_words_at_both_ends_may_be_missed() -> None:
    times = starts(align_words("now open the door quickly", [Word("open", 0.5, 0.9), Word("door", 1.2, 1.5)], 2.0))
    assert times["now"] == 0.0
    assert 1.5 <= times["quickly"] < 2.0


def test_a_word_too_many_is_passed_over() -> None:
    times = starts(align_words("open the door", heard("open um the door"), 2.0))
    assert (times["the"], times["door"]) == (1.0, 1.5)


def test_a_word_that_was_said_twice_is_found_in_its_place() -> None:
    marks = align_words("the cat and the dog", heard("the cat and the dog"), 2.5)
    assert [mark.start_s for mark in marks] == [0.0, 0.5, 1.0, 1.5, 2.0]


@pytest.mark.parametrize(("text", "words"), [("", "a b"), ("a b", ""), ("...", "a")])
def test_nothing_to_align(text: str, words: str) -> None:
    assert align_words(text, heard(words), 1.0) == ()


def test_texts_have_a_bound() -> None:
    assert align_words("word " * 501, heard("word " * 501), 300.0) == ()


def test_a_recogniser_becomes_an_aligner() -> None:
    def hear(audio: Audio) -> Transcript:
        return Transcript((Segment("open door", 0.0, 1.0, tuple(heard("open door"))),), duration_s=audio.duration_s)

    audio = Audio(np.zeros(16_000, np.float32))
    assert starts(aligner(hear)(audio, "open door")) == {"open": 0.0, "door": 0.5}


_OURS, _THEIRS = st.sampled_from(["a", "the", "door", "seven"]), st.sampled_from(["a", "the", "tore", "even"])
_TEXTS = st.lists(_OURS, min_size=1, max_size=12).map(" ".join)
_HEARD = st.lists(st.tuples(_THEIRS, st.floats(0, 9), st.floats(0, 2)), max_size=12)


@given(_TEXTS, _HEARD)
def test_marks_are_whole_in_order_and_inside(text: str, said: list[tuple[str, float, float]]) -> None:
    words = sorted((Word(word, start_s, start_s + length) for word, start_s, length in said), key=lambda w: w.start_s)
    marks = align_words(text, words, 6.0)
    assert not words or [mark.text for mark in marks] == text.split()
    assert all(0 <= mark.start_s <= mark.end_s <= 6.0 for mark in marks)
    assert all(one.end_s <= two.start_s for one, two in pairwise(marks))
