"""SSML: what each element becomes, and that everything wrong is an error with its line."""

# ruff: noqa: RUF001, RUF005  (letters that look alike are the point)
from __future__ import annotations

import math
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.errors import BadSsml
from talkie.text.parts import Pause, Say, plain_text
from talkie.text.ssml import looks_like_ssml, parse

DOCUMENT = """<?xml version="1.0" encoding="utf-8"?>
<speak version="1.1" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-GB">
  <p><s>Hello <sub alias="World Wide Web">WWW</sub>, you.</s>
     <s>Again<break time="1s"/></s></p>
  Then <prosody rate="150%">quick<prosody rate="+10%" pitch="-12st" volume="-6dB">er</prosody></prosody>
  <lang xml:lang="de">Guten Tag</lang>
</speak>
"""


def speak(inner: str) -> str:
    return f"<speak>{inner}</speak>"


def says(inner: str) -> list[Say]:
    return [part for part in parse(speak(inner)) if isinstance(part, Say)]


def test_a_whole_document() -> None:
    parts = parse(DOCUMENT)
    assert plain_text(parts) == "Hello WWW, you. Again Then quicker Guten Tag"
    assert [part.seconds for part in parts if isinstance(part, Pause)] == [0.4, 1.0]
    said = {part.text.strip(): part for part in parts if isinstance(part, Say) and part.text.strip()}
    assert said["WWW"].said == "World Wide Web"
    assert said["WWW"].lang == "en-gb"
    assert (said["quick"].rate, said["quick"].pitch) == (1.5, 1.0)
    assert (said["er"].rate, said["er"].pitch) == (1.65, 0.5)
    assert said["er"].volume == pytest.approx(0.501, abs=0.001)
    assert said["Guten Tag"].lang == "de"


def test_offsets_are_those_of_the_plain_text() -> None:
    plain = plain_text(parse(DOCUMENT))
    for part in parse(DOCUMENT):
        if isinstance(part, Say):
            assert plain[part.start : part.start + len(part.text)] == part.text


@pytest.mark.parametrize(
    ("attributes", "seconds"),
    [("", 0.4), ('time="250ms"', 0.25), ('time="1.5s"', 1.5), ('strength="none"', 0), ('strength="x-strong"', 1.2)]
    + [('time="2s" strength="weak"', 2), ('time="0s"', 0)],
)
def test_breaks(attributes: str, seconds: float) -> None:
    assert parse(speak(f"a<break {attributes}/>b")) == (Say("a", 0), Pause(seconds), Say(" b", 1))


def test_breaks_add_up_and_stand_in_place_of_the_end_of_a_sentence() -> None:
    parts = parse(speak("<s>a</s><break time='1s'/><break time='2s'/><s>b</s>c<p>d</p>"))
    assert [p.seconds for p in parts if isinstance(p, Pause)] == [3.0, 0.4, 0.6]


@pytest.mark.parametrize(
    ("interpretation", "text", "said"),
    [
        ("characters", "abc ß", "A B C ß"),
        ("spell-out", "é1", "É 1"),
        ("digits", "12 34", "1 2 3 4"),
        ("telephone", "+49 (30) 12-34", "+ 4 9, 3 0, 1 2, 3 4"),
        ("cardinal", "1,234", "1,234"),
    ],
)
def test_say_as(interpretation: str, text: str, said: str) -> None:
    (found,) = says(f'<say-as interpret-as="{interpretation}">{text}</say-as>')
    assert (found.text, found.said) == (text, said)


@pytest.mark.parametrize(
    ("language", "number", "said"),
    [("en", "1", "1st"), ("en-us", "12", "12th"), ("en", "23", "23rd"), ("en", "111", "111th"), ("de", "3", "3.")]
    + [("fr", "1", "1er"), ("fr", "2", "2e"), ("es", "3", "3º")],
)
def test_ordinals(language: str, number: str, said: str) -> None:
    (found,) = says(f'<s xml:lang="{language}"><say-as interpret-as="ordinal">{number}</say-as></s>')
    assert found.said == said


@pytest.mark.parametrize(
    ("attribute", "value", "factor"),
    [
        ("rate", "slow", 0.75),
        ("rate", "1.2", 1.2),
        ("rate", "80%", 0.8),
        ("rate", "-20%", 0.8),
        ("pitch", "x-high", 1.6),
    ]
    + [("pitch", "+10%", 1.1), ("pitch", "+12st", 2), ("volume", "silent", 0), ("volume", "80", 0.8)]
    + [("volume", "150%", 1.5), ("volume", "+0dB", 1), ("volume", " soft ", 0.5), ("rate", "default", 1)],
)
def test_prosody(attribute: str, value: str, factor: float) -> None:
    (found,) = says(f'<prosody {attribute}="{value}">a</prosody>')
    assert getattr(found, attribute) == pytest.approx(factor)


def test_phonemes() -> None:
    assert says('<phoneme alphabet="ipa" ph="həˈloʊ">hello</phoneme>') == [Say("hello", 0, phonemes="həˈloʊ")]
    assert says('<phoneme alphabet="x-sampa" ph="h@&quot;loU">hello</phoneme>') == [Say("hello", 0, phonemes="həˈloʊ")]
    assert says('<phoneme ph="həˈloʊ"/>') == [Say("həˈloʊ", 0, phonemes="həˈloʊ")]


