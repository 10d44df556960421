"""One form for what is the same when spoken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.text.normalize import normalize, normalize_english, normalize_generic

SAME = [
    ("It\u2019s 5 o'clock!", "it is five o'clock"),
    ("He WON'T; she can't.", "he will not she can not"),
    ("Mr. Smith cost $5.50", "mister smith cost 5.50 dollars"),
    ("20% of 1,000 people", "twenty percent of one thousand people"),
    ("the colour grey, realised", "the color gray realized"),
    ("uh, well-known [laughter] (sighs) café", "well known cafe"),
    ("let's go", "let us go"),
    ("U.S. 3.5", "u s three point five"),
    ("they'd've said okay", "they would have said ok"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_when_spoken(one: str, other: str) -> None:
    assert normalize(one) == normalize(other)


@pytest.mark.parametrize(
    ("one", "other"), [("was", "were"), ("cats", "cat"), ("15", "50"), ("not", "now"), ("first", "one")]
)
def test_other_words_stay_other_words(one: str, other: str) -> None:
    assert normalize(one) != normalize(other)


def test_other_languages_keep_their_letters() -> None:
    assert normalize("Straße, schön!", "de") == "strasse schön"
    assert normalize("¿Qué tal?", "es") == "qué tal"
    assert normalize("हिन्दी।", "hi") == "हिन्दी"
    assert normalize("今日は、東京。", "ja") == "今 日 は 東 京"


@given(st.text(max_size=60), st.sampled_from(["en", "de", "ja", ""]))
def test_any_text_has_one_form_and_no_punctuation(text: str, language: str) -> None:
    once = normalize(text, language)
    assert once == " ".join(once.split())
    assert not set(once) & set('!?,;:"“”()[]{}')


@given(st.text(alphabet="abcdefg '.,19 ", max_size=40))
def test_case_does_not_matter(text: str) -> None:
    assert normalize_english(text) == normalize_english(text.upper())
    assert normalize_generic(text) == normalize_generic(text.upper())
