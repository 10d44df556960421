"""Sentences: found in many languages, bounded, without losing or doubling a character, however the text comes in."""

# ruff: noqa: RUF001, RUF005  (letters that look alike are the point)
from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talkie.text.graphemes import safe_cut
from talkie.text.sentences import CLAUSE_S, LINE_S, SENTENCE_S, Sentence, SentenceSplitter, split

WHOLE = [
    ("en", ["Dr. Smith owes $3.50, e.g. at www.x.org.", "He met J. R. Smith at 5 p.m.", "Then he left."]),
    ("en", ["Visit https://a.b/c?d=1!x or me@b.co.uk now.", "Is it No. 5?", 'She said "No." twice.', "Right."]),
    ("en", ["Wait… no, wait... but why.", "Really?!", "Yes!"]),
    ("en", ['"Stop!" he said.', "(He meant it.)", "Nobody moved, etc. and so on."]),
    ("en", ["hi.", "how are you?", "fine.", "thanks"]),
    ("en", ["It was Plan I.", "Then came another, at 3.14 or so."]),
    ("en", ["The U.S. Army came in 1984.", "It was cold, approx. ten degrees."]),
    ("de", ["Am 3. Mai kam z. B. Herr Dr. Müller, d.h. er selbst.", "Im Jahr 1984.", "Dann ging er usw. weiter."]),
    ("de", ["„Nein!“ rief er.", "Das war im 19. Jahrhundert.", "Dr. med. Ott, Hauptstr. 5."]),
    ("", ["Am 3. Mai kam er.", "I have 3.", "Then 4."]),
    ("es", ["El Sr. Pérez llegó a las 3 p.m. ayer.", "¿Qué tal?", "¡Bien!", "Vive en la pág. 5.", "Los EE. UU. son."]),
    ("fr", ["« Bonjour ! » dit-il.", "Quoi ?", "Mme. Dupont est là, av. Foch, etc. et voilà."]),
    ("el", ["Τι κάνεις;", "Καλά."]),
    ("zh", ["今天天气很好。", "再见！", "「你好。」", "他说"]),
    ("ja", ["今日は。", "元気ですか？", "はい"]),
    ("hi", ["नमस्ते।", "आप कैसे हैं?", "ठीक।"]),
    ("ar", ["مرحبا.", "كيف حالك؟", "بخير۔", "نعم"]),
    ("am", ["ሰላም።", "እንዴት ነህ?"]),
    ("hy", ["Բարեւ։", "Ինչպես ես"]),
]


@pytest.mark.parametrize(("language", "sentences"), WHOLE)
def test_sentences_of_many_languages(language: str, sentences: list[str]) -> None:
    found = split(" ".join(sentences), language, first_clause=False)
    assert [sentence.text for sentence in found] == sentences
    assert {sentence.pause_s for sentence in found} == {SENTENCE_S}
    assert not any(sentence.clause for sentence in found)


def test_full_width_stops_need_no_space() -> None:
    assert [s.text for s in split("好。再见！Hello.再", "zh")] == ["好。", "再见！", "Hello.再"]


def test_lines_end_sentences() -> None:
    text = "A heading\n\nFirst paragraph.\nSecond line\n1. One thing\n2. Another thing\n- bullet\n* bullet two\n"
    found = split(text)
    assert [s.text for s in found] == [line for line in text.splitlines() if line]
    assert {s.pause_s for s in found} == {LINE_S}


def test_lines_broken_by_an_editor_do_not() -> None:
    text = (
        "This paragraph was broken by an editor so that its lines are\n"
        "all of about the same length, as in many mails.\nThen\nDr.\n"
    )
    assert [s.text for s in split(text)] == [
        "This paragraph was broken by an editor so that its lines are\nall of about the same length, as in many mails.",
        "Then",
        "Dr.",
    ]


def test_a_bullet_after_a_long_line_is_a_line_of_its_own() -> None:
    long = "this line is as long as the lines that an editor breaks by itself"
    assert [s.text for s in split(f"{long}\n- one\n")] == [long, "- one"]
    assert [s.text for s in split(f"{long}\n\nnew")] == [long, "new"]


def test_the_first_clause_leaves_early_and_only_the_first() -> None:
    text = (
        "Good morning everybody here, welcome to the show of tonight, which is long. And more, of which there is a lot."
    )
    first, second, third = split(text)
    assert (first.text, first.clause, first.pause_s) == ("Good morning everybody here,", True, CLAUSE_S)
    assert second == Sentence("welcome to the show of tonight, which is long.", 29, SENTENCE_S)
    assert third.text.startswith("And more")


@pytest.mark.parametrize(
    "text",
    [
        "Yes, of course I will come to see you tomorrow at ten",  # the clause is too short to be said alone
        "We will come to see you tomorrow, at ten.",  # what follows is not worth the cut
        "The meeting begins at exactly 10:30 and ends at 1,000,000 or so",  # signs inside numbers
    ],
)
def test_a_short_clause_does_not(text: str) -> None:
    assert [s.text for s in split(text)] == [text]


def test_a_first_clause_of_chinese_is_shorter() -> None:
    first, *_ = split("今天的天气真的很好，我们一起去公园里散步吧，然后再去吃一顿非常好吃的晚饭。")
    assert first == Sentence("今天的天气真的很好，", 0, CLAUSE_S, clause=True)


def test_no_punctuation_is_cut_between_words() -> None:
    found = split("the quick brown fox " * 40)
    assert all(len(s.text) <= 300 and s.text[0] != " " for s in found)
    assert " ".join(s.text for s in found) == ("the quick brown fox " * 40).strip()
    assert all(s.clause and not s.pause_s for s in found[:-1])


