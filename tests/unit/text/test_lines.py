"""Lines: what an engine is given in one call, from plain text, SSML and the lexicon together."""

# ruff: noqa: RUF001, RUF005  (letters that look alike are the point)
from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from talkie.text.lexicon import Entry, Lexicon
from talkie.text.lines import Line, LineReader, read_ssml, read_text
from talkie.text.parts import Pause, plain_text, speakable
from talkie.text.sentences import split
from talkie.text.ssml import parse


def lines(text: str, lexicon: Lexicon | None = None) -> list[Line | Pause]:
    reader = LineReader("en", lexicon, first_clause=False)
    return list(read_ssml(text, reader) if text.startswith("<speak") else read_text([text], reader))


def shown(parts: list[Line | Pause]) -> list[tuple[str, float] | float]:
    return [(part.said, part.pause_s) if isinstance(part, Line) else part.seconds for part in parts]


def test_plain_sentences() -> None:
    assert shown(lines("One. Two!\nThree")) == [("One.", 0.4), ("Two!", 0.6), ("Three", 0.4)]


def test_a_sentence_goes_across_markup() -> None:
    text = '<speak>See <sub alias="Doctor. Who?">Dr. W</sub> now. Then <sub alias="x">y</sub>. End</speak>'
    assert [part[0] for part in shown(lines(text)) if not isinstance(part, float)] == [
        "See Doctor. Who? now.",
        "Then x.",
        "End",
    ]


def test_another_manner_is_another_line_without_a_pause() -> None:
    first, second, third, _ = lines("<speak>A <prosody rate='200%'>quick one</prosody> ends. B</speak>")
    assert isinstance(first, Line)
    assert isinstance(second, Line)
    assert (first.said, first.pause_s, first.clause, first.rate) == ("A", 0.0, True, 1.0)
    assert (second.said, second.rate, second.pitch, second.volume, second.lang) == (" quick one", 2.0, 1.0, 1.0, None)
    assert shown([third]) == [(" ends.", 0.4)]


def test_a_pause_stands_in_place_of_that_of_the_line() -> None:
    assert shown(lines("<speak>One. <break time='2s'/> two <break time='1s'/></speak>")) == [
        ("One.", 0.0),
        2.0,
        ("two", 0.0),
        1.0,
    ]


def test_sentences_and_paragraphs_by_element() -> None:
    text = "<speak><p><s>no stop here</s><s>and here</s></p><p>new</p></speak>"
    assert shown(lines(text)) == [("no stop here", 0.0), 0.4, ("and here", 0.0), 0.6, ("new", 0.4)]


def test_phonemes_and_lexicon_keep_the_text() -> None:
    lexicon = Lexicon({"en": [Entry("SQL", "sequel"), Entry("nginx", phonemes="ɛn")]})
    (line,) = lines("I say {hello|ipa:həˈloʊ} to SQL and nginx", lexicon)
    assert isinstance(line, Line)
    assert line.text == "I say hello to SQL and nginx"
    assert line.said == "I say hello to sequel and nginx"
    assert line.has_phonemes
    assert [say.phonemes for say in line.says if say.phonemes] == ["həˈloʊ", "ɛn"]
    assert "".join(line.text[say.start : say.start + len(say.text)] for say in line.says) == line.text


def test_a_word_of_the_lexicon_is_found_in_a_text_that_comes_letter_by_letter() -> None:
    reader = LineReader("en", Lexicon({"all": [Entry("New York", "noo york")]}), first_clause=False)
    (line,) = read_text("To New York.", reader)
    assert isinstance(line, Line)
    assert line.said == "To noo york."


def test_lines_without_words_are_rests() -> None:
    assert shown(lines("One.\n\n* * *\n\nTwo.")) == [("One.", 0.6), 0.6, ("Two.", 0.4)]
    assert lines("...") == [Pause(0.4)]
    assert lines("") == []


def test_a_long_text_comes_in_bounded_lines() -> None:
    parts = lines("word " * 100_000)
    assert all(isinstance(part, Line) and len(part.text) <= 300 for part in parts)
    assert sum(len(part.text.split()) for part in parts if isinstance(part, Line)) == 100_000


@given(st.text(alphabet="ab.! \n,…今。{}|:ipə", max_size=150), st.integers(1, 9))
def test_lines_are_the_sentences_of_the_plain_text(text: str, size: int) -> None:
    reader = LineReader("en", max_chars=40)
    found = list(read_text((text[at : at + size] for at in range(0, len(text), size)), reader))
    found_lines = [part for part in found if isinstance(part, Line)]
    if "{" not in text:
        wanted = [s for s in split(text, "en", 40) if speakable(s.text)]
        assert [(part.text, part.start, part.pause_s) for part in found_lines] == [
            (s.text, s.start, s.pause_s) for s in wanted
        ]
    starts = [part.start for part in found_lines]
    assert starts == sorted(set(starts))


INNER = st.lists(
    st.sampled_from(
        [
            "a",
            " b. ",
            "<break/>",
            "<s>c d</s>",
            "<p>e. f</p>",
            "<sub alias='X. Y'>g. h</sub>",
            "! ",
            "<phoneme ph='a'/>",
        ]
        + ["<prosody rate='fast'>i</prosody>", "<lang xml:lang='de'>j. k</lang>"]
    ),
    max_size=15,
)


@given(INNER)
def test_every_word_of_the_document_is_in_one_line(inner: list[str]) -> None:
    document = f"<speak>{''.join(inner)}</speak>"
    plain = plain_text(parse(document))
    found = [part for part in lines(document) if isinstance(part, Line)]
    at = 0
    for line in found:
        assert line.start >= at
        assert not speakable(plain[at : line.start])
        assert plain[line.start :].startswith(line.text)
        at = line.start + len(line.text)
    assert not speakable(plain[at:])
