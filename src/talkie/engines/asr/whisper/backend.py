"""What a backend is: a library with a Whisper model in memory, and the four things that can be asked of it.

Ids in, ids and numbers out. A backend knows nothing of rules of fallback, prompts, phrases or words; whoever asks knows
nothing of the library. Errors of a library leave a backend as `talkie.errors`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from talkie.engines.asr.whisper.decoding import Hypothesis
from talkie.engines.asr.whisper.words import Alignment
from talkie.engines.base import DecodingOptions


@dataclass(frozen=True, slots=True)
class GenerateOptions:
    """How to decode, and the ids that no transcript holds."""

    decoding: DecodingOptions
    suppressed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AlignItem:
    """Text tokens (at least one) of a window with at least two frames of sound."""

    number: int
    tokens: tuple[int, ...]
    frames: int


class Backend(Protocol):
    """A model and the device it is on. Its methods may be called from `workers` threads at once and gain from it.

    `encode` gives something that only this backend can read; the other methods take it with the numbers of the windows
    they are about. `max_batch` is how many windows a call gains from.
    """

    name: str
    device: str
    compute_type: str
    n_mels: int
    multilingual: bool
    max_batch: int
    workers: int

    def encode(self, features: NDArray[np.float32]) -> Any:
        """`features`: shape `(windows, n_mels, frames)`, 3000 frames or fewer (a fitted context)."""
        ...

    def languages(self, encoded: Any, numbers: Sequence[int]) -> list[list[tuple[str, float]]]:
        """For each window the language tokens and their probabilities, the likeliest first."""
        ...

    def generate(
        self, encoded: Any, prompts: Sequence[tuple[int, list[int]]], temperature: float, options: GenerateOptions
    ) -> list[Hypothesis]:
        """One hypothesis for each `(window number, prompt)`; the prompts must be of one length."""
        ...

    def align(self, encoded: Any, start_sequence: list[int], items: Sequence[AlignItem]) -> list[Alignment]:
        """Where the text tokens of each item lie in its window."""
        ...

    def close(self) -> None: ...
