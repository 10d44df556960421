"""Word marks: one for each word of the text, in order, whatever the engine named."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from talkie.engines.base import SynthesizeOptions
from talkie.engines.tts.espeak import EspeakSynthesizer
from talkie.text.parts import Say, plain_text
from talkie.text.spoken_words import word_marks
from talkie.text.words import words
from talkie.types import Mark


def named(*rows: tuple[str, float, float]) -> list[Mark]:
    return [Mark("word", text, start_s, end_s) for text, start_s, end_s in rows]


def shown(marks: tuple[Mark, ...]) -> list[tuple[str, float, float, bool]]:
    return [(mark.text, round(mark.start_s, 3), round(mark.end_s, 3), mark.estimated) for mark in marks]


def test_words_as_a_reader_sees_them() -> None:
    def of(text: str) -> list[str]:
        return [text[start:end] for start, end in words(text)]

    assert of("Well, — I don't (really) know…") == ["Well, —", "I", "don't", "(really)", "know…"]
    assert of("- item ¿ qué ?") == ["- item", "¿ qué ?"]
    assert of("今日は、AI 東京。") == ["今", "日", "は、", "AI", "東", "京。"]
    assert of("한국 사람") == ["한국", "사람"]
    assert of("50 % & 😀") == ["50", "%", "&", "😀"]
    assert of("नमस्ते दुनिया।") == ["नमस्ते", "दुनिया।"]
    assert of("... !") == []


def test_names_are_found_and_get_their_signs_back() -> None:
    marks = word_marks("Hello, world!", named(("Hello", 0.1, 0.4), ("world", 0.5, 0.9)), 0, 1)
    assert shown(marks) == [("Hello,", 0.1, 0.4, False), ("world!", 0.5, 0.9, False)]


def test_a_number_is_one_word_however_many_were_spoken() -> None:
    rows = named(("1984", 0.0, 0.5), ("984,", 0.5, 0.8), (" ", 0.8, 1.0), ("ends", 1.0, 1.2))
    assert shown(word_marks("1984, ends", rows, 0, 2)) == [("1984,", 0.0, 1.0, False), ("ends", 1.0, 1.2, False)]


def test_one_sound_for_several_words_is_shared_by_letters() -> None:
    rows = named(("New", 0.0, 1.0), ("here", 1.0, 1.4))
    assert shown(word_marks("New Yorkers here", rows, 0, 2)) == [
        ("New", 0.0, 0.3, True),
        ("Yorkers", 0.3, 1.0, True),
        ("here", 1.0, 1.4, False),
    ]


def test_a_word_before_the_first_name_shares_with_it() -> None:
    assert shown(word_marks("ab cd", named(("cd", 0.2, 0.6)), 0, 1)) == [("ab", 0.2, 0.4, True), ("cd", 0.4, 0.6, True)]


def test_a_name_that_is_not_in_the_text_goes_to_the_word_that_has_none() -> None:
    rows = named(("say", 0.0, 0.3), ("[[h@loU]]", 0.3, 0.8), ("now", 0.8, 1.0))
    assert shown(word_marks("say hello now", rows, 0, 1)) == [
        ("say", 0.0, 0.3, False),
        ("hello", 0.3, 0.8, True),
        ("now", 0.8, 1.0, False),
    ]


def test_what_is_said_in_place_of_a_word_belongs_to_it() -> None:
    says = [Say("The ", 0), Say("WWW", 4, spoken="World Wide Web"), Say(" is", 7)]
    rows = named(("The", 0, 0.1), ("World", 0.1, 0.4), ("Wide", 0.4, 0.6), ("Web", 0.6, 0.9), ("is", 0.9, 1.0))
    assert shown(word_marks(says, rows, 0, 1)) == [
        ("The", 0, 0.1, False),
        ("WWW", 0.1, 0.9, False),
        ("is", 0.9, 1.0, False),
    ]


def test_repeated_words_keep_their_own_times() -> None:
    rows = named(("no", 0.0, 0.1), ("no", 0.2, 0.3), ("no", 0.4, 0.5))
    assert [mark.start_s for mark in word_marks("no, no, no", rows, 0, 1)] == [0.0, 0.2, 0.4]


def test_a_word_lasts_through_its_sounds() -> None:
    sounds = [Mark("phoneme", "a", at / 10, at / 10 + 0.1) for at in range(10)]
    rows = named(("3.50", 0.0, 0.3), ("now", 0.7, 0.9))
    assert shown(word_marks("3.50 now", [*sounds, *rows], 0, 2)) == [("3.50", 0, 0.7, False), ("now", 0.7, 1.0, False)]


def test_nothing_known_is_spread_and_says_so() -> None:
    assert shown(word_marks("ab abcd", [], 1, 2)) == [("ab", 1.0, 1.333, True), ("abcd", 1.333, 2.0, True)]
    sounds = [Mark("phoneme", "a", at, at + 0.5) for at in range(3)]
    assert shown(word_marks("a bb", sounds, 0, 9)) == [("a", 0, 0.5, True), ("bb", 1, 2.5, True)]
    assert word_marks("... !", named(("x", 0, 1)), 0, 1) == ()


TEXTS = st.lists(
    st.sampled_from(
        ["the", "a", "1984,", "3.50", "e.g.", "—", "don't", "今日", "(well)", "😀", "\n", "www.x.org", "%"]
    ),
    max_size=15,
).map(" ".join)
NAMES = st.lists(
    st.sampled_from(["the", "a", "1984", "984,", "e", "don", " ", "", "zzz", "今", "%", "www"]), max_size=15
)


@given(TEXTS | st.text(max_size=60), NAMES, st.booleans())
def test_every_word_gets_exactly_one_mark(text: str, names: list[str], respelled: bool) -> None:
    says = [Say(text, 0), Say(" end.", len(text), spoken="the end, said otherwise" if respelled else None)]
    rows = [Mark("word", name, 0.1 * at, 0.1 * at + 0.1) for at, name in enumerate(names)]
    marks = word_marks(says, rows, 0.0, 2.0)
    plain = plain_text(says)
    assert [mark.text for mark in marks] == [plain[start:end] for start, end in words(plain)]
    assert "".join("".join(mark.text.split()) for mark in marks) == "".join(plain.split())
    assert all(0.0 <= mark.start_s <= mark.end_s <= 2.0 for mark in marks)
    assert all(one.end_s <= other.start_s for one, other in pairwise(marks))


def test_espeak_names_are_found_in_many_languages() -> None:
    engine = EspeakSynthesizer()
    try:
        for voice, text, exact in [
            ("en-us", "Dr. Smith doesn't owe $3.50 in 1984, e.g. at www.x.org, ok?", 11),
            ("de", "Am 3. Mai waren es 20 Grad & mehr, um 17:30 Uhr.", 11),
            ("fr-fr", "L'été, il y a 21 jours; c'est-à-dire trop.", 8),
            ("es", "¿Qué tal, señor? Son 1.000 € ya.", 7),
            ("ar", "مرحبا بالعالم الجميل", 3),
            ("hi", "नमस्ते दुनिया, आप कैसे हैं?", 5),
            ("ru", "Привет, мир! Сегодня 5 мая.", 5),
        ]:
            chunks = list(engine.synthesize(text, SynthesizeOptions(voice=voice)))
            end_s = sum(len(chunk.samples) for chunk in chunks) / chunks[0].sample_rate
            marks = word_marks(text, [mark for chunk in chunks for mark in chunk.marks], 0.0, end_s)
            assert " ".join(mark.text for mark in marks) == text
            assert sum(not mark.estimated for mark in marks) >= exact - 2, voice
            assert all(one.end_s <= other.start_s for one, other in pairwise(marks))
    finally:
        engine.close()
