"""A short trial of a backend: what it hears in a few windows of speech, and the processor time that takes.

Knows nothing of who wins. One call at a time, greedy, from a warm start; a model that is slow is not tried twice.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from talkie.audio.mel import MAX_FRAMES, content_frames, log_mel
from talkie.engines.asr.whisper.backend import AlignItem, Backend, GenerateOptions
from talkie.engines.asr.whisper.tokens import ENGLISH, WhisperTokens
from talkie.engines.base import DecodingOptions
from talkie.types import SAMPLE_RATE_HZ, Samples

SLOW_S = 1.0
"""Where one window takes longer, it is the only one."""
MAX_TOKENS = 160
_GREEDY = DecodingOptions(beam_size=1, best_of=1, temperatures=(0.0,), max_new_tokens=MAX_TOKENS)
_LEAST = 1e-9


class Passage(Protocol):
    """A window of speech, 16 kHz and at most 30 s, and the English that is said in it."""

    @property
    def samples(self) -> Samples: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Trial:
    """What was heard, as text tokens and as text, the seconds of audio and of the processors measured, and what the
    encoder made of the windows: for this model only, and only while it is open."""

    tokens: tuple[tuple[int, ...], ...]
    texts: tuple[str, ...]
    audio_s: float
    processor_s: float
    encoded: Any = None

    @property
    def speed(self) -> float:
        """Seconds of audio a processor second."""
        return self.audio_s / max(self.processor_s, 1e-9)


def run_trial(
    model: Backend,
    tokens: WhisperTokens,
    passages: Sequence[Passage],
    clock: Callable[[], float] = time.process_time,
    *,
    whole: bool = False,
) -> Trial:
    """The first window alone, and then all in one batch, unless the first was slow. `passages`: at least one, and with
    `whole` all of them are heard however slow that is."""
    heard = passages[:1]
    began_s = clock()
    encoded, found = _hear(model, tokens, heard)
    took_s = clock() - began_s
    if took_s <= SLOW_S or (whole and len(passages) > 1):
        heard = passages
        began_s = clock()
        encoded, found = _hear(model, tokens, heard)
        took_s = clock() - began_s
    audio_s = sum(len(one.samples) for one in heard) / SAMPLE_RATE_HZ
    return Trial(tuple(found), tuple(tokens.decode(one) for one in found), audio_s, took_s, encoded)


def log_likelihood(
    model: Backend, tokens: WhisperTokens, encoded: Any, passages: Sequence[Passage], texts: Sequence[Sequence[int]]
) -> float:
    """Of these texts in these encoded windows, as the model sees it: the mean over all tokens, 0.0 and below.

    Needs a model with alignment heads, and at least one token. Steady where texts are not: a rounding that turns one
    word turns all that follow it, and hardly moves this.
    """
    items = [
        AlignItem(number, tuple(text), content_frames(len(passages[number].samples)))
        for number, text in enumerate(texts)
        if text
    ]
    found = model.align(encoded, _prompt(tokens), items)
    logs = [math.log(max(probability, _LEAST)) for one in found for probability in one.probabilities]
    return sum(logs) / len(logs)


def _hear(model: Backend, tokens: WhisperTokens, passages: Sequence[Passage]) -> tuple[Any, list[tuple[int, ...]]]:
    encoded = _encode(model, passages)
    prompts = [(number, _prompt(tokens)) for number in range(len(passages))]
    found = model.generate(encoded, prompts, 0.0, GenerateOptions(_GREEDY, tokens.suppressed))
    return encoded, [tuple(token for token in one.tokens if token < tokens.end) for one in found]


def _encode(model: Backend, passages: Sequence[Passage]) -> Any:
    features = np.empty((len(passages), model.n_mels, MAX_FRAMES), np.float32)
    for passage, out in zip(passages, features, strict=True):
        log_mel(passage.samples, model.n_mels, out)
    return model.encode(features)


def _prompt(tokens: WhisperTokens) -> list[int]:
    language = ENGLISH if ENGLISH in tokens.languages else tokens.languages[0]
    return tokens.start_sequence(language, "transcribe")
