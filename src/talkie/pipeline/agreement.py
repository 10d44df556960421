"""What of a guess is to be believed: words on which two guesses in a row agree. Pure.

LocalAgreement-2 of Macháček, Dabre, Bojar: "Turning Whisper into Real-Time Transcription System" (2023): a guess is
made again and again over more and more sound; the longest beginning that the last two share is committed, and what is
committed is never taken back. Words are compared without case and punctuation, and written as the newest guess has
them. A guess's last word may have been cut in two by the end of the sound, so it is never committed.

A later guess may tell what was committed with other words. Where it does, the place in it up to which it tells the same
is found by the least edit distance, and what follows counts as new.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

MAX_UNITS = 400
"""Of one guess: an utterance of 30 s has a hundred words, or two hundred characters where no spaces are written."""
UNSURE_UNITS = 1
_UNSPACED = "CJK|HIRAGANA|KATAKANA|IDEOGRAPHIC|BOPOMOFO|THAI|LAO|KHMER|MYANMAR|TIBETAN"
_WRITTEN_WITHOUT_SPACES = re.compile(rf"(?:HALFWIDTH |FULLWIDTH )?(?:{_UNSPACED})")


@dataclass(frozen=True, slots=True)
class Unit:
    """A word, or a character where words are not set apart. `key` is what it is compared by, `text` has the space
    before it."""

    text: str
    key: str


class Agreement:
    """The guesses at one utterance. Each of `hear` tells of the same stretch of sound, or of what `settle` left."""

    def __init__(self) -> None:
        self._committed: list[Unit] = []
        self._anchor: list[Unit] = []  # what is committed of the stretch that guesses tell of
        self._tail: list[Unit] = []  # what followed it in the newest guess

    @property
    def committed(self) -> str:
        return _text(self._committed)

    @property
    def tentative(self) -> str:
        return _text(self._tail)

    @property
    def gap(self) -> str:
        """What stands between the two."""
        return " " if not self._tail or self._tail[0].text.startswith(" ") else ""

    @property
    def agreed(self) -> int:
        """How many units of the newest guess are committed."""
        return len(self._anchor)

    def hear(self, text: str) -> None:
        """Another guess. One without a word tells nothing."""
        guess = units(text)
        if not guess:
            return
        place = _aligned([unit.key for unit in self._anchor], [unit.key for unit in guess])
        tail = guess[place:]
        agreed = min(_shared(self._tail, tail), max(0, len(tail) - UNSURE_UNITS))
        self._committed += tail[:agreed]
        self._anchor = guess[: place + agreed]
        self._tail = tail[agreed:]

    def settle(self, count: int) -> None:
        """Guesses to come leave out the first `count` units of the last one, which are committed."""
        self._anchor = self._anchor[count:]

    def close(self) -> None:
        """Guesses to come are of other sound: what was guessed so far stays as it is."""
        self._committed += self._tail
        self._anchor, self._tail = [], []


def units(text: str) -> list[Unit]:
    """What is compared: `"Yes, 中文"` is ` Yes,`, ` 中`, `文`. The first has a space before it too, but where its
    script has none."""
    found: list[Unit] = []
    for word in text.split():
        for place, piece in enumerate(_pieces(word)):
            spaced = not place and (bool(found) or not any(map(_is_unspaced, piece)))
            found.append(Unit(" " + piece if spaced else piece, _key(piece)))
    return found[:MAX_UNITS]


def _pieces(word: str) -> list[str]:
    """A word, or its characters where they belong to a script without spaces; signs stay with what is beside them."""
    pieces: list[str] = []
    joins = True
    for character in word:
        alone = _is_unspaced(character)
        is_letter = unicodedata.category(character)[0] in "LN"
        if pieces and (not is_letter or (joins and not alone) or not _is_said(pieces[-1])):
            pieces[-1] += character
        else:
            pieces.append(character)
        if is_letter:
            joins = not alone
    return pieces


def _is_said(piece: str) -> bool:
    return any(unicodedata.category(character)[0] in "LN" for character in piece)


def _is_unspaced(character: str) -> bool:
    return character > "\u0e00" and _WRITTEN_WITHOUT_SPACES.match(unicodedata.name(character, "")) is not None


def _key(piece: str) -> str:
    folded = unicodedata.normalize("NFKC", piece).casefold()
    return "".join(character for character in folded if unicodedata.category(character)[0] in "LNM") or folded


def _text(some: Sequence[Unit]) -> str:
    return "".join(unit.text for unit in some).strip()


def _shared(before: Sequence[Unit], now: Sequence[Unit]) -> int:
    """Units at the front that are the same."""
    pairs = zip(before, now, strict=False)
    return next((place for place, (one, other) in enumerate(pairs) if one.key != other.key), min(len(before), len(now)))


def _aligned(anchor: Sequence[str], guess: Sequence[str]) -> int:
    """How much of `guess` tells what `anchor` does: the beginning of it at the least edit distance from `anchor`."""
    if list(guess[: len(anchor)]) == list(anchor):
        return len(anchor)
    costs = list(range(len(guess) + 1))
    for row, key in enumerate(anchor, 1):
        diagonal, costs[0] = costs[0], row
        for column, other in enumerate(guess, 1):
            diagonal, costs[column] = (
                costs[column],
                min(diagonal + (key != other), costs[column] + 1, costs[column - 1] + 1),
            )
    return min(range(len(costs)), key=lambda place: (costs[place], abs(place - len(anchor))))
