"""Windows and prompts to the best texts: feeds the prompts, then hands over to the search that was asked for.

Gives what CTranslate2's `Whisper.generate` gives: tokens, scores and the probability of no speech.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from talkie.engines.asr.whisper.backend import GenerateOptions
from talkie.engines.asr.whisper.decoding import Hypothesis
from talkie.engines.asr.whisper.prompt import max_length
from talkie.engines.asr.whisper.search.beam import search_beams
from talkie.engines.asr.whisper.search.penalties import Penalties
from talkie.engines.asr.whisper.search.rules import NoTimestamps, Rules, Timestamps
from talkie.engines.asr.whisper.search.sampling import Drawn, Likeliest
from talkie.engines.asr.whisper.search.scores import log_sum_exp
from talkie.engines.asr.whisper.search.single import search_single
from talkie.engines.asr.whisper.search.steps import Layout, Scores, Steps
from talkie.engines.asr.whisper.search.task import Task
from talkie.engines.asr.whisper.tokens import TIMESTAMP_STEP_S


class Vocabulary(Protocol):
    """The ids that decoding turns on. `blank` may not come first; `no_speech` -1: there is none."""

    @property
    def layout(self) -> Layout: ...
    @property
    def start(self) -> int: ...
    @property
    def no_timestamps(self) -> int: ...
    @property
    def no_speech(self) -> int: ...
    @property
    def blank(self) -> tuple[int, ...]: ...


def generate(
    steps: Steps,
    prompts: Sequence[list[int]],
    vocabulary: Vocabulary,
    temperature: float,
    options: GenerateOptions,
    *,
    random: np.random.Generator | None = None,
    drop_share: float = 0.25,
) -> list[Hypothesis]:
    """One hypothesis for each prompt. The prompts are of one length, and so is what comes before their start token.

    `random` is drawn from where `temperature` is above 0. Raises `ValueError` where prompts do not go together.
    """
    decoding = options.decoding
    scores, no_speech = _feed(steps, prompts, vocabulary)
    task = Task(
        steps,
        _rules(prompts, vocabulary, decoding.max_initial_timestamp_s),
        Penalties(
            vocabulary.layout,
            options.suppressed,
            vocabulary.blank if decoding.suppress_blank and _is_without_timestamps(prompts, vocabulary) else (),
            decoding.repetition_penalty,
            decoding.no_repeat_ngram_size,
        ),
        _most(len(prompts[0]), decoding.max_new_tokens),
        vocabulary.layout.end,
        decoding.length_penalty,
        drop_share,
    )
    if temperature > 0:
        drawn = Drawn(
            vocabulary.layout, options.suppressed, temperature, decoding.best_of, random or np.random.default_rng()
        )
        found = search_single(task, scores, len(prompts), drawn)
    elif decoding.beam_size == 1:
        found = search_single(task, scores, len(prompts), Likeliest(vocabulary.layout))
    else:
        found = search_beams(task, scores, len(prompts), decoding.beam_size, decoding.patience)
    return [replace(one, no_speech_prob=prob) for one, prob in zip(found, no_speech, strict=True)]


def _feed(steps: Steps, prompts: Sequence[list[int]], vocabulary: Vocabulary) -> tuple[Scores, list[float]]:
    """In two parts, because at the start token the decoder says whether it hears speech at all."""
    whole = np.array(prompts, np.int64)[:, None]
    places = np.argwhere(whole[:, 0] == vocabulary.start)
    if len(places) != len(prompts) or (places[:, 1] != places[0, 1]).any():
        raise ValueError("The prompts of one call must have their start token at the same place.")
    after = int(places[0, 1]) + 1
    scores = steps.feed(whole[:, :, :after])
    no_speech = [0.0] * len(prompts)
    if vocabulary.no_speech >= 0:
        logits = scores.all()[:, 0]
        no_speech = np.exp(logits[:, vocabulary.no_speech] - log_sum_exp(logits, logits.max(axis=1))).tolist()
    if after < whole.shape[2]:
        scores = steps.feed(whole[:, :, after:])
    return scores, no_speech


def _is_without_timestamps(prompts: Sequence[list[int]], vocabulary: Vocabulary) -> bool:
    return prompts[0][-1] == vocabulary.no_timestamps


def _rules(prompts: Sequence[list[int]], vocabulary: Vocabulary, max_initial_s: float) -> Rules:
    if _is_without_timestamps(prompts, vocabulary):
        return NoTimestamps()
    return Timestamps(vocabulary.layout, len(prompts), round(max_initial_s / TIMESTAMP_STEP_S))


def _most(prompt_tokens: int, max_new_tokens: int | None) -> int:
    """How many tokens to write, the end among them: CTranslate2 gives half of the whole length, or what is left."""
    whole = max_length(prompt_tokens, max_new_tokens)
    return max(1, min(whole // 2, whole - (prompt_tokens - 1)))
