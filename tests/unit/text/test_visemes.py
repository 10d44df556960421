"""Mouth shapes: every sound that is spoken has one, and they fill the time without flicker."""

# ruff: noqa: RUF001  (letters that look alike are the point)
from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources import ROOT
from talkie.engines.base import SynthesizeOptions
from talkie.engines.tts.espeak import EspeakSynthesizer
from talkie.text.phonemes import LETTERS, split_ipa
from talkie.text.visemes import ARKIT, MIN_S, RHUBARB, SOUNDS, arkit, knows, letter_of, shape_of, viseme_marks
from talkie.types import Mark

TEXTS = {
    "en-us": "She sells thick measures of joy; why would you choose five boys?",
    "de": "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.",
    "fr-fr": "Portez ce vieux whisky au juge blond qui fume un œuf brun.",
    "es": "El veloz murciélago hindú comía feliz cardillo y kiwi, señor.",
    "it": "Quel vituperabile xenofobo zelante assaggia il whisky; gnocchi, figlio.",
    "pt-br": "Um pequeno jabuti xereta viu dez cegonhas felizes no chão.",
    "nl": "Pa's wijze lynx bezag vroom het fikse aquaduct, leuke huid.",
    "sv": "Flygande bäckasiner söka hwila på mjuka tuvor, sjuk stjärna.",
    "da": "Quizdeltagerne spiste jordbær med fløde, mens cirkusklovnen sang.",
    "pl": "Pchnąć w tę łódź jeża lub ośm skrzyń fig; trzy dźwięki.",
    "cs": "Příliš žluťoučký kůň úpěl ďábelské ódy.",
    "ru": "Съешь же ещё этих мягких французских булок, да выпей чаю.",
    "el": "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία, άγχος.",
    "tr": "Pijamalı hasta yağız şoföre çabucak güvendi.",
    "ar": "نص حكيم له سر قاطع وذو شأن عظيم مكتوب على ثوب أخضر",
    "hi": "ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण का सर्वनाश",
    "cmn": "我能吞下玻璃而不伤身体，十只石狮子。",
    "ja": "いろはにほへと ちりぬるを ふじさん つづく",
    "ko": "키스의 고유조건은 입술끼리 만나야 하고",
    "vi": "Do bạch kim rất quý nên sẽ dùng để lắp vô xương.",
    "sw": "Nguruwe wanacheza ng'ombe na ndege shambani.",
    "ka": "გთხოვთ ახლავე გაიაროთ რეგისტრაცია ყვავილი",
}


@pytest.fixture(scope="module")
def spoken() -> dict[str, tuple[list[Mark], float]]:
    """What espeak-ng says of each text: its phonemes, and the length in seconds."""
    engine = EspeakSynthesizer()
    found = {}
    try:
        for voice, text in TEXTS.items():
            chunks = list(engine.synthesize(text, SynthesizeOptions(voice=voice, speed=2.0)))
            end_s = sum(len(chunk.samples) for chunk in chunks) / chunks[0].sample_rate
            found[voice] = [mark for chunk in chunks for mark in chunk.marks if mark.kind == "phoneme"], end_s
    finally:
        engine.close()
    return found


@pytest.mark.parametrize("voice", TEXTS)
def test_every_sound_that_espeak_makes_has_a_shape(spoken: dict[str, tuple[list[Mark], float]], voice: str) -> None:
    marks, end_s = spoken[voice]
    sounds = {sound for mark in marks for sound in split_ipa(mark.text)}
    assert len(sounds) > 10
    assert not {sound for sound in sounds if not knows(sound)}
    shapes = viseme_marks(marks, end_s + 0.3)
    assert shapes[-1].text == "X"  # the mouth is shut at the end
    assert len({mark.text for mark in shapes}) >= 5
    assert fills(shapes, end_s + 0.3)


def test_every_letter_of_ipa_has_a_shape() -> None:
    assert not {letter for letter in LETTERS if not knows(letter)}
    listed = [sound for sounds in SOUNDS.values() for sound in sounds.split()]
    assert len(listed) == len(set(listed))
    assert set(RHUBARB) == set(ARKIT) == {*SOUNDS, "sil"}
    assert all(0 <= weight <= 1 for weights in ARKIT.values() for weight in weights.values())
    assert len(ARKIT) == 15


def test_shapes_and_letters() -> None:
    assert [shape_of(sound) for sound in ("b", "v", "θ", "ɛ̃", "iː", "t͡ʃ", "ŋ", "ɚ", "w")] == [
        "PP", "FF", "TH", "E", "I", "DD", "nn", "RR", "U",
    ]  # fmt: skip
    assert [letter_of(sound) for sound in ("m", "f", "l", "ɑː", "ɛ", "u", "o", "s")] == list("AGHDCFEB")
    assert arkit("A") == arkit("PP")
    assert arkit("X") == {}
    assert arkit("H")["jawOpen"] < arkit("D")["jawOpen"]
    with pytest.raises(KeyError):
        arkit("Z")


