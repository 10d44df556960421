"""Is what a contender wrote what it had to write? Of shape-true models word by word, of real ones by their errors.

A shape-true model tells its text once a window, whatever the sound, so a right answer is that text told over and over
and nothing else; only where a window is shorter than the text lasts may its end be missing, because that lies behind
the end of the sound. Less of it than the sound needs means that some sound was not heard. Knows nothing of speed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from talkie.text.wer import word_error_rate

WINDOW_S = 30.0
LEAST_SHARE = 0.8
"""There may be less text than the sound has room for, because silence is cut out, but not less than this share."""
DOUBTFUL_WER = 0.5
"""A real model with more errors than this is not doing the work whose speed is measured."""


@dataclass(frozen=True, slots=True)
class Expected:
    """`told` is the text of a shape-true model; without it, `spoken` is what is said in the file, where it is known."""

    told: str = ""
    spoken: str = ""
    language: str = "en"
    audio_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Told:
    """How often a text was told, its words in all, and whether each time to the end."""

    passes: int
    words: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """See `Sample` for what these mean."""

    ok: bool | None
    passes: int | None = None
    whole: bool | None = None
    wer: float | None = None


def check(text: str, expected: Expected) -> Checked:
    if expected.told:
        told = read_told(text, expected.told)
        if told is None:
            return Checked(False)
        return Checked(told.words >= least_words(expected), told.passes, told.whole)
    if expected.spoken:
        rate = word_error_rate(expected.spoken, text, expected.language).rate
        return Checked(rate <= DOUBTFUL_WER, wer=rate)
    return Checked(None)


def read_told(text: str, told: str) -> Told | None:
    """`text` as beginnings of `told`, one after the other; None when there is anything else in it."""
    words, once = text.split(), told.split()
    lengths: list[int] = []
    for word in words:
        if once and word == once[0]:
            lengths.append(1)
        elif lengths and lengths[-1] < len(once) and word == once[lengths[-1]]:
            lengths[-1] += 1
        else:
            return None
    return Told(len(lengths), len(words), all(length == len(once) for length in lengths))


def least_words(expected: Expected) -> int:
    once = len(expected.told.split())
    return max(1, math.floor(LEAST_SHARE * once * expected.audio_s / WINDOW_S))