WRONG = [
    ("<speak>\n<voice name='x'>a</voice></speak>", 2, "no element 'voice'"),
    ("<speak>a\n\n<b/></speak>", 3, "speak, p, s"),
    ("<speak>a\n<p>b</speak>", 2, "mismatched tag"),
    ("<speak>a", 1, "no element found"),
    ("plain words", 1, "syntax error"),
    ("<p>a</p>", 1, "outermost"),
    ("<speak><speak>a</speak></speak>", 1, "outermost"),
    ("<speak/><speak/>", 1, "junk"),
    ('<!DOCTYPE speak [<!ENTITY a "b">]><speak>&a;</speak>', 1, "document type"),
    ("<speak>&undefined;</speak>", 1, "undefined entity"),
    ("<speak>\x00</speak>", 1, "not well-formed"),
    ("<speak>\ud800</speak>", 1, "surrogate"),
    (speak("\n<break time='11s'/>"), 2, "10 seconds"),
    (speak("<break time='x'/>"), 1, "500ms"),
    (speak("<break strength='huge'/>"), 1, "strength"),
    (speak("<break>text</break>"), 1, "no text"),
    (speak("<break time='10s'/>a" * 7), 1, "60 seconds"),
    (speak("<prosody>a</prosody>"), 1, "rate, pitch or volume"),
    (speak("<prosody rate='fastish'>a</prosody>"), 1, "120%"),
    (speak("<prosody rate='500%'>a</prosody>"), 1, "0.25 to 4"),
    (speak("<prosody rate='200%'><prosody rate='300%'>a</prosody></prosody>"), 1, "0.25 to 4"),
    (speak("<prosody pitch='200Hz'>a</prosody>"), 1, "-2st"),
    (speak("<prosody pitch='+99999st'>a</prosody>"), 1, "0.5 to 2"),
    (speak("<prosody volume='+99999dB'>a</prosody>"), 1, "0 to 2"),
    (speak("<prosody volume='loudly'>a</prosody>"), 1, "+3dB"),
    (speak("<say-as interpret-as='ordinal'>1.5</say-as>"), 1, "whole number"),
    (speak("<prosody rate='-200%'>a</prosody>"), 1, "0.25 to 4"),
    (speak("<prosody contour='x'>a</prosody>"), 1, "no attribute 'contour'"),
    (speak("<sub>a</sub>"), 1, "alias"),
    (speak(f"<sub alias='{'a' * 301}'>a</sub>"), 1, "300"),
    (speak("<sub alias='b'><s>a</s></sub>"), 1, "stand in sub"),
    (speak(f"<sub alias='b'>{'a' * 201}</sub>"), 1, "200"),
    (speak("<say-as interpret-as='date'>1/2</say-as>"), 1, "telephone"),
    (speak("<say-as interpret-as='ordinal'>1</say-as>"), 1, "xml:lang"),
    (speak("<say-as interpret-as='telephone'>call me</say-as>"), 1, "digits"),
    (speak("<say-as interpret-as='cardinal'>many</say-as>"), 1, "no number"),
    (speak("<phoneme>a</phoneme>"), 1, "ph"),
    (speak("<phoneme ph='[[x]]'>a</phoneme>"), 1, "U+005B"),
    (speak("<phoneme ph='&lt;b&gt;'>a</phoneme>"), 1, "U+003C"),
    (speak("<phoneme alphabet='klingon' ph='a'>a</phoneme>"), 1, "alphabet"),
    (speak("<phoneme alphabet='x-sampa' ph='ä'>a</phoneme>"), 1, "X-SAMPA"),
    (speak("<lang>a</lang>"), 1, "xml:lang"),
    (speak("<p xml:lang='not a language'>a</p>"), 1, "language tag"),
    ("<speak>" + "<p>" * 40 + "a" + "</p>" * 40 + "</speak>", 1, "32"),
    ("<speak>" + "<p/>" * 50_001 + "</speak>", 1, "50000"),
]


@pytest.mark.parametrize(("text", "line", "why"), WRONG, ids=[f"{n}" for n in range(len(WRONG))])
def test_what_is_wrong_names_its_line(text: str, line: int, why: str) -> None:
    with pytest.raises(BadSsml) as caught:
        parse(text)
    assert f"in line {line}:" in caught.value.message
    assert why in caught.value.message
    assert len(caught.value.message) < 400


def test_a_billion_laughs_are_refused_at_once() -> None:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 30))
    with pytest.raises(BadSsml, match="document type"):
        parse(f'<?xml version="1.0"?><!DOCTYPE speak [<!ENTITY a0 "ha">{entities}]><speak>&a29;</speak>')


def test_what_looks_like_ssml() -> None:
    assert all(map(looks_like_ssml, ["<speak>", " <speak version='1'>", "\ufeff<?xml version='1.0'?>", "<speak/>"]))
    assert not any(map(looks_like_ssml, ["", "speak", "<speaker>", "a <speak>", "1 < 2"]))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=100))
def test_text_comes_through(text: str) -> None:
    assert plain_text(parse(speak(escape(text)))).split() == " ".join(text.split()).split()
    alias = " ".join(text.split())
    if alias:
        (found,) = says(f"<sub alias={quoteattr(text)}>x</sub>")
        assert found.said == alias


@given(st.text(alphabet="<>/&;\"'= \nspeakbrtimox:-", max_size=60))
def test_garbage_is_an_error_or_parts(text: str) -> None:
    for document in (text, speak(text)):
        try:
            parts = parse(document)
        except BadSsml:
            continue
        assert all(math.isfinite(part.seconds) for part in parts if isinstance(part, Pause))
