"""Words on which two guesses agree; what is committed is never taken back, whatever is guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.pipeline.agreement import MAX_UNITS, Agreement, units

WORDS = st.lists(st.sampled_from(["the", "The", "cat", "cat,", "sat", "on", "mat.", "a", "—", "猫が"]), max_size=12)
GUESSES = st.lists(WORDS.map(" ".join), max_size=12)


def after(*guesses: str) -> tuple[str, str]:
    agreement = Agreement()
    for guess in guesses:
        agreement.hear(guess)
    return agreement.committed, agreement.tentative


def test_one_guess_commits_nothing() -> None:
    assert after("open the door") == ("", "open the door")


def test_two_that_agree_commit_what_they_share_but_not_the_last_word() -> None:
    assert after("open the", "open the door") == ("open the", "door")
    assert after("open the door", "open the door") == ("open the", "door")
    assert after("open the door", "open a window") == ("open", "a window")


def test_case_and_signs_do_not_matter_and_the_newest_is_written() -> None:
    assert after("open the door", "Open, the Doors please") == ("Open, the", "Doors please")


def test_a_word_that_changed_its_mind_waits_for_another_guess() -> None:
    assert after("I scream", "ice cream is") == ("", "ice cream is")
    assert after("I scream", "ice cream is", "ice cream is good") == ("ice cream is", "good")


def test_a_guess_without_a_word_tells_nothing() -> None:
    assert after("open the", "", "   ", "open the door") == ("open the", "door")


@pytest.mark.parametrize(
    ("later", "tentative"),
    [
        ("uh open the door now please", "door now please"),  # a word more in what is committed
        ("the door now please", "door now please"),  # a word less
        ("opens a door now please", "door now please"),  # other words
        ("open", ""),  # all too short
    ],
)
def test_what_was_committed_stays_when_it_is_told_otherwise(later: str, tentative: str) -> None:
    agreement = Agreement()
    for guess in ("open the", "open the door", later):
        agreement.hear(guess)
    text = f"{agreement.committed} {agreement.tentative}".strip()
    assert agreement.committed.startswith("open the")
    assert text == f"open the {tentative}".strip()


def test_words_that_are_not_set_apart_are_told_by_characters() -> None:
    assert after("今日は", "今日はいい天気") == ("今日は", "いい天気")
    assert after("今日は", "今日はいい天気", "今日はいい天気です。") == ("今日はいい天気", "です。")
    assert after("Hello 今日は", "hello 今日はいい") == ("hello 今日は", "いい")


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Yes, (see) it's — 3.5", [" Yes,", " (see)", " it's", " —", " 3.5"]),
        ("「中文」です。", ["「中", "文」", "で", "す。"]),
        ("GPT4を使う", [" GPT4", "を", "使", "う"]),
        ("สวัสดี", ["ส", "วั", "ส", "ดี"]),
        ("나는 학교에", [" 나는", " 학교에"]),
        ("", []),
    ],
)
def test_units(text: str, pieces: list[str]) -> None:
    assert [unit.text for unit in units(text)] == pieces


def test_a_text_without_end_is_cut() -> None:
    assert len(units("word " * 5000)) == MAX_UNITS


def test_the_beginning_of_a_long_utterance_can_be_left_behind() -> None:
    agreement = Agreement()
    for guess in ("one two three four", "one two three four five", "one two three four five six"):
        agreement.hear(guess)
    assert agreement.agreed == 5
    agreement.settle(3)  # later guesses begin with four
    agreement.hear("four five six seven")
    assert (agreement.committed, agreement.tentative) == ("one two three four five six", "seven")


def test_other_sound_begins_anew_after_what_was_guessed() -> None:
    agreement = Agreement()
    for guess in ("one two", "one two three"):
        agreement.hear(guess)
    agreement.close()
    assert (agreement.committed, agreement.tentative) == ("one two three", "")
    agreement.hear("four five")
    agreement.hear("four five six")
    assert (agreement.committed, agreement.tentative) == ("one two three four five", "six")


@given(GUESSES, st.lists(st.integers(0, 3), max_size=12))
def test_committed_text_is_never_taken_back(guesses: list[str], settles: list[int]) -> None:
    agreement, before = Agreement(), ""
    for number, guess in enumerate(guesses):
        agreement.hear(guess)
        assert agreement.committed.startswith(before)
        assert agreement.agreed <= len(units(guess)) or not units(guess)
        before = agreement.committed
        if number < len(settles):
            agreement.settle(min(settles[number], agreement.agreed))
            assert agreement.committed == before


@given(GUESSES)
def test_all_of_a_guess_is_told(guesses: list[str]) -> None:
    """The newest guess's end is always on view: what is committed only hides how it begins."""
    agreement = Agreement()
    for guess in guesses:
        agreement.hear(guess)
        if guess and agreement.tentative:
            assert "".join(unit.text for unit in units(guess)).strip().endswith(agreement.tentative)


@given(WORDS, st.integers(1, 4))
def test_a_steady_recogniser_is_believed_a_word_behind(words: list[str], step: int) -> None:
    """Guesses that only grow: all but the newest words are committed, as they were said."""
    agreement = Agreement()
    for end in range(step, len(words) + 1, step):
        agreement.hear(" ".join(words[:end]))
    said = units(" ".join(words[: len(words) // step * step]))
    assert len(units(agreement.committed)) >= len(said) - 2 * step * 2 - 1
    assert "".join(unit.key for unit in said).startswith("".join(unit.key for unit in units(agreement.committed)))


def test_what_stands_between_the_two_parts_is_what_the_script_wants() -> None:
    spaced, unspaced = Agreement(), Agreement()
    for text in ("one two", "one two three"):
        spaced.hear(text)
    for text in ("今天天", "今天天气好"):
        unspaced.hear(text)
    assert (spaced.committed, spaced.gap, spaced.tentative) == ("one two", " ", "three")
    assert unspaced.committed + unspaced.gap + unspaced.tentative == "今天天气好"
    assert unspaced.tentative
