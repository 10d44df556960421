"""Phonemes in a plain text: found wherever the text is cut, and braces of other kinds are left alone."""

# ruff: noqa: RUF001  (letters that look alike are the point)
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.errors import InvalidValue
from talkie.text.inline import InlineReader
from talkie.text.parts import Say, plain_text


def read(*pieces: str) -> list[Say]:
    reader = InlineReader()
    return [say for piece in pieces for say in reader.feed(piece)] + reader.finish()


def test_phonemes_with_and_without_letters() -> None:
    assert read("Say {hello|ipa:həˈloʊ} or {ipa:haɪ}!") == [
        Say("Say ", 0),
        Say("hello", 4, phonemes="həˈloʊ"),
        Say(" or ", 9),
        Say("haɪ", 13, phonemes="haɪ"),
        Say("!", 16),
    ]


@pytest.mark.parametrize(
    "text", ["{}", "{a}", "{a|b}", "{ipa:", "a } b {", "{\nipa:a}", "{{a}}", "{json: 1}", "{" * 50]
)
def test_other_braces_are_text(text: str) -> None:
    assert plain_text(read(text)) == text
    assert not any(say.whole for say in read(text))


@pytest.mark.parametrize("phonemes", ["[[x]]", "a<b", "!", "ˈ", "a\x00"])
def test_what_is_no_ipa_is_an_error(phonemes: str) -> None:
    with pytest.raises(InvalidValue, match="not IPA"):
        read(f"{{ipa:{phonemes}}}")


PARTS = st.lists(st.sampled_from(["{ipa:a}", "{b|ipa:i}", "{", "}", "ipa:", "|", "word ", "\n"]), max_size=20)


@given(PARTS, st.integers(1, 5))
def test_it_does_not_matter_in_which_pieces_it_comes(parts: list[str], size: int) -> None:
    text = "".join(parts)
    whole, pieces = read(text), read(*(text[at : at + size] for at in range(0, len(text), size)))
    assert plain_text(pieces) == plain_text(whole)
    assert [say for say in pieces if say.whole] == [say for say in whole if say.whole]


def test_a_brace_that_is_never_closed_is_not_kept_back_for_ever() -> None:
    reader = InlineReader()
    assert reader.feed("{ipa:a") == []
    assert plain_text(reader.feed("a" * 1000)).startswith("{ipa:aa")
