from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.errors import InvalidValue
from talkie.text.languages import LANGUAGES, OTHER_CODES, OTHER_NAMES, language_name, parse_language


def test_whispers_hundred_languages_in_the_order_of_its_tokens() -> None:
    codes = list(LANGUAGES)
    assert len(codes) == 100 and codes[:3] == ["en", "zh", "de"] and codes[-2:] == ["su", "yue"]
    assert all(name == name.lower() and name for name in LANGUAGES.values())
    assert set(OTHER_CODES.values()) | set(OTHER_NAMES.values()) <= set(LANGUAGES)
    assert not set(OTHER_CODES) & set(LANGUAGES)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, None), ("", None), (" ", None), ("auto", None), ("AUTO", None), ("en", "en"), ("EN", "en"),
        ("en-US", "en"), ("en_GB.UTF-8", "en"), ("zh-Hans-CN", "zh"), ("english", "en"), (" English ", "en"),
        ("Haitian  Creole", "ht"), ("mandarin", "zh"), ("Flemish", "nl"), ("jv", "jw"), ("iw", "he"), ("nb-NO", "no"),
        ("haw", "haw"), ("yue", "yue"), ("pt-br", "pt"),
    ],
)  # fmt: skip
def test_what_people_and_programs_write(text: str | None, code: str | None) -> None:
    assert parse_language(text) == code


def test_an_unknown_one_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidValue) as refused:
        parse_language("germn")
    assert refused.value.param == "language" and "german (de)" in refused.value.hint
    with pytest.raises(InvalidValue, match="There is no language 'xx-yy'"):
        parse_language("xx-YY")


def test_names() -> None:
    assert language_name("de") == "german" and language_name("tlh") == "tlh"


@given(st.text())
def test_any_text_is_a_code_none_or_a_short_refusal(text: str) -> None:
    try:
        assert parse_language(text) in {None, *LANGUAGES}
    except InvalidValue as refused:
        assert len(refused.message) < 300


@given(st.sampled_from(sorted(LANGUAGES)))
def test_codes_and_names_say_the_same(code: str) -> None:
    assert parse_language(code) == parse_language(LANGUAGES[code]) == parse_language(code.upper() + "-XX") == code
