"""When is a decoded window good enough, and what to do when it is not: temperature fallback. Pure.

Knows nothing of models: whoever calls gives a function that decodes some windows at a temperature. The rules are those
of openai/whisper `transcribe.py` (`decode_with_fallback`), for a batch: only windows that failed are decoded again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from talkie.engines.base import DecodingOptions
from talkie.text.compression import compression_ratio


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The best sequence a search found. `score` is its summed log-probability over length to the length penalty."""

    tokens: tuple[int, ...]
    score: float
    no_speech_prob: float = 0.0


@dataclass(frozen=True, slots=True)
class Decoded:
    """A window as decoded; fields as in `talkie.types.Segment`."""

    tokens: tuple[int, ...]
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    temperature: float


Generate: TypeAlias = Callable[[Sequence[int], float], Sequence[Hypothesis]]
"""Windows by number, and a temperature, to one hypothesis each."""
TextOf: TypeAlias = Callable[[Sequence[int]], str]


def decode(count: int, generate: Generate, text_of: TextOf, options: DecodingOptions) -> list[Decoded]:
    """Windows 0 to `count - 1`, each at the first temperature that satisfies the thresholds, else the best of all."""
    tried: list[list[Decoded]] = [[] for _ in range(count)]
    waiting = list(range(count))
    for temperature in options.temperatures or (0.0,):
        if not waiting:
            break
        for number, hypothesis in zip(waiting, generate(waiting, temperature), strict=True):
            tried[number].append(measure(hypothesis, temperature, text_of, options))
        waiting = [number for number in waiting if needs_fallback(tried[number][-1], options)]
    failed = set(waiting)
    return [best(tries, options) if number in failed else tries[-1] for number, tries in enumerate(tried)]


def measure(hypothesis: Hypothesis, temperature: float, text_of: TextOf, options: DecodingOptions) -> Decoded:
    length = len(hypothesis.tokens)
    total_logprob = hypothesis.score * length**options.length_penalty
    return Decoded(
        tokens=hypothesis.tokens,
        avg_logprob=total_logprob / (length + 1),  # the end of the text was a choice as well
        no_speech_prob=hypothesis.no_speech_prob,
        compression_ratio=compression_ratio(text_of(hypothesis.tokens).strip()),
        temperature=temperature,
    )


def needs_fallback(decoded: Decoded, options: DecodingOptions) -> bool:
    """Too repetitive or too unsure; but an unsure guess at silence is silence, and no other temperature helps."""
    if _is_unsure(decoded, options) and _sounds_empty(decoded, options):
        return False
    return _is_repetitive(decoded, options) or _is_unsure(decoded, options)


def best(tries: Sequence[Decoded], options: DecodingOptions) -> Decoded:
    """Of tries that all failed: the surest of those that do not repeat themselves, marked with the last temperature."""
    fresh = [one for one in tries if not _is_repetitive(one, options)]
    chosen = max(fresh or tries, key=lambda one: one.avg_logprob)
    return replace(chosen, temperature=tries[-1].temperature)


def is_silence(decoded: Decoded, options: DecodingOptions) -> bool:
    """Whether the window holds no speech: the decoder says so, and was not sure of what it wrote."""
    if not _sounds_empty(decoded, options):
        return False
    threshold = options.log_prob_threshold
    return threshold is None or decoded.avg_logprob <= threshold


def _sounds_empty(decoded: Decoded, options: DecodingOptions) -> bool:
    threshold = options.no_speech_threshold
    return threshold is not None and decoded.no_speech_prob > threshold


def _is_unsure(decoded: Decoded, options: DecodingOptions) -> bool:
    threshold = options.log_prob_threshold
    return threshold is not None and decoded.avg_logprob < threshold


def _is_repetitive(decoded: Decoded, options: DecodingOptions) -> bool:
    threshold = options.compression_ratio_threshold
    return threshold is not None and decoded.compression_ratio > threshold
