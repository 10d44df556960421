"""Right texts: a shape-true model's own text told once a window, and real ones by their errors."""

from __future__ import annotations

import pytest

from talkie.bench.texts import Expected, Told, check, least_words, read_told

TOLD = "one two three"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TOLD, Told(1, 3, True)),
        (f" {TOLD}\n{TOLD} ", Told(2, 6, True)),
        ("", Told(0, 0, True)),
        ("one two", Told(1, 2, False)),
        ("one two three one", Told(2, 4, False)),
        ("one two one two three", Told(2, 5, False)),
        ("one two four", None),
        ("One two three", None),
        ("two three", None),
        ("one two three two three", None),
        ("one two three three", None),
    ],
)
def test_only_beginnings_of_the_text_one_after_the_other_count(text: str, told: Told | None) -> None:
    assert read_told(text, TOLD) == told


def test_a_text_of_nothing_is_never_told() -> None:
    assert read_told("one", "") is None


@pytest.mark.parametrize(("audio_s", "least"), [(1, 1), (30, 2), (300, 24), (1800, 144)])
def test_there_may_be_less_by_what_silence_takes(audio_s: float, least: int) -> None:
    assert least_words(Expected(told=TOLD, audio_s=audio_s)) == least


def test_too_few_windows_are_another_text() -> None:
    whole = Expected(told=TOLD, audio_s=300)
    assert check(" ".join([TOLD] * 10), whole).ok is True
    assert check(" ".join([TOLD] * 11), whole).passes == 11
    assert check(" ".join([TOLD] * 7), whole).ok is False
    assert check("", whole).ok is False
    assert check("one two " * 12, whole).whole is False


def test_real_words_are_counted_by_their_errors() -> None:
    expected = Expected(spoken="good morning to you", audio_s=3)
    assert check("Good morning, to you!", expected).wer == 0
    assert check("good morning two you", expected).ok is True
    assert check("nothing of that at all", expected).ok is False
    assert check("whatever", Expected()) == check("else", Expected())
