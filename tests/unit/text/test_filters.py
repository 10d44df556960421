from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.text.compression import compression_ratio
from talkie.text.filters import FILTERS, FilterContext, apply, phrase_key
from talkie.text.languages import LANGUAGES
from talkie.text.phrases import CREDITS, CREDITS_ANYWHERE, PHRASES
from talkie.text.scripts import SCRIPTS, allowed, letters_by_script
from talkie.types import Segment, Span

SPEECH = (Span(0.0, 10.0),)
ENGLISH = FilterContext("en", SPEECH)


def heard(text: str, start_s: float = 1.0, end_s: float = 3.0, **figures: float) -> Segment:
    """As Whisper writes it when it is sure."""
    return replace(Segment(text, start_s, end_s, tokens=(1, 2), avg_logprob=-0.25, no_speech_prob=0.02), **figures)


@pytest.mark.parametrize(
    "text",
    [
        "Thank you.",
        "Bye.",
        "no no no",
        "No, no, no, no, no, no, no!",
        "Ha ha ha ha ha.",
        "five five five one two one two",
        "0800 000 000 00",
        "+49 (0)30 555-0100",
        "It was very, very, very, very good.",
        "Let it be, let it be, let it be, let it be.",
        "$5!",
        "C#",
        "Yes.",
        "Okay.",
        "The word Straße and the name Dvořák and π.",
        "He said спасибо to the driver and left the house.",
        "Subtitles by the way are useful.",
    ],
)
def test_honest_speech_survives(text: str) -> None:
    assert apply(heard(text), ENGLISH) is None
    assert apply(heard(text), FilterContext("en", None)) is None


@pytest.mark.parametrize("text", ["Thank you.", "you", "Thanks for watching!", "thank you thank you thank you", "Bye."])
def test_a_known_phrase_goes_in_doubt_or_silence_only(text: str) -> None:
    assert apply(heard(text), ENGLISH) is None
    assert apply(heard(text, avg_logprob=-0.9), ENGLISH) == "known_phrase"
    assert apply(heard(text, no_speech_prob=0.7), ENGLISH) == "known_phrase"
    assert apply(heard(text, 9.9, 12.0), ENGLISH) == "known_phrase"  # a tenth of a second of speech


def test_a_sentence_that_begins_like_a_phrase_is_none() -> None:
    assert apply(heard("Thank you for the bread.", avg_logprob=-0.9), ENGLISH) is None


@pytest.mark.parametrize("text", ["Okay.", "Yes.", "So...", "Hm.", "No!", "はい。"])
def test_a_mumbled_word_is_kept(text: str) -> None:
    """Short answers are often unsure and nobody's credits: only silence and other filters take them."""
    assert apply(heard(text, avg_logprob=-1.4), FilterContext("ja" if "は" in text else "en", SPEECH)) is None


def test_an_engine_without_tokens_has_no_doubts_of_that_kind() -> None:
    assert apply(heard("thank you", tokens=(), avg_logprob=-2.0), ENGLISH) is None


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Untertitel der Amara.org-Community"),
        ("de", "Vielen Dank fürs Zuschauen."),
        ("fr", "Sous-titres réalisés par la communauté d'Amara.org"),
        ("es", "¡Suscríbete al canal!"),
        ("ru", "Субтитры сделал DimaTorzok"),
        ("ru", "Продолжение следует..."),
        ("ja", "ご視聴ありがとうございました。"),
        ("ko", "시청해주셔서 감사합니다."),
        ("zh", "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目"),
        ("tr", "Altyazı M.K."),  # noqa: RUF001
        ("de", "Thank you."),
        ("cy", "Thanks for watching!"),
    ],
)
def test_phrases_and_credits_of_many_languages(language: str, text: str) -> None:
    context = FilterContext(language, SPEECH)
    assert apply(heard(text, avg_logprob=-1.2), context) == "known_phrase"
    assert apply(heard(text), context) is None


