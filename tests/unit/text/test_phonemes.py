"""Phonemes in their three spellings."""

# ruff: noqa: RUF001  (letters that look alike are the point)
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.text.phonemes import LETTERS, ipa_of_arpabet, ipa_of_xsampa, is_ipa, split_ipa, stranger


@pytest.mark.parametrize(
    ("text", "sounds"),
    [
        ("həˈloʊ", ("h", "ə", "l", "o", "ʊ")),
        ("ˈɔːɹ", ("ɔː", "ɹ")),
        ("t͡ʃɛ̃ʒ", ("t͡ʃ", "ɛ̃", "ʒ")),
        ("tʃʰi˥˧", ("t", "ʃʰ", "i")),
        ("(en)naɪs(ja)", ("n", "a", "ɪ", "s")),
        ("lOŋ tˈAbəl", ("l", "o", "ʊ", "ŋ", "t", "e", "ɪ", "b", "ə", "l")),
        ("ç ã", ("ç", "ã")),
        ("", ()),
        ("ˈ.|", ()),
    ],
)
def test_sounds_of_ipa(text: str, sounds: tuple[str, ...]) -> None:
    assert split_ipa(text) == sounds


@given(st.text(max_size=50))
def test_any_text_splits_into_sounds(text: str) -> None:
    assert all(sound[:1].strip() for sound in split_ipa(text))


def test_what_is_ipa() -> None:
    assert all(map(is_ipa, ["həˈloʊ", "t͡ʃ", "ɛ̃", "ã", "ma˥", "a.b", "bɔ̃ ʒuʁ"]))
    assert not any(map(is_ipa, ["", " ", "ˈ", "[a]", "a<b", "a]]", "a\n", "A", "a" * 500, "a_b"]))
    assert stranger("həl[o") == "["


def test_arpabet() -> None:
    assert [ipa_of_arpabet(name) for name in ("HH", "AH0", "L", "OW1", "CH", "dh")] == ["h", "ʌ", "l", "oʊ", "tʃ", "ð"]
    assert [ipa_of_arpabet(name) for name in ("SIL", "+NSN+", "<s>")] == ["", "", ""]
    assert ipa_of_arpabet("QQ") is None
    assert ipa_of_arpabet("ə") is None


def test_x_sampa() -> None:
    assert ipa_of_xsampa('h@"loU') == "həˈloʊ"
    assert ipa_of_xsampa("r\\E~_hi:") == "ɹɛ̃ʰiː"
    assert ipa_of_xsampa("s`@`") == "ʂɚ"
    assert ipa_of_xsampa("ä") is None
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz123456789@{}&":
        assert set(ipa_of_xsampa(letter) or "?") <= LETTERS, letter
