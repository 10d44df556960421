"""When each word of a window was said, from the decoder's attention. Pure: the attention is worked out elsewhere.

The rules are those of openai/whisper `timing.py` as faster-whisper 1.2 applies them, with their repairs: words at the
edges of sentences and phrases come out too long, and punctuation belongs to the word it stands at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from talkie.engines.asr.whisper.splitting import TokenWord
from talkie.engines.asr.whisper.timestamps import Phrase, Window
from talkie.types import Word

OPENING = "\"'“¿([{-"
CLOSING = "\"'.。,，!！?？:：”)]}、"  # noqa: RUF001 (full-width marks are meant)
_SENTENCE_ENDS = ".。!！?？"  # noqa: RUF001
_STEPS_PER_SECOND = 50
_LONGEST_MEDIAN_S = 0.7
_SLACK_S = 0.5


@dataclass(frozen=True, slots=True)
class Alignment:
    """What aligning gives for the text tokens of one window.

    `pairs` are (token number, 20 ms step), both rising; `probabilities` one for each token.
    """

    pairs: Sequence[tuple[int, int]]
    probabilities: Sequence[float]


@dataclass(frozen=True, slots=True)
class PhraseWords:
    """A phrase, its times mended by its words, and the words."""

    phrase: Phrase
    words: tuple[Word, ...] = ()


@dataclass(slots=True)
class _Timed:
    """A word being placed; `start` and `end` in seconds."""

    text: str
    tokens: int
    start: float
    end: float
    probability: float

    @property
    def duration(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class _Pace:
    """How long a word of this window takes in the middle, and how long is too long; seconds."""

    median: float
    longest: float


def place(
    phrases: Sequence[Phrase], lengths: Sequence[int], words: Sequence[TokenWord], alignment: Alignment, window: Window
) -> list[PhraseWords]:
    """The words of each phrase with their times in the recording, inside the window.

    `lengths` are the numbers of text tokens of the phrases; `words` are those of all phrases in a row, and the
    tokens that `alignment` numbers are theirs.
    """
    timed = _times(words, alignment)
    pace = _pace(timed)
    _shorten_at_sentences(timed, pace)
    _merge_punctuation(timed)
    for word in timed:
        word.start = round(window.start_s + word.start, 2)
        word.end = round(window.start_s + word.end, 2)
    found, last_end = [], window.start_s
    for phrase, own in zip(phrases, _by_phrase(timed, lengths), strict=True):
        if own:
            phrase = _mend_edges(own, phrase, last_end, pace)
            last_end = phrase.end_s
        found.append(PhraseWords(phrase, tuple(_word(word, window) for word in own if word.text.strip())))
    return found


def _times(words: Sequence[TokenWord], alignment: Alignment) -> list[_Timed]:
    """A token begins where the path through the attention first reaches it; the end of text closes the last word."""
    path = np.asarray(alignment.pairs, dtype=np.int64).reshape(-1, 2)
    if not len(path) or not words:
        return []
    is_new = np.append(True, np.diff(path[:, 0]) != 0)
    starts_s: NDArray[np.float64] = path[is_new, 1] / _STEPS_PER_SECOND
    bounds = np.cumsum([0, *(len(word.tokens) for word in words)])
    at = starts_s[np.minimum(bounds, len(starts_s) - 1)]
    return [
        _Timed(word.text, len(word.tokens), float(start), float(end), _mean(alignment.probabilities[first:last]))
        for word, start, end, first, last in zip(words, at, at[1:], bounds, bounds[1:], strict=False)
    ]


def _mean(probabilities: Sequence[float]) -> float:
    return float(np.mean(probabilities)) if len(probabilities) else 0.0


def _pace(words: Sequence[_Timed]) -> _Pace:
    durations = [word.duration for word in words if word.duration != 0]
    median = min(_LONGEST_MEDIAN_S, float(np.median(durations))) if durations else 0.0
    return _Pace(median, 2 * median)


def _shorten_at_sentences(words: Sequence[_Timed], pace: _Pace) -> None:
    """A pause between sentences is not part of the mark before it, nor of the word after it."""
    if pace.median == 0 and all(word.duration == 0 for word in words):
        return
    for before, word in pairwise(words):
        if word.duration <= pace.longest:
            continue
        if word.text in _SENTENCE_ENDS:
            word.end = word.start + pace.longest
        elif before.text in _SENTENCE_ENDS:
            word.start = word.end - pace.longest


def _merge_punctuation(words: Sequence[_Timed]) -> None:
    """Marks that open join the word after them, marks that close the one before; what is taken is left empty."""
    keeper = len(words) - 1
    for i in range(len(words) - 2, -1, -1):
        if words[i].text.startswith(" ") and words[i].text.strip() in OPENING:
            _take(words[keeper], words[i], words[i].text + words[keeper].text)
        else:
            keeper = i
    keeper = 0
    for i in range(1, len(words)):
        if not words[keeper].text.endswith(" ") and words[i].text in CLOSING:
            _take(words[keeper], words[i], words[keeper].text + words[i].text)
        else:
            keeper = i


def _take(keeper: _Timed, taken: _Timed, text: str) -> None:
    keeper.text, keeper.tokens = text, keeper.tokens + taken.tokens
    taken.text, taken.tokens = "", 0


def _by_phrase(words: Sequence[_Timed], lengths: Sequence[int]) -> list[list[_Timed]]:
    """Words in order, to each phrase until its tokens are used up; those that were merged away are left out."""
    found: list[list[_Timed]] = []
    at = 0
    for length in lengths:
        own: list[_Timed] = []
        used = 0
        while at < len(words) and used < length:
            used += words[at].tokens
            if words[at].text:
                own.append(words[at])
            at += 1
        found.append(own)
    return found


def _mend_edges(words: Sequence[_Timed], phrase: Phrase, last_end: float, pace: _Pace) -> Phrase:
    """After a pause the first words come out too long; phrase and word times are brought together at both ends."""
    first, last = words[0], words[-1]
    if first.end - last_end > pace.median * 4:
        _shorten_after_pause(words, pace)
    start, end = phrase.start_s, phrase.end_s
    if first.start < start - _SLACK_S and start < first.end:
        first.start = max(0.0, min(first.end - pace.median, start))
    else:
        start = first.start
    if last.start < end and end + _SLACK_S < last.end:
        last.end = max(last.start + pace.median, end)
    else:
        end = last.end
    return replace(phrase, start_s=start, end_s=end)


def _shorten_after_pause(words: Sequence[_Timed], pace: _Pace) -> None:
    first, second = words[0], words[1] if len(words) > 1 else None
    both_too_long = second is not None and second.end - first.start > 2 * pace.longest
    if first.duration <= pace.longest and not both_too_long:
        return
    if second is not None and second.duration > pace.longest:
        first.end = second.start = max(second.end / 2, second.end - pace.longest)
    first.start = max(0.0, first.end - pace.longest)


def _word(word: _Timed, window: Window) -> Word:
    start_s = window.clip(word.start)
    return Word(word.text.strip(), start_s, max(start_s, window.clip(word.end)), word.probability)
