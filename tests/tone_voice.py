"""A synthesiser for tests of what is done with speech: a tone for each word, silence around, every wish noted down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from talkie.engines.base import SynthesizeOptions, SynthesizerInfo, Voice
from talkie.types import Mark, Samples, SpeechChunk

WORD_S, GAP_S, EDGE_S = 0.2, 0.05, 0.3


@dataclass
class ToneVoice:
    """`marks` is what it tells of; `spoil` may change the sound of the n-th text it is given."""

    rate: int = 16_000
    marks: tuple[str, ...] = ("word",)
    abilities: dict[str, bool] = field(default_factory=dict)
    spoil: Callable[[int, Samples], Samples] | None = None
    pieces: int = 1
    asked: list[tuple[str, SynthesizeOptions]] = field(default_factory=list)
    closed: int = 0

    @property
    def info(self) -> SynthesizerInfo:
        voices = (Voice("tone", ("en-us", "en")), Voice("ton", ("de",)))
        return SynthesizerInfo("tone", "tone", ("en", "de"), voices, self.rate, **self.abilities)

    def synthesize(self, text: str, options: SynthesizeOptions) -> Iterator[SpeechChunk]:
        self.asked.append((text, options))
        samples, marks = self._said(text, options.speed)
        if self.spoil is not None:
            samples = self.spoil(len(self.asked) - 1, samples)
        try:
            step = max(1, -(-len(samples) // self.pieces))
            for start in range(0, len(samples), step):
                told = [mark for mark in marks if start <= round(mark.start_s * self.rate) < start + step]
                yield SpeechChunk(samples[start : start + step], self.rate, tuple(told))
        finally:
            self.closed += 1

    def _said(self, text: str, speed: float) -> tuple[Samples, list[Mark]]:
        sound, marks, at_s = [self._silence(EDGE_S)], list[Mark](), EDGE_S
        for word in text.split():
            length = round(WORD_S / speed * self.rate)
            time = np.arange(length) / self.rate
            sound += [(0.5 * np.sin(2 * np.pi * 220 * time)).astype(np.float32), self._silence(GAP_S)]
            marks += [Mark("word", word, at_s, at_s + WORD_S / speed)] if "word" in self.marks else []
            at_s += WORD_S / speed + GAP_S
        return np.concatenate([*sound, self._silence(EDGE_S)]), marks

    def _silence(self, seconds: float) -> Samples:
        return np.zeros(round(seconds * self.rate), np.float32)
