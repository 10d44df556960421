"""From sounds to the shapes of a mouth: fifteen shapes, their letters in the Rhubarb set, and their ARKit weights.

The tables are the documentation (`docs/speech.md` prints them). Knows nothing of engines: marks of phonemes in, IPA or
ARPAbet, marks of visemes out.
"""

# ruff: noqa: RUF001  (IPA looks like other letters)
from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from talkie.text.phonemes import LENGTH, are_arpabet, ipa_of_arpabet, split_ipa
from talkie.types import Mark

Names = Literal["rhubarb", "oculus"]

MIN_S = 0.04
"""No shape is shorter: one frame at 25 a second."""
_BRIDGE_S = 0.06  # a gap between two sounds that is no pause: the first shape is held

SOUNDS: dict[str, str] = {
    "PP": "p b m ʙ ɓ ʘ ƥ",
    "FF": "f v ɱ ⱱ ʋ ɸ β",
    "TH": "θ ð",
    "DD": "t d ʈ ɖ ɗ ᶑ ƭ ɾ ɽ ʔ ʡ ǀ ǃ ǂ",
    "kk": "k ɡ g c ɟ q ɢ x ɣ χ ħ ʕ h ɦ ʜ ʢ ç ʝ ɧ ɠ ʄ ʛ ƙ ꞎ",
    "CH": "ʃ ʒ ɕ ʑ ʂ ʐ ʧ ʤ ʨ ʥ ꭧ",
    "SS": "s z ʦ ʣ ɬ ɮ",
    "nn": "n ɳ ɲ ŋ ɴ l ɭ ʎ ʟ ɫ ɺ ǁ",
    "RR": "r ɹ ɻ ʀ ʁ ɚ ɝ ɜ ɞ",
    "aa": "a ɑ ɐ ɶ æ ʌ ɒ",
    "E": "e ɛ ɘ ə œ ø",
    "I": "i ɪ ɨ ᵻ ɩ j ɯ y ʏ",
    "O": "o ɔ ɤ ɵ",
    "U": "u ʊ ʉ ᵿ ɷ w ɰ ʍ ɥ",
}
"""Which sounds make a shape; `sil`, the fifteenth, is no sound. Sounds of one place look alike, voiced or not."""

RHUBARB: dict[str, str] = {
    "sil": "X", "PP": "A", "FF": "G", "TH": "B", "DD": "B", "kk": "B", "CH": "E", "SS": "B", "nn": "B", "RR": "E",
    "aa": "D", "E": "C", "I": "B", "O": "E", "U": "F",
}  # fmt: skip
"""The letter of each shape; a sound of `TONGUE` is H."""
TONGUE = frozenset("lɭʎʟɫɺ")

ARKIT: dict[str, dict[str, float]] = {
    "sil": {},
    "PP": {"jawOpen": 0.1, "mouthClose": 0.1, "mouthPressLeft": 0.5, "mouthPressRight": 0.5, "mouthRollLower": 0.3,
           "mouthRollUpper": 0.3},
    "FF": {"jawOpen": 0.08, "mouthRollLower": 0.6, "mouthUpperUpLeft": 0.35, "mouthUpperUpRight": 0.35},
    "TH": {"jawOpen": 0.15, "tongueOut": 0.35, "mouthLowerDownLeft": 0.15, "mouthLowerDownRight": 0.15},
    "DD": {"jawOpen": 0.15, "mouthLowerDownLeft": 0.25, "mouthLowerDownRight": 0.25, "mouthStretchLeft": 0.1,
           "mouthStretchRight": 0.1},
    "kk": {"jawOpen": 0.2, "mouthLowerDownLeft": 0.2, "mouthLowerDownRight": 0.2},
    "CH": {"jawOpen": 0.1, "mouthFunnel": 0.5, "mouthPucker": 0.2, "mouthUpperUpLeft": 0.15, "mouthUpperUpRight": 0.15},
    "SS": {"jawOpen": 0.05, "mouthStretchLeft": 0.3, "mouthStretchRight": 0.3, "mouthLowerDownLeft": 0.25,
           "mouthLowerDownRight": 0.25},
    "nn": {"jawOpen": 0.12, "mouthLowerDownLeft": 0.15, "mouthLowerDownRight": 0.15},
    "RR": {"jawOpen": 0.15, "mouthFunnel": 0.3, "mouthPucker": 0.15},
    "aa": {"jawOpen": 0.6, "mouthLowerDownLeft": 0.3, "mouthLowerDownRight": 0.3},
    "E": {"jawOpen": 0.3, "mouthStretchLeft": 0.3, "mouthStretchRight": 0.3, "mouthLowerDownLeft": 0.2,
          "mouthLowerDownRight": 0.2},
    "I": {"jawOpen": 0.15, "mouthSmileLeft": 0.35, "mouthSmileRight": 0.35, "mouthStretchLeft": 0.2,
          "mouthStretchRight": 0.2},
    "O": {"jawOpen": 0.4, "mouthFunnel": 0.5, "mouthPucker": 0.15},
    "U": {"jawOpen": 0.15, "mouthPucker": 0.7, "mouthFunnel": 0.25},
}  # fmt: skip
"""Apple's blend shapes, 0..1, for each shape; those not named are 0."""

