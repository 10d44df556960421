"""What an engine says of a text, looked over before anybody hears it: not silent, not cut short, not without end.

Neural voices stumble over very short texts. A result that cannot be right is made once more, with the full stop at its
end put there or taken away, and the better one is kept. Knows nothing of sentences or marks.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from talkie.audio.joins import at_rate, loud
from talkie.engines.base import SynthesizeOptions
from talkie.errors import EngineFailed
from talkie.types import Mark, Samples, SpeechChunk

if TYPE_CHECKING:
    from talkie.pipeline.speak_plan import Cancel

_log = logging.getLogger(__name__)

LONGEST_S, LONGEST_CHARACTER_S = 5.0, 0.8
"""A text never lasts longer than this and so much for each character: numbers and emoji are read out at length."""
SHORTEST_S, SHORTEST_LETTER_S, MOST_LETTERS = 0.05, 0.015, 20
"""One or two words are never shorter, at the voice's own speed: the quickest of espeak's say `a` in 0.1 s."""

Fault = Literal["", "silent", "short", "endless"]


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """All that an engine said of one text."""

    samples: Samples
    sample_rate: int
    marks: tuple[Mark, ...] = ()
    fault: Fault = ""


class Guard:
    """An engine's `synthesize`, looked over."""

    def __init__(
        self, synthesize: Callable[[str, SynthesizeOptions], Iterator[SpeechChunk]], engine: str, cancel: Cancel
    ) -> None:
        self._synthesize, self._engine, self._cancel = synthesize, engine, cancel

    def speak(self, text: str, options: SynthesizeOptions) -> Sound:
        """The first result that is right, or the better of two. Raises what the engine raises, and `EngineFailed`."""
        first = self._once(text, options)
        if not first.fault:
            return first
        second = self._once(_otherwise(text), options)
        if second.fault:
            _log.warning("%s: %d characters came out %s twice", self._engine, len(text), second.fault)
        return min(first, second, key=_badness)

    def _once(self, text: str, options: SynthesizeOptions) -> Sound:
        chunks: list[SpeechChunk] = []
        left_s = (LONGEST_S + LONGEST_CHARACTER_S * len(text)) / options.speed
        with closing(cast(Any, self._synthesize(text, options))) as speech:
            for chunk in speech:
                self._cancel.check()
                chunks.append(chunk)
                left_s -= len(chunk.samples) / chunk.sample_rate
                if left_s < 0:
                    break
        sound = self._whole(chunks)
        fault: Fault = "endless" if left_s < 0 else _fault(sound, text, options.speed)
        return Sound(sound.samples, sound.sample_rate, sound.marks, fault)

    def _whole(self, chunks: list[SpeechChunk]) -> Sound:
        if not chunks:
            return Sound(np.zeros(0, np.float32), 16_000)
        rate = chunks[0].sample_rate
        samples = np.concatenate([at_rate(chunk.samples, chunk.sample_rate, rate) for chunk in chunks])
        if not np.isfinite(samples).all():
            raise EngineFailed(self._engine, "its sound is not a number")
        return Sound(samples, rate, tuple(mark for chunk in chunks for mark in chunk.marks))


def _fault(sound: Sound, text: str, speed: float) -> Fault:
    letters = sum(unicodedata.category(letter)[0] in "LN" for letter in text)
    start, end = loud(sound.samples, sound.sample_rate)
    if start >= end:
        return "silent" if letters else ""  # emoji and signs may have no name in a language
    shortest_s = (SHORTEST_S + SHORTEST_LETTER_S * letters) / max(1.0, speed)
    return "short" if letters <= MOST_LETTERS and (end - start) / sound.sample_rate < shortest_s else ""


def _otherwise(text: str) -> str:
    bare = text.rstrip(".")
    return bare if bare != text and bare else text + "."


def _badness(sound: Sound) -> tuple[int, float]:
    order: tuple[Fault, ...] = ("", "short", "endless", "silent")
    return order.index(sound.fault), -len(sound.samples) if sound.fault == "short" else len(sound.samples)
