"""English sentences of the built-in voices, for engines that choose by what they hear: two windows with their text.

Knows nothing of the engines that listen. The voices are those of espeak-ng that recognisers understand best.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from talkie.engines import registry
from talkie.engines.base import SynthesizeOptions, Synthesizer
from talkie.runtime.spoken import WINDOW_S, speak
from talkie.types import SAMPLE_RATE_HZ, Samples

PAUSE_S = 0.4
_SPOKEN = (
    (
        "en-us+klatt4",
        "The old bridge across the river was closed for three weeks after the storm. "
        "My sister works in a school, and every morning she takes the early bus. "
        "Please put the green bottle back on the second shelf. "
        "We had bread and cheese for lunch, and some apples from the garden. "
        "Did anybody remember to bring the keys?",
    ),
    (
        "en-us+klatt5",
        "On the first day of the month the shops open at eight and close at six. "
        "He wrote a long letter to his friend, but he never sent it. "
        "The water in the lake is too cold for swimming in spring. "
        "Tell the driver to wait in front of the station. "
        "They painted the kitchen yellow because the room is dark in winter.",
    ),
)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A window of at most 30 s at 16 kHz, and what is said in it."""

    samples: Samples
    text: str


def spoken_passages() -> list[Spoken]:
    voice: Synthesizer = registry.load("espeak")()
    try:
        return [Spoken(say(voice, text, speaker), text) for speaker, text in _SPOKEN]
    finally:
        voice.close()


def say(voice: Synthesizer, text: str, speaker: str) -> Samples:
    """Sentences one after the other, cut where a window ends."""
    options = SynthesizeOptions(voice=speaker)
    pause = np.zeros(round(PAUSE_S * SAMPLE_RATE_HZ), np.float32)
    parts = [part for sentence in _sentences(text) for part in (speak(voice, sentence, options), pause)]
    return np.concatenate(parts)[: WINDOW_S * SAMPLE_RATE_HZ]


def _sentences(text: str) -> Iterator[str]:
    yield from text.replace("? ", "?\n").replace(". ", ".\n").split("\n")
