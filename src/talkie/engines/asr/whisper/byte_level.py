"""Vocabularies of bytes: in files each byte is written as a letter that can be seen (openai/gpt-2 `encoder.py`).

Knows nothing of special tokens. Text from tokens needs the vocabulary alone; tokens of a sign need the order in which
pairs were merged, and that is the order of the ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from itertools import pairwise

_SEEN = (*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1))


@cache
def letters() -> tuple[str, ...]:
    """The letter for each byte: itself where it can be seen, else one of those after the first 256."""
    seen, hidden = set(_SEEN), iter(range(256, 512))
    return tuple(chr(byte if byte in seen else next(hidden)) for byte in range(256))


@cache
def _bytes() -> dict[str, int]:
    return {letter: byte for byte, letter in enumerate(letters())}


def text(tokens: Iterable[str]) -> str:
    """What tokens say; bytes that are no UTF-8 become U+FFFD."""
    return b"".join(map(_token_bytes, tokens)).decode("utf-8", errors="replace")


def _token_bytes(token: str) -> bytes:
    """A token with a letter that stands for no byte is taken as it is written."""
    table = _bytes()
    try:
        return bytes([table[letter] for letter in token])
    except KeyError:
        return token.encode()


def merged(piece: str, ids: Mapping[str, int]) -> list[int]:
    """The ids of a piece of text that is one word to the tokenizer: the pair of the lowest id is merged first.

    `ids` must hold every byte, else the piece has none: `[]`.
    """
    parts = [letters()[byte] for byte in piece.encode()]
    while len(parts) > 1:
        pairs = [ids.get(first + second) for first, second in pairwise(parts)]
        known = [number for number in pairs if number is not None]
        if not known:
            break
        at = pairs.index(min(known))
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    found = [ids.get(part) for part in parts]
    return [] if None in found else [number for number in found if number is not None]