@pytest.mark.parametrize(
    "text",
    [
        "and then we go " * 12,
        "la " * 40,
        "the cat sat " * 8 + "and so on",
        "我们我们我们我们" * 12,
        "ああ" * 60,
        "w" * 120,
    ],
)
def test_loops(text: str) -> None:
    language = "zh" if "我" in text else "ja" if "あ" in text else "en"
    assert apply(heard(text), FilterContext(language, SPEECH)) == "repetition"


def test_what_only_compresses_well_goes_in_doubt_only() -> None:
    text = "one two one one two two one two one two two one one one two one two two two one " * 2 + "zero"
    assert compression_ratio(text) > 2.4
    assert apply(heard(text), ENGLISH) is None
    assert apply(heard(text, avg_logprob=-1.5), ENGLISH) == "compression"


@pytest.mark.parametrize("text", ["...", "♪♪♪", "- - -", "?!", "♪ ~ ♪ ~ a"])
def test_hardly_a_letter(text: str) -> None:
    assert apply(heard(text), ENGLISH) == "low_alphanumeric"


def test_text_where_nobody_speaks() -> None:
    assert apply(heard("I am here.", 20.0, 22.0), ENGLISH) == "non_speech"
    assert apply(heard("I am here.", 10.2, 11.0), ENGLISH) is None  # times are rounded
    assert apply(heard("I am here.", 20.0, 22.0), FilterContext("en", None)) is None
    assert apply(heard("I am here."), FilterContext("en", ())) == "non_speech"


@pytest.mark.parametrize(
    ("language", "text", "fits"),
    [
        ("en", "さようなら、皆さん", False),
        ("en", "Привет всем", False),
        ("ja", "さようなら、皆さん", True),
        ("ja", "OK、Tシャツを買う", True),
        ("ko", "안녕하세요 여러분", True),
        ("ko", "さようなら", False),
        ("ru", "Hello everybody", True),
        ("sr", "Добар дан и dobar dan", True),
        ("hi", "नमस्ते दुनिया", True),
        ("th", "สวัสดีครับ", True),
        ("el", "Καλημέρα", True),
        ("ar", "مرحبا", True),
        ("zh", "ＡＢＣ你好", True),
        ("", "さようなら", True),
    ],
)  # fmt: skip
def test_scripts(language: str, text: str, fits: bool) -> None:
    assert apply(heard(text), FilterContext(language, SPEECH)) == (None if fits else "foreign_script")


def test_the_tables_are_well_formed() -> None:
    assert set(PHRASES) <= set(LANGUAGES) and set(CREDITS) <= set(PHRASES) and set(SCRIPTS) <= set(LANGUAGES)
    for language, texts in (*PHRASES.items(), *CREDITS.items()):
        for text in texts:
            assert phrase_key(text)
            letters = letters_by_script(text)
            assert sum(letters[script] for script in allowed(language)) == letters.total(), (language, text)
    assert all(phrase_key(credit) == credit for credit in CREDITS_ANYWHERE)


anything = st.builds(
    Segment,
    text=st.text(max_size=300) | st.text(st.sampled_from("ab あ.♪"), max_size=300),
    start_s=st.floats(),
    end_s=st.floats(),
    tokens=st.sampled_from([(), (1,)]),
    avg_logprob=st.floats(),
    no_speech_prob=st.floats(),
)
contexts = st.builds(
    FilterContext,
    language=st.sampled_from(["", "xx", *LANGUAGES]),
    speech=st.none() | st.lists(st.builds(Span, st.floats(), st.floats()), max_size=3).map(tuple),
)


@given(anything, contexts)
def test_never_raises_and_always_says_the_same(segment: Segment, context: FilterContext) -> None:
    reasons = [look(segment, context) for look in FILTERS]
    assert [look(segment, context) for look in FILTERS] == reasons
    assert apply(segment, context) == next((reason for reason in reasons if reason), None)


@given(contexts)
def test_no_text_is_no_hallucination(context: FilterContext) -> None:
    assert apply(heard(" \n"), context) is None


@given(st.text("abcdefghij ", min_size=1, max_size=60), st.integers(0, 400))
def test_speed_does_not_hang_on_length(text: str, times: int) -> None:
    assert apply(heard(text * times), ENGLISH) in {None, "repetition", "low_alphanumeric"}
