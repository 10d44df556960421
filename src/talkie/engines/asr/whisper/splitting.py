"""Tokens grouped into words. Pure: knows a way to decode tokens and nothing else.

Rules: openai/whisper `tokenizer.py`. Tokens are bytes, so a character may need several; where a language writes spaces,
a word begins at one, or at punctuation; where it does not, each character is a word of its own.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

WITHOUT_SPACES = frozenset({"zh", "ja", "th", "lo", "my", "yue"})

Decode: TypeAlias = Callable[[Sequence[int]], str]
_UNFINISHED = "\ufffd"


@dataclass(frozen=True, slots=True)
class TokenWord:
    """A word with the spaces around it, and its tokens."""

    text: str
    tokens: tuple[int, ...]


def words(tokens: Sequence[int], decode: Decode, language: str) -> list[TokenWord]:
    """Text tokens (no special ones) as words; their texts joined are the text."""
    characters = _characters(tokens, decode)
    return characters if language in WITHOUT_SPACES else _join(characters)


def _characters(tokens: Sequence[int], decode: Decode) -> list[TokenWord]:
    """The shortest runs of tokens that are whole characters."""
    whole = decode(tokens)
    found: list[TokenWord] = []
    current: list[int] = []
    done = 0
    for token in tokens:
        current.append(token)
        text = decode(current)
        gap = text.find(_UNFINISHED)
        # A replacement character that the whole text has at this place too was really written.
        if gap < 0 or whole[done + gap : done + gap + 1] == _UNFINISHED:
            found.append(TokenWord(text, tuple(current)))
            done += len(text)
            current = []
    if current:  # a character that was never finished
        found.append(TokenWord(decode(current), tuple(current)))
    return found


def _join(parts: list[TokenWord]) -> list[TokenWord]:
    found: list[TokenWord] = []
    for part in parts:
        is_punctuation = part.text.strip() in string.punctuation
        if part.text.startswith(" ") or is_punctuation or not found:
            found.append(part)
        else:
            last = found[-1]
            found[-1] = TokenWord(last.text + part.text, last.tokens + part.tokens)
    return found
