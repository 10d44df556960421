"""Is this full stop, question mark or new line the end of a sentence? One question, asked of a text that may go on.

In doubt the answer is no: two sentences said in one breath sound better than one broken in the middle. Knows nothing
of lengths or of what is done with the answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from talkie.text.abbreviations import (
    BEFORE_A_NAME,
    BEFORE_A_NUMBER,
    BEFORE_MORE,
    DOTTED_ORDINALS,
    MONTHS,
    OFTEN_LAST,
)

STOPS = ".!?…"
STRONG = "。！？｡．‼⁇⁈⁉।॥؟۔።፧།៕៖։՞๏"  # noqa: RUF001
LINE_ENDS = "\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
CLOSING = "\"'”’»›)]}」』】）〉》〕“"  # noqa: RUF001
_OPENING = "\"'“„«‹‘¿¡([{「『（"  # noqa: RUF001
_WRAPPED = range(50, 121)  # a line of so many characters that ends in no full stop was broken by an editor
_SPACES, _CLOSERS, _OPENERS, _MONTH = 16, 8, 3, 12  # how far to look ahead
_BULLET = re.compile(r"(?:[-*+•‣◦▪●–—]|\(?(?:\d{1,3}|[A-Za-z])[.)])[ \t]")  # noqa: RUF001
_BULLET_CHARACTERS = 6
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+-?[^\W\d_]")
_WORD_BEFORE = re.compile(r"[^\s(\[{\"'“„«‹‘¿¡「『（—]*\Z")  # noqa: RUF001
_WORD_CHARACTERS = 40
_CJK = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")


class NeedMore(Exception):
    """The answer depends on text that has not come yet."""


@dataclass(frozen=True, slots=True)
class End:
    """The sentence ends at offset `at`; `line`: so does its line."""

    at: int
    line: bool = False


class SentenceEnds:
    """What ends a sentence in a language; `candidates` finds the places that are worth asking about."""

    def __init__(self, language: str) -> None:
        code = language.lower().partition("-")[0]
        self._ordinals = code in DOTTED_ORDINALS
        stops = STOPS + (";\u037e" if code in {"el", "grc"} else "\u037e")
        self.candidates = re.compile(rf"[{re.escape(stops)}]+|[{STRONG}]+|[{LINE_ENDS}]")

    def end(self, text: Ahead, start: int, found: re.Match[str]) -> End | None:
        """Where the sentence that began at `start` ends if `found` ends it. Raises `NeedMore`."""
        if found[0] in LINE_ENDS:
            return End(found.end(), True) if _ends_a_line(text, found.start()) else None
        at = _after_closers(text, found.end())
        after = text[at]
        if not after or found[0][0] in STRONG:
            return End(at)
        if not after.isspace():
            return End(at) if is_cjk(after) and found[0] != "." else None
        place = _after_spaces(text, at)
        if text[place] in LINE_ENDS and text[place]:
            return End(at, True) if found[0] != "." or not self._goes_on(text, start, found, None) else None
        place = _after_openers(text, place)
        if found[0] == ".":
            return None if self._goes_on(text, start, found, place) else End(at)
        quoted = at > found.end() or set(found[0]) <= {".", "…"}
        return None if quoted and text[place].islower() else End(at)

    def _goes_on(self, text: Ahead, start: int, found: re.Match[str], place: int | None) -> bool:
        """After one full stop; at `place` stands the next character that is no space or opening sign, None: the line
        ends."""
        shown = _WORD_BEFORE.search(text.before(max(start, found.start() - _WORD_CHARACTERS), found.start()))
        word = shown[0] if shown else ""
        if word.isdecimal():
            return self._is_ordinal(text, start, found, word)
        low = word.lower()
        if (low in BEFORE_A_NAME and word[0].isupper()) or low in BEFORE_MORE:
            return True
        if place is None or not (following := text[place]):
            return False
        if (low in BEFORE_A_NUMBER or low.endswith("str")) and following.isdecimal():  # `Hauptstr. 5`
            return True
        if low in OFTEN_LAST:
            return not following.isupper()
        if _INITIALS.fullmatch(word) or (len(word) == 1 and word.isupper() and word != "I"):
            return True
        if len(word) == 1 and word.islower() and following.isalpha() and text[place + 1] == ".":
            return True  # `z. B.`, `e. g.`
        return following.islower() and not _begins_small(text, start)

    def _is_ordinal(self, text: Ahead, start: int, found: re.Match[str], word: str) -> bool:
        if found.start() - len(word) == start and len(word) <= 3:
            return True  # the number of a list's item
        if len(word) > 2:
            return False
        if self._ordinals:
            return True
        place = _after_spaces(text, found.end())
        if text[place].islower():
            return True
        name = ""
        while len(name) < _MONTH and text[place + len(name)].isalpha():
            name += text[place + len(name)]
        return name.lower() in MONTHS


class Ahead:
    """A text that may go on: beyond its end there is nothing once it is `whole`, and `NeedMore` until then.

    `column` is how far from the start of its line the text begins.
    """

    def __init__(self, text: str, whole: bool, column: int) -> None:
        self._text, self._whole, self._column = text, whole, column

    def __getitem__(self, at: int) -> str:
        if at < len(self._text):
            return self._text[at]
        if self._whole:
            return ""
        raise NeedMore

    def before(self, start: int, end: int) -> str:
        return self._text[start:end]

    def ahead(self, start: int, characters: int) -> str:
        if not self._whole and len(self._text) < start + characters:
            raise NeedMore
        return self._text[start : start + characters]

    def line_length(self, at: int) -> int:
        """How many characters stand before `at` in its line."""
        low = max(0, at - _WRAPPED.stop)
        breaks = max(self._text.rfind(end, low, at) for end in LINE_ENDS)
        if breaks >= 0:
            return at - breaks - 1
        return at + self._column if low == 0 else at - low


def is_cjk(character: str) -> bool:
    return _CJK.match(character) is not None


def _after_closers(text: Ahead, at: int) -> int:
    end = at
    while end - at < _CLOSERS and text[end] and text[end] in CLOSING:
        end += 1
    if text[end] and text[end] in " \u00a0\u202f" and text[end + 1] == "»":  # as French is set
        end += 2
    return end


def _after_spaces(text: Ahead, at: int) -> int:
    end = at
    while end - at < _SPACES and text[end].isspace() and text[end] not in LINE_ENDS:
        end += 1
    return end


def _after_openers(text: Ahead, at: int) -> int:
    end = at
    while end - at < _OPENERS and text[end] and text[end] in _OPENING:
        end += 1
    return end


def _begins_small(text: Ahead, start: int) -> bool:
    """Somebody who writes without capitals: then a small letter says nothing."""
    return next((letter.islower() for letter in text.before(start, start + 8) if letter.isalpha()), False)


def _ends_a_line(text: Ahead, at: int) -> bool:
    """A new line ends what stands before it, unless an editor broke a long one there."""
    if text.line_length(at) not in _WRAPPED:
        return True
    following = text.ahead(at + 1, _BULLET_CHARACTERS)
    first = following.lstrip(" \t")[:1]
    return not (first.isalnum() or (first and first in _OPENING)) or _BULLET.match(following) is not None
