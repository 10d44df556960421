"""How one text is to be spoken: what the steps of `speak.py` are told.

Knows nothing of the steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from talkie.engines.base import SynthesizeOptions, SynthesizerInfo
from talkie.types import Audio, Mark, SpeechChunk

if TYPE_CHECKING:
    from talkie.text.lexicon import Lexicon

Synthesize: TypeAlias = Callable[[str, SynthesizeOptions], Iterator[SpeechChunk]]
Align: TypeAlias = Callable[[Audio, str], "tuple[Mark, ...]"]

AHEAD_S = 15.0
"""Sound made and not yet taken, about two sentences: who leaves wasted no more than that."""


class Cancel(Protocol):
    """The caller's flag; `cancel` is called when the speech is left before its end."""

    @property
    def cancelled(self) -> bool: ...

    def cancel(self) -> None: ...

    def check(self) -> None: ...


@dataclass(frozen=True, slots=True)
class SpeakPlan:
    """How one text is to be spoken.

    `synthesize` speaks one sentence or clause; it may block, and must raise soon after the cancel flag is set. `align`
    finds the words of a text in its sound, for engines that tell no times. `sample_rate` None: the engine's own.
    `ahead_s` of sound may be ready before they are taken.
    """

    synthesize: Synthesize
    info: SynthesizerInfo
    options: SynthesizeOptions = field(default_factory=SynthesizeOptions)
    lexicon: Lexicon | None = None
    align: Align | None = None
    visemes: bool = False
    ssml: bool = False
    generation: int = 0
    sample_rate: int | None = None
    max_characters: int = 100_000
    ahead_s: float = AHEAD_S
    clock: Callable[[], float] = time.monotonic
