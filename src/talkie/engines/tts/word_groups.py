"""Which phonemes say which word, where a speech engine gives times for phonemes only.

espeak-ng says some words together ("of the" is one group of phonemes) and some as several (3.50): the words of a text
and the groups are brought together in order by how many phonemes each should have. Pure; knows nothing of engines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]
"""The first phoneme of a word and the one after its last, counted through the whole utterance."""

_STEPS = ((1, 1), (2, 1), (3, 1), (4, 1), *((1, groups) for groups in range(2, 13)))
"""So many words are so many groups."""
_UNEVEN = 0.5
_INSIDE = re.compile(r"\w[^\w\s'’]+\w")  # noqa: RUF001  (the apostrophe that is printed)
_MAX_CELLS = 20_000


def spans_of_words(words: Sequence[str], groups: Sequence[int], measure: Callable[[str], int]) -> list[Span]:
    """A span for each word, in order; none at all where they cannot be brought together.

    `groups` says how many phonemes each group has; `measure` how many a word has by itself, and is asked only where
    it may matter.
    """
    edges = [0, *accumulate(groups)]
    if len(words) == len(groups) and all(map(_is_plain, words)):
        return list(pairwise(edges))
    if not words or not groups or len(words) * len(groups) > _MAX_CELLS:
        return []
    lengths = [max(1, measure(word)) for word in words]
    found: list[Span] = []
    word = group = 0
    for words_here, groups_here in _path(lengths, list(groups)):
        start, end = edges[group], edges[group + groups_here]
        found += _shared(lengths[word : word + words_here], start, end)
        word, group = word + words_here, group + groups_here
    return found


def _is_plain(word: str) -> bool:
    """Is it said as one word? A number or an abbreviation may be several."""
    return all(letter.isalpha() or not letter.isalnum() for letter in word) and not _INSIDE.search(word)


def _path(lengths: list[int], groups: list[int]) -> list[tuple[int, int]]:
    """The steps from the first word and group to the last that differ least in their numbers of phonemes."""
    best: dict[tuple[int, int], tuple[float, tuple[int, int]]] = {(0, 0): (0.0, (0, 0))}
    for word in range(len(lengths) + 1):
        for group in range(len(groups) + 1):
            here = best.get((word, group))
            if here is None:
                continue
            for step in _STEPS:
                to = word + step[0], group + step[1]
                if to[0] > len(lengths) or to[1] > len(groups):
                    continue
                wrong = abs(sum(lengths[word : to[0]]) - sum(groups[group : to[1]]))
                cost = here[0] + wrong + (0.0 if step == (1, 1) else _UNEVEN)
                if to not in best or cost < best[to][0]:
                    best[to] = cost, step
    at = len(lengths), len(groups)
    path: list[tuple[int, int]] = []
    while at in best and at != (0, 0):
        step = best[at][1]
        path.append(step)
        at = at[0] - step[0], at[1] - step[1]
    return path[::-1]


def _shared(lengths: Sequence[int], start: int, end: int) -> list[Span]:
    """Words that are said together divide their phonemes by what each has by itself; at least one for each."""
    total, edges = sum(lengths), [start]
    for number, done in enumerate(accumulate(lengths)):
        left = len(lengths) - number - 1
        edge = start + round((end - start) * done / total)
        edges.append(max(min(edge, end - left), min(edges[-1] + 1, end)))
    edges[-1] = end
    return list(pairwise(edges))