_LETTER_SHAPES = {"A": "PP", "B": "DD", "C": "E", "D": "aa", "E": "O", "F": "U", "G": "FF", "H": "nn", "X": "sil"}
_SHAPES = {sound: shape for shape, sounds in SOUNDS.items() for sound in sounds.split()}
_ALIKE = {"ε": "ɛ", "φ": "ɸ", "χ": "χ"}  # Greek letters in place of IPA
_OTHER = "kk"  # a sound without a letter of its own: the mouth is a little open
_LIPS = frozenset({"PP", "FF", "A", "G"})


def shape_of(sound: str) -> str:
    """One of the fifteen shapes for one sound, as `split_ipa` gives it."""
    return _SHAPES.get(_base(sound), _OTHER)


def knows(sound: str) -> bool:
    return _base(sound) in _SHAPES


def letter_of(sound: str) -> str:
    """The same in the Rhubarb set, A to H."""
    return "H" if _base(sound) in TONGUE else RHUBARB[shape_of(sound)]


def arkit(name: str) -> Mapping[str, float]:
    """The weights of a shape, or of a letter of the Rhubarb set. Raises `KeyError` for another name."""
    return ARKIT[_LETTER_SHAPES.get(name, name)]


@dataclass(slots=True)
class _Held:
    """A shape and how long it is held."""

    name: str
    start_s: float
    end_s: float
    estimated: bool = False

    @property
    def seconds(self) -> float:
        return self.end_s - self.start_s


def viseme_marks(marks: Sequence[Mark], end_s: float, names: Names = "rhubarb") -> tuple[Mark, ...]:
    """Shapes from 0 to `end_s` without a gap, no two equal neighbours, none shorter than `MIN_S`; shut in silence.

    `marks` are phonemes in the order of time; others are passed over.
    """
    shut = "X" if names == "rhubarb" else "sil"
    held = _filled(_sounds(marks, end_s, names), end_s, shut)
    held = _merged(_lengthened(_merged(held)))
    return tuple(Mark("viseme", one.name, one.start_s, one.end_s, one.estimated) for one in held)


def _sounds(marks: Sequence[Mark], end_s: float, names: Names) -> list[_Held]:
    held: list[_Held] = []
    at = 0.0
    phonemes = [mark for mark in marks if mark.kind == "phoneme"]
    arpabet = are_arpabet(mark.text for mark in phonemes)
    for mark in phonemes:
        start, end = max(mark.start_s, at), min(mark.end_s, end_s)
        sounds = split_ipa((ipa_of_arpabet(mark.text) or "") if arpabet else mark.text)
        if not sounds or end <= start:
            continue
        weights = [2 if set(sound) & LENGTH else 1 for sound in sounds]
        done = 0
        for sound, weight in zip(sounds, weights, strict=True):
            first = start + (end - start) * done / sum(weights)
            done += weight
            last = start + (end - start) * done / sum(weights)
            name = letter_of(sound) if names == "rhubarb" else shape_of(sound)
            held.append(_Held(name, first, last, mark.estimated or len(sounds) > 1))
        at = end
    return held


def _filled(sounds: Sequence[_Held], end_s: float, shut: str) -> list[_Held]:
    """Silence between the sounds; a gap too short for a pause belongs to the sound before it."""
    filled: list[_Held] = []
    at = 0.0
    for sound in sounds:
        if filled and sound.start_s - at < _BRIDGE_S:
            filled[-1].end_s = sound.start_s
        elif sound.start_s > at:
            filled.append(_Held(shut, at, sound.start_s))
        filled.append(sound)
        at = sound.end_s
    if end_s > at:
        filled.append(_Held(shut, at, end_s))
    return filled


def _merged(held: Sequence[_Held]) -> list[_Held]:
    merged: list[_Held] = []
    for one in held:
        if merged and merged[-1].name == one.name:
            merged[-1].end_s = one.end_s
            merged[-1].estimated |= one.estimated
        else:
            merged.append(one)
    return merged


def _lengthened(held: Sequence[_Held]) -> list[_Held]:
    """What is too short to be seen is left to its neighbour, but lips that close are always seen."""
    kept: list[_Held] = []
    for one in held:
        if kept and kept[-1].seconds < MIN_S:
            short = kept[-1]
            if short.name in _LIPS and one.seconds > 2 * MIN_S - short.seconds:
                short.end_s = one.start_s = short.start_s + MIN_S
                short.estimated = True
            else:
                one.start_s = short.start_s
                kept.pop()
        kept.append(one)
    if len(kept) > 1 and kept[-1].seconds < MIN_S:
        last = kept.pop()
        kept[-1].end_s = last.end_s
    return kept


def _base(sound: str) -> str:
    first = sound[:1]
    if first not in _SHAPES:
        first = unicodedata.normalize("NFD", first.lower())[:1]
    return _ALIKE.get(first, first)