def test_the_guide_prints_the_tables() -> None:
    guide = (ROOT / "docs" / "speech.md").read_text(encoding="utf-8")
    for shape, weights in ARKIT.items():
        listed: dict[str, float] = {}
        for name, weight in weights.items():
            listed[re.sub(r"(Left|Right)$", "L/R", name)] = weight
        shown = ", ".join(f"{name} {weight:g}" for name, weight in listed.items()) or "nothing"
        assert f"| {shape} | {RHUBARB[shape]} | {SOUNDS.get(shape, 'silence')} | {shown} |" in guide


def fills(marks: tuple[Mark, ...], end_s: float) -> bool:
    assert marks[0].start_s == 0.0
    assert marks[-1].end_s == pytest.approx(end_s)
    assert all(one.end_s == other.start_s for one, other in pairwise(marks))
    assert all(one.text != other.text for one, other in pairwise(marks))
    return len(marks) == 1 or all(mark.end_s - mark.start_s >= MIN_S - 1e-9 for mark in marks)


def sounds(*rows: tuple[str, float, float]) -> list[Mark]:
    return [Mark("phoneme", text, start_s, end_s) for text, start_s, end_s in rows]


def test_the_mouth_is_shut_in_silence() -> None:
    marks = viseme_marks(sounds(("a", 0.2, 0.4), ("u", 0.8, 1.0)), 1.5)
    assert [(m.text, m.start_s, m.end_s) for m in marks] == [
        ("X", 0.0, 0.2),
        ("D", 0.2, 0.4),
        ("X", 0.4, 0.8),
        ("F", 0.8, 1.0),
        ("X", 1.0, 1.5),
    ]
    assert [m.text for m in viseme_marks([], 1.0)] == ["X"]
    assert [m.text for m in viseme_marks(sounds(("a", 0, 1)), 1.0, "oculus")] == ["aa"]


def test_a_short_gap_is_no_silence_and_lips_that_close_are_seen() -> None:
    marks = viseme_marks(sounds(("a", 0.0, 0.3), ("p", 0.33, 0.35), ("a", 0.35, 0.6)), 0.6)
    assert [m.text for m in marks] == ["D", "A", "D"]
    assert marks[1].end_s - marks[1].start_s == pytest.approx(MIN_S)
    assert [m.text for m in viseme_marks(sounds(("a", 0.0, 0.3), ("k", 0.3, 0.32), ("a", 0.32, 0.6)), 0.6)] == ["D"]


def test_a_last_shape_too_short_to_be_seen_is_left_to_the_one_before() -> None:
    assert [m.text for m in viseme_marks(sounds(("a", 0.0, 0.3), ("p", 0.3, 0.32)), 0.32)] == ["D"]


def test_a_long_vowel_takes_more_of_a_diphthong() -> None:
    marks = viseme_marks(sounds(("aːʊ", 0.0, 0.9)), 0.9)
    assert [(m.text, round(m.end_s, 2), m.estimated) for m in marks] == [("D", 0.6, True), ("F", 0.9, True)]


def test_arpabet_and_ipa_come_to_the_same() -> None:
    arpabet = viseme_marks(
        sounds(("SIL", 0, 0.2), ("HH", 0.2, 0.3), ("AH0", 0.3, 0.4), ("L", 0.4, 0.5), ("OW1", 0.5, 0.8)), 1
    )
    ipa = viseme_marks(sounds(("h", 0.2, 0.3), ("ʌ", 0.3, 0.4), ("l", 0.4, 0.5), ("oʊ", 0.5, 0.8)), 1)
    assert arpabet == ipa


def test_the_capitals_of_kokoro_are_two_vowels() -> None:
    found = viseme_marks(sounds(("h", 0, 0.1), ("ə", 0.1, 0.2), ("l", 0.2, 0.3), ("O", 0.3, 0.5), ("W", 0.5, 0.7)), 0.7)
    assert [m.text for m in found] == ["B", "C", "H", "E", "F", "D", "F"]


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "p", "s", "oʊ", "", "(en)", "tʃ", "SIL", "AH0", "?"]),
        st.floats(0, 0.3),
        st.floats(0, 0.1),
    ),
    max_size=30,
)


@given(ROWS, st.sampled_from(["rhubarb", "oculus"]))
def test_shapes_fill_the_time(rows: list[tuple[str, float, float]], names: str) -> None:
    at, marks = 0.0, []
    for text, seconds, gap in rows:
        marks.append(Mark("phoneme", text, at, at + seconds))
        at += seconds + gap
    found = viseme_marks(marks, at + 0.1, "rhubarb" if names == "rhubarb" else "oculus")
    assert fills(found, at + 0.1)
