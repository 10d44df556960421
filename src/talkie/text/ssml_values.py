"""What the attributes of SSML may say: lengths of time, factors, languages, phonemes. Each a pure function of its text.

Knows nothing of elements and lines: what is wrong is a `BadValue`, and `ssml.py` adds where.
Source: https://www.w3.org/TR/speech-synthesis11/ sections 3.1.2, 3.1.10, 3.2.3, 3.2.4.
"""

from __future__ import annotations

import math
import re

from talkie.text.phonemes import ipa_of_xsampa, is_ipa, stranger

MAX_BREAK_S = 10.0
MAX_ALIAS_CHARACTERS = 300

_BREAKS_S = {"none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.8, "x-strong": 1.2}
_RATES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "fast": 1.5, "x-fast": 2.0, "default": 1.0}
_PITCHES = {"x-low": 0.6, "low": 0.8, "medium": 1.0, "high": 1.25, "x-high": 1.6, "default": 1.0}
_VOLUMES = {"silent": 0.0, "x-soft": 0.25, "soft": 0.5, "medium": 1.0, "loud": 1.4, "x-loud": 2.0, "default": 1.0}
_NUMBER = r"(\d{1,6}(?:\.\d{1,6})?|\.\d{1,6})"
_TIME = re.compile(rf"\+?{_NUMBER}(ms|s)")
_PERCENT = re.compile(rf"([+-]?){_NUMBER}%")
_SEMITONES = re.compile(rf"([+-]){_NUMBER}st")
_DECIBELS = re.compile(rf"([+-]){_NUMBER}dB", re.IGNORECASE)
_PLAIN = re.compile(_NUMBER)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}")


class BadValue(ValueError):
    """An attribute says what cannot be."""


def break_seconds(time: str | None, strength: str | None) -> float:
    """`time` counts where both are given; a break that says nothing is a medium one."""
    if strength is not None and strength not in _BREAKS_S:
        raise BadValue(f"strength must be one of {', '.join(_BREAKS_S)}")
    if time is None:
        return _BREAKS_S[strength or "medium"]
    found = _TIME.fullmatch(time.strip())
    if not found:
        raise BadValue("time must be like 500ms or 1.5s")
    seconds = float(found[1]) / (1000 if found[2] == "ms" else 1)
    if seconds > MAX_BREAK_S:
        raise BadValue(f"{MAX_BREAK_S:g} seconds are the most for one")
    return seconds


def rate_factor(text: str) -> float:
    """`120%` is a factor of 1.2, and so are `+20%` and `1.2`."""
    if text in _RATES:
        return _RATES[text]
    if found := _PERCENT.fullmatch(text):
        return _percent(found)
    if found := _PLAIN.fullmatch(text):
        return float(found[1])
    raise BadValue(f"must be like 120%, +20% or 1.2, or one of {', '.join(_RATES)}")


def pitch_factor(text: str) -> float:
    """Relative to the voice: a voice's own pitch in hertz is not known here, so hertz are refused."""
    if text in _PITCHES:
        return _PITCHES[text]
    if found := _PERCENT.fullmatch(text):
        return _percent(found)
    if found := _SEMITONES.fullmatch(text):
        return math.exp2(_signed(found) / 12) if float(found[2]) <= 24 else math.inf
    raise BadValue(f"must be like +10% or -2st, or one of {', '.join(_PITCHES)}")


def volume_factor(text: str) -> float:
    """A plain number is of 100, as in SSML 1.0."""
    if text in _VOLUMES:
        return _VOLUMES[text]
    if found := _DECIBELS.fullmatch(text):
        return 10 ** (_signed(found) / 20) if float(found[2]) <= 120 else math.inf
    if found := _PERCENT.fullmatch(text):
        return _percent(found)
    if found := _PLAIN.fullmatch(text):
        return float(found[1]) / 100
    raise BadValue(f"must be like +3dB, 80% or 80, or one of {', '.join(_VOLUMES)}")


def language_tag(text: str) -> str:
    if not _LANGUAGE.fullmatch(text):
        raise BadValue("must be a language tag like en or pt-BR")
    return text.lower()


def short_text(text: str) -> str:
    if not text or len(text) > MAX_ALIAS_CHARACTERS:
        raise BadValue(f"must have 1 to {MAX_ALIAS_CHARACTERS} characters")
    return " ".join(text.split())


def phonemes(text: str, alphabet: str) -> str:
    """IPA, whatever it was written in."""
    if alphabet not in {"ipa", "x-sampa"}:
        raise BadValue("alphabet must be ipa or x-sampa")
    ipa = ipa_of_xsampa(text) if alphabet == "x-sampa" else text
    if ipa is None:
        raise BadValue("that is not X-SAMPA")
    if not is_ipa(ipa):
        found = stranger(ipa)
        raise BadValue(f"U+{ord(found):04X} is no letter of IPA" if found else "there is no sound in it, or too many")
    return ipa


def _percent(found: re.Match[str]) -> float:
    return 1 + _signed(found) / 100 if found[1] else float(found[2]) / 100


def _signed(found: re.Match[str]) -> float:
    return -float(found[2]) if found[1] == "-" else float(found[2])
