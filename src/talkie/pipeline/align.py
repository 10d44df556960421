"""Words of a known text found among the words that a recogniser heard in its sound: when each is said.

The two are laid side by side at the least cost; a word that was misheard keeps its time, one that was missed gets a
share of the time between its neighbours. Knows nothing of recognisers. Every mark says that it is estimated.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache

from talkie.text.words import words
from talkie.types import Audio, Mark, Transcript, Word

MOST_CELLS = 250_000
"""Words of the text times words heard: 500 of each. Longer ones are spread over the time without looking at them."""
_MISSED = 0.7
"""The cost of leaving a word out on either side; a pair costs 0, where they are the same, to 1.2."""
_UNLIKE = 1.2


def aligner(hear: Callable[[Audio], Transcript]) -> Callable[[Audio, str], tuple[Mark, ...]]:
    """`hear` with a recogniser that times words, made to answer for a text and its sound."""
    return lambda audio, text: align_words(text, hear(audio).words, audio.duration_s)


def align_words(text: str, heard: Sequence[Word], duration_s: float) -> tuple[Mark, ...]:
    """A mark for each word of `text`, in order, inside `0..duration_s`; none where nothing was heard."""
    spoken = [text[start:end] for start, end in words(text)]
    if not heard or not spoken or len(spoken) * len(heard) > MOST_CELLS:
        return ()
    pairs = _pairs([_bare(word) for word in spoken], [_bare(word.text) for word in heard])
    times: list[tuple[float, float] | None] = [None] * len(spoken)
    for ours, theirs in pairs:
        times[ours] = (heard[theirs].start_s, heard[theirs].end_s)
    return tuple(_marks(spoken, _filled(spoken, times, duration_s), duration_s))


def _pairs(spoken: Sequence[str], heard: Sequence[str]) -> list[tuple[int, int]]:
    """Which word of ours is which of theirs: edit distance with the likeness of words as the cost of a pair."""
    costs = [[column * _MISSED for column in range(len(heard) + 1)]]
    for row, ours in enumerate(spoken, 1):
        above, line = costs[-1], [row * _MISSED]
        for column, theirs in enumerate(heard, 1):
            pair = above[column - 1] + _unlike(ours, theirs)
            line.append(min(pair, above[column] + _MISSED, line[-1] + _MISSED))
        costs.append(line)
    return _way_back(costs, spoken, heard)


def _way_back(costs: list[list[float]], spoken: Sequence[str], heard: Sequence[str]) -> list[tuple[int, int]]:
    row, column, pairs = len(spoken), len(heard), list[tuple[int, int]]()
    while row and column:
        here = costs[row][column]
        if here == costs[row - 1][column - 1] + _unlike(spoken[row - 1], heard[column - 1]):
            row, column = row - 1, column - 1
            pairs.append((row, column))
        elif here == costs[row - 1][column] + _MISSED:
            row -= 1
        else:
            column -= 1
    return pairs[::-1]


@lru_cache(4096)
def _unlike(ours: str, theirs: str) -> float:
    if ours == theirs:
        return 0.0
    return _UNLIKE * (1 - SequenceMatcher(None, ours, theirs, autojunk=False).ratio())


def _bare(word: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKC", word).casefold() if letter.isalnum())


def _filled(
    spoken: Sequence[str], times: Sequence[tuple[float, float] | None], duration_s: float
) -> list[tuple[float, float]]:
    """Runs of words without a time share what lies between the words beside them, by their letters."""
    filled, at, before_s = list[tuple[float, float]](), 0, 0.0
    while at < len(times):
        known = times[at]
        if known is not None:
            filled.append(known)
            before_s, at = known[1], at + 1
            continue
        until = next((index for index in range(at, len(times)) if times[index] is not None), len(times))
        following = times[until] if until < len(times) else None
        after_s = max(before_s, following[0] if following else duration_s)
        letters = [len(word) for word in spoken[at:until]]
        for index in range(len(letters)):
            start, end = (sum(letters[:count]) / sum(letters) for count in (index, index + 1))
            filled.append((before_s + start * (after_s - before_s), before_s + end * (after_s - before_s)))
        at = until
    return filled


def _marks(spoken: Sequence[str], times: Sequence[tuple[float, float]], duration_s: float) -> list[Mark]:
    """In order and inside, whatever was heard."""
    marks, at_s = list[Mark](), 0.0
    for index, (word, (start_s, end_s)) in enumerate(zip(spoken, times, strict=True)):
        start_s = min(max(start_s, at_s), duration_s)
        next_s = times[index + 1][0] if index + 1 < len(times) else duration_s
        at_s = min(max(start_s, min(end_s, max(next_s, start_s))), duration_s)
        marks.append(Mark("word", word, start_s, at_s, estimated=True))
    return marks
