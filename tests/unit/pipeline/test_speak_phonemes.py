"""Phonemes guessed from letters and spread over their words."""

# ruff: noqa: RUF001  (IPA has letters of its own that look like others)

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.pipeline.speak_phonemes import guessed, spread
from talkie.text.visemes import knows
from talkie.types import Mark


@pytest.mark.parametrize(
    ("word", "sounds"),
    [
        ("sheep,", "ʃ iː p"),
        ("Church", "tʃ ʊ ɹ tʃ"),
        ("letter", "l ɛ t ɛ ɹ"),
        ("Straße", "s t ɹ a s ɛ"),
        ("être", "ɛ t ɹ ɛ"),
        ("Москва", "m ɔ s k v a"),
        ("γάλα", "ɣ a l a|ɡ a l a"),
        ("漢字", "a"),
        ("...", ""),
    ],
)
def test_letters_become_sounds(word: str, sounds: str) -> None:
    assert " ".join(guessed(word)) in sounds.split("|")


@given(st.text(max_size=20), st.floats(0, 100), st.floats(0, 5))
def test_sounds_fill_their_word(text: str, start_s: float, length_s: float) -> None:
    word = Mark("word", text, start_s, start_s + length_s)
    sounds = list(spread([word]))
    assert all(knows(sound.text) and sound.estimated for sound in sounds)
    assert all(one.end_s == two.start_s for one, two in pairwise(sounds))
    if sounds:
        assert sounds[0].start_s == word.start_s
        assert sounds[-1].end_s == pytest.approx(word.end_s)


def test_vowels_last_longer_than_consonants() -> None:
    first, second = spread([Mark("word", "ma", 0.0, 0.3)])
    assert second.end_s - second.start_s == pytest.approx(2 * (first.end_s - first.start_s))
