"""A stream of sound and marks cut into pieces to be handed out: short ones first, so that the first leaves early.

A mark is in the piece in which it begins. Knows nothing of where the sound comes from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from talkie.types import Mark, Samples, SpeechChunk

FIRST_S, LONGEST_S = 0.2, 1.0
SHORTEST_S = 0.1
"""What would be left over of a line is given with the piece before it."""


class Pieces:
    """`add` what is ready and take what is whole. Marks come before, or with, the sound in which they begin."""

    def __init__(self, sample_rate: int, generation: int) -> None:
        self._rate, self._generation = sample_rate, generation
        self._samples: Samples = np.zeros(0, np.float32)
        self._marks: list[Mark] = []
        self._at = 0
        self._size_s = FIRST_S

    def add(self, samples: Samples, marks: Sequence[Mark]) -> Iterator[SpeechChunk]:
        """Whole pieces; of a line that is done nothing is kept waiting for the next one."""
        self._samples = np.concatenate([self._samples, samples]) if len(self._samples) else samples
        self._marks = sorted([*self._marks, *marks], key=_start)
        while len(self._samples):
            yield self._cut(round(self._size_s * self._rate))
            self._size_s = min(self._size_s * 2, LONGEST_S)

    def _cut(self, length: int) -> SpeechChunk:
        if len(self._samples) - length < SHORTEST_S * self._rate:
            length = len(self._samples)
        samples, self._samples = self._samples[:length], self._samples[length:]
        self._at += len(samples)
        until_s = self._at / self._rate
        begun = sum(mark.start_s < until_s for mark in self._marks)
        marks, self._marks = self._marks[:begun], self._marks[begun:]
        return SpeechChunk(samples, self._rate, tuple(marks), self._generation)


def _start(mark: Mark) -> float:
    return mark.start_s
