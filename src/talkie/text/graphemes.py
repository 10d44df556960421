"""Where a text may be cut when it offers no better place: never inside what a reader takes for one character.

A small subset of Unicode annex 29, enough for every script that espeak-ng reads. Knows nothing of words.
"""

from __future__ import annotations

import unicodedata

_JOINER = "\u200d"
_WALK = 64
"""A character of more code points than this is an attack, and is cut."""


def safe_cut(text: str, at: int, lowest: int) -> int:
    """The last place up to `at` and after `lowest` between two characters; `at` itself where there is none near."""
    for place in range(at, max(lowest, at - _WALK), -1):
        if not _sticks(text, place):
            return place
    return at


def _sticks(text: str, at: int) -> bool:
    """The code point at `at` belongs to the one before it."""
    if at <= 0 or at >= len(text):
        return False
    before, after = text[at - 1], text[at]
    if unicodedata.category(after)[0] == "M" or after == _JOINER or _is_skin(after):
        return True
    if before == _JOINER or unicodedata.combining(before) == 9:  # a virama joins two consonants
        return True
    if before == "\r" and after == "\n":
        return True
    return _is_jamo_tail(after) or (_is_flag(after) and _flags_before(text, at) % 2 == 1)


def _is_skin(character: str) -> bool:
    return "\U0001f3fb" <= character <= "\U0001f3ff"


def _is_jamo_tail(character: str) -> bool:
    return "\u1160" <= character <= "\u11ff"


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flags_before(text: str, at: int) -> int:
    count = 0
    while count < _WALK and count < at and _is_flag(text[at - 1 - count]):
        count += 1
    return count
