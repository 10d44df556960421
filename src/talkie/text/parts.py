"""What a text is made of before it is spoken: stretches to be said, each its own way, and pauses.

SSML, phonemes written into a text and the lexicon all end as these. Knows nothing of sentences, engines or sound.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Voicing:
    """How a stretch is said: factors on what the request asks for, and a language tag where it has its own."""

    lang: str | None = None
    rate: float = 1.0
    pitch: float = 1.0
    volume: float = 1.0


@dataclass(frozen=True, slots=True)
class Say:
    """A stretch of the plain text, which is what a reader sees when all markup is gone; `start` is its offset there.

    `spoken` is said in its place where it was respelled, and `phonemes` (IPA) where somebody wrote how it sounds.
    """

    text: str
    start: int
    lang: str | None = None
    rate: float = 1.0
    pitch: float = 1.0
    volume: float = 1.0
    spoken: str | None = None
    phonemes: str | None = None

    @property
    def said(self) -> str:
        """The letters for an engine that knows no phonemes."""
        return self.text if self.spoken is None else self.spoken

    @property
    def whole(self) -> bool:
        """It has its own way of being said, so it is never cut."""
        return self.spoken is not None or self.phonemes is not None

    @property
    def voicing(self) -> Voicing:
        return Voicing(self.lang, self.rate, self.pitch, self.volume)

    def cut(self, start: int, end: int) -> Say:
        """The stretch from `start` to `end`, both offsets of the plain text within this one."""
        return replace(self, text=self.text[start - self.start : end - self.start], start=start)


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


Part: TypeAlias = Say | Pause

_SIGNS = frozenset("%‰&@#§")  # punctuation to Unicode, and words to a voice


def plain_text(parts: Iterable[Part]) -> str:
    """What a reader would see; the offsets of every `Say`, and the words of marks, belong to it."""
    return "".join(part.text for part in parts if isinstance(part, Say))


def speakable(text: str) -> bool:
    """There is something in it that a voice can say: a letter, a number or a sign such as `%` or an emoji."""
    return any(character in _SIGNS or unicodedata.category(character)[0] in "LNS" for character in text)
