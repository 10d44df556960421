"""Is what a contender wrote what it had to write? Of shape-true models word by word, of real ones by their errors.

A shape-true model tells its text once a window, whatever the sound, so a right answer is that text told over and over
and nothing else. Fewer windows than the sound needs mean that some of it was not heard. Knows nothing of speed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from talkie.text.wer import word_error_rate

WINDOW_S = 30.0
LEAST_SHARE = 0.8
"""Windows may be fewer than the sound has, because silence is cut out, but not fewer than this share."""
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
class Checked:
    """See `Sample` for what `passes` and `ok` mean."""

    ok: bool | None
    passes: int | None = None
    wer: float | None = None


def check(text: str, expected: Expected) -> Checked:
    if expected.told:
        passes = count_passes(text, expected.told)
        return Checked(passes is not None and passes >= least_passes(expected.audio_s), passes)
    if expected.spoken:
        rate = word_error_rate(expected.spoken, text, expected.language).rate
        return Checked(rate <= DOUBTFUL_WER, None, rate)
    return Checked(None)


def count_passes(text: str, told: str) -> int | None:
    """How many times `told` makes up the whole of `text`; None when it does not."""
    words, once = text.split(), told.split()
    passes, rest = divmod(len(words), len(once)) if once else (0, 1)
    return None if rest or words != once * passes else passes


def least_passes(audio_s: float) -> int:
    return max(1, math.floor(LEAST_SHARE * audio_s / WINDOW_S))
