"""`say-as`: what is said for letters, digits, telephone numbers and ordinals. Pure functions.

Engines read numbers in words by themselves and know the languages better than a table here could; so numbers are only
written in the form that is read as wished. What would need words of a language is refused.
"""

from __future__ import annotations

import re
import unicodedata

from talkie.text.abbreviations import DOTTED_ORDINALS
from talkie.text.ssml_values import BadValue

_SPELL = ("characters", "spell-out", "verbatim")
INTERPRETATIONS = (*_SPELL, "digits", "telephone", "cardinal", "number", "ordinal")
_DIGITS = re.compile(r"\d+(?:[.,'\u00a0\u202f ]\d+)*")


def spelled(text: str, interpretation: str, language: str | None) -> str:
    """What the engine is given for `text`. Raises `BadValue` for an interpretation or a text that cannot be."""
    if interpretation in _SPELL:
        return " ".join(_capital(letter) for letter in _letters(text))
    if interpretation == "digits":
        return " ".join(letter for letter in text if not letter.isspace())
    if interpretation == "telephone":
        return _telephone(text)
    if interpretation in {"cardinal", "number"}:
        return _number(text)
    if interpretation == "ordinal":
        return _ordinal(_number(text), (language or "").partition("-")[0])
    raise BadValue(f"interpret-as must be one of {', '.join(INTERPRETATIONS)}")


def _letters(text: str) -> list[str]:
    """Letters with their accents; white space is not said."""
    letters: list[str] = []
    for character in unicodedata.normalize("NFC", text):
        if letters and unicodedata.category(character)[0] == "M":
            letters[-1] += character
        elif not character.isspace():
            letters.append(character)
    return letters


def _capital(letter: str) -> str:
    """A small `a` alone is a word in English; the capital is read as a letter."""
    upper = letter.upper()
    return upper if len(upper) == len(letter) else letter


def _telephone(text: str) -> str:
    """Digits one by one, a short rest between groups."""
    groups = [group for group in re.split(r"[\s()./-]+", text) if group]
    if not groups or not all(re.fullmatch(r"[+*#]?\d*", group) for group in groups):
        raise BadValue("a telephone number has digits, + * # and ( ) . / - between them")
    return ", ".join(" ".join(group) for group in groups)


def _number(text: str) -> str:
    number = text.lstrip("-+")
    if not _DIGITS.fullmatch(number):
        raise BadValue("it holds no number")
    return text


def _ordinal(number: str, language: str) -> str:
    if not number.isdecimal():
        raise BadValue("an ordinal is a whole number")
    if language in DOTTED_ORDINALS:
        return f"{number}."
    if language == "en":
        return number + _english_ending(int(number[-2:]))
    if language in {"fr", "nl"}:
        return number + ("er" if language == "fr" and number == "1" else "e")
    if language in {"es", "it", "pt"}:
        return f"{number}º"
    raise BadValue("for an ordinal, xml:lang must be en, fr, es, it, pt, nl or one that writes 3. for third")


def _english_ending(last_two: int) -> str:
    if last_two in {11, 12, 13}:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(last_two % 10, "th")
