"""The words of a text, as a reader sees them. Knows nothing of how they are said."""

from __future__ import annotations

import re
import unicodedata

from talkie.text.parts import speakable
from talkie.text.sentence_ends import is_cjk

_STAYS = frozenset("ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ")  # belongs to the character before it
_PIECE = re.compile(r"\S+")


def words(text: str) -> list[tuple[int, int]]:
    """Where the words of a text begin and end, in order: what stands between spaces, signs included.

    Signs that nobody says belong to the word before them, opening ones to the next. Each character of Chinese or
    Japanese is a word.
    """
    spans: list[tuple[int, int]] = []
    pending: int | None = None  # signs that belong to the word that follows
    for start, end in _pieces(text):
        if speakable(text[start:end]):
            spans.append((start if pending is None else pending, end))
            pending = None
        elif not spans or pending is not None or _opens(text[start]):
            pending = start if pending is None else pending
        else:
            spans[-1] = spans[-1][0], end
    if spans and pending is not None:
        spans[-1] = spans[-1][0], _last(text)
    return spans


def _pieces(text: str) -> list[tuple[int, int]]:
    """What stands between spaces; Chinese and Japanese cut before each character."""
    pieces: list[tuple[int, int]] = []
    for found in _PIECE.finditer(text):
        start = found.start()
        for at in range(found.start() + 1, found.end()):
            if _begins_word(text, at):
                pieces.append((start, at))
                start = at
        pieces.append((start, found.end()))
    return pieces


def _begins_word(text: str, at: int) -> bool:
    character, before = text[at], text[at - 1]
    if is_cjk(character) and unicodedata.category(character)[0] == "L":
        return character not in _STAYS and not (_is_hangul(character) and _is_hangul(before))
    return is_cjk(before) and not _is_hangul(before) and unicodedata.category(character)[0] in "LN"


def _is_hangul(character: str) -> bool:
    return "\uac00" <= character <= "\ud7af"


def _opens(sign: str) -> bool:
    return sign in "¿¡" or unicodedata.category(sign) in {"Ps", "Pi"}


def _last(text: str) -> int:
    return len(text.rstrip())