def test_no_space_is_cut_between_characters() -> None:
    family = "👨‍👩‍👧‍👦"
    found = split(family * 100, max_chars=50)
    assert {s.text.replace(family, "") for s in found} == {""}
    accents = split("e\u0301" * 101, max_chars=75)
    assert all(s.text[0] == "e" and len(s.text) <= 75 for s in accents)


def test_a_long_sentence_is_cut_at_a_sign_rather_than_a_word() -> None:
    text = "word " * 30 + "and here it rests, " + "word " * 60
    first, *_ = split(text, first_clause=False)
    assert first.text.endswith("rests,")


def test_cuts_between_characters() -> None:
    assert safe_cut("ae\u0301b", 2, 0) == 1
    assert safe_cut("🇩🇪🇫🇷", 3, 0) == 2
    assert safe_cut("한국", 1, 0) == 1
    assert safe_cut("ङक्ष", 3, 0) == 1
    assert safe_cut("a\r\nb", 2, 0) == 1
    assert safe_cut("e" + "\u0301" * 500, 300, 0) == 300  # no character is as long as that


def test_a_megabyte_of_anything() -> None:
    for piece, length in [
        ("a", 1_000_000), ("word ", 1_000_000), (".", 1_000_000), ("Hello, world. ", 1_000_000), ("\n", 1_000_000),
        ("a. ", 100_000), ("a\u0301", 100_000), ('."', 100_000), ("x\n", 100_000), ("…", 100_000), ("a,", 100_000),
    ]:  # fmt: skip
        text = piece * (length // len(piece))
        found = split(text)
        assert sum(len(s.text) for s in found) <= len(text)
        assert all(len(s.text) <= 300 for s in found)


PIECES = st.sampled_from(
    [
        "a",
        "B",
        "word",
        "Dr",
        "z",
        "3",
        "14",
        ". ",
        ".",
        "!",
        "?",
        "…",
        " ",
        "  ",
        "\n",
        "\n\n",
        ", ",
        ",",
        ": ",
        '"',
        "»",
    ]
    + ["(", ")", "。", "今", "，", "।", "न", "\u0301", "👨‍👩‍👧", "- ", "1. ", "Mai ", "etc", "\t", "\r\n", "e.g", "한"]
)
TEXTS = st.one_of(st.lists(PIECES, max_size=120).map("".join), st.text(max_size=300))
LIMITS = st.sampled_from([1, 2, 7, 30, 300])


@settings(max_examples=300)
@given(TEXTS, LIMITS, st.booleans(), st.sampled_from(["", "de", "en", "el"]))
def test_no_character_is_lost_or_doubled(text: str, limit: int, first: bool, language: str) -> None:
    found = split(text, language, limit, first)
    for sentence in found:
        assert text[sentence.start : sentence.start + len(sentence.text)] == sentence.text
        assert sentence.text == sentence.text.strip() != ""
        assert len(sentence.text) <= limit
    ends = [0, *(s.start + len(s.text) for s in found)]
    starts = [*(s.start for s in found), len(text)]
    assert all(text[end:start].strip() == "" and end <= start for end, start in zip(ends, starts, strict=True))


@settings(max_examples=300)
@given(TEXTS, LIMITS, st.lists(st.integers(0, 300), max_size=12), st.booleans())
def test_it_does_not_matter_in_which_pieces_a_text_comes(text: str, limit: int, cuts: list[int], first: bool) -> None:
    splitter = SentenceSplitter("en", limit, first)
    edges = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    found = [sentence for start, end in pairwise(edges) for sentence in splitter.feed(text[start:end])]
    assert found + splitter.finish() == split(text, "en", limit, first)


@given(TEXTS)
def test_letter_by_letter(text: str) -> None:
    splitter = SentenceSplitter(max_chars=40)
    found = [sentence for letter in text for sentence in splitter.feed(letter)]
    assert found + splitter.finish() == split(text, max_chars=40)


@given(st.text(alphabet="ae\u0301\u200d👨👩🇩🇪क्ष한ᄒ", max_size=200))
def test_marks_are_never_cut_from_their_letter(text: str) -> None:
    for sentence in split(text, max_chars=70, first_clause=False)[1:]:
        longest = max((len(run) for run in text.replace("\u0301", " ").replace("\u200d", " ").split(" ")), default=0)
        if longest > 1 and sentence.start and not text[sentence.start - 1].isspace():
            first = sentence.text[0]
            run = 0
            while sentence.start > run and unicodedata.category(text[sentence.start - 1 - run])[0] == "M":
                run += 1
            assert unicodedata.category(first)[0] != "M" or run > 5


def test_what_is_said_early_waits_for_no_more_than_it_needs() -> None:
    splitter = SentenceSplitter()
    assert splitter.feed("Hello there.") == []  # it may be `Hello there.com`
    assert [s.text for s in splitter.feed(" N")] == ["Hello there."]
    assert [s.text for s in splitter.feed("ow a line\n")] == ["Now a line"]
    assert [s.text for s in splitter.feed("再见。今")] == ["再见。"]


def test_offsets_go_on_after_the_end() -> None:
    splitter = SentenceSplitter()
    assert [s.start for s in splitter.feed("One.") + splitter.finish()] == [0]
    assert [s.start for s in splitter.feed(" Two.") + splitter.finish()] == [5]


def test_nothing_is_nothing() -> None:
    assert split("") == split(" \n\t ") == []


def test_a_bound_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="max_chars"):
        SentenceSplitter(max_chars=0)
