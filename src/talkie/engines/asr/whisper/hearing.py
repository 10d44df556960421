"""One batch of windows through a model: encode, find the language, decode, cut into phrases, time the words.

Knows nothing of loading, checking or batch sizes. Windows hold sound (at least one frame of 10 ms), their options are
ones the model can fulfil, and those of one call have the same decoding and prompts of one length; language, task, words
and the prompt itself are each window's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np

from talkie.audio.mel import MAX_FRAMES, content_frames, log_mel
from talkie.engines.asr.whisper import decoding, splitting
from talkie.engines.asr.whisper.backend import AlignItem, Backend, GenerateOptions
from talkie.engines.asr.whisper.decoding import Decoded, Hypothesis
from talkie.engines.asr.whisper.fitting import context_frames, is_doubtful
from talkie.engines.asr.whisper.prompt import context
from talkie.engines.asr.whisper.timestamps import Cut, Window, cut
from talkie.engines.asr.whisper.tokens import WhisperTokens
from talkie.engines.asr.whisper.words import PhraseWords, place
from talkie.engines.base import RecognizeOptions
from talkie.errors import UnsupportedByModel
from talkie.types import Audio

_MIN_FRAMES_TO_ALIGN = 2
"""CTranslate2 before 4.8.1 ends the process when asked to align less than 20 ms; nothing is said in so little."""


@dataclass(slots=True)
class Heard:
    """One window, what is wanted of it and what is known so far. `decoded` None: no sound. `silent`: the decoder heard
    no speech."""

    audio: Audio
    options: RecognizeOptions
    window: Window
    language: str = ""
    language_probability: float = 1.0
    decoded: Decoded | None = None
    silent: bool = False
    cut: Cut | None = None
    phrases: list[PhraseWords] = field(default_factory=list)

    @classmethod
    def of(cls, audio: Audio, options: RecognizeOptions) -> Heard:
        return cls(audio, options, Window(audio.start_s, content_frames(len(audio.samples))))


@dataclass(frozen=True, slots=True)
class Hearing:
    """The model that all windows go through, and its tokens."""

    model: Backend
    tokens: WhisperTokens

    def run(self, items: Sequence[Heard]) -> None:
        """Fill in what is heard in each of `items`; what a fitted context leaves in doubt is heard in a full one."""
        frames = max(context_frames(item.options, item.window.frames) for item in items)
        self._hear(items, frames)
        doubtful = [item for item in items if frames < MAX_FRAMES and self._is_doubtful(item)]
        if doubtful:
            self._hear(doubtful, MAX_FRAMES)

    def _is_doubtful(self, item: Heard) -> bool:
        if item.options.context == "guess":
            return False
        begin, rules = self.tokens.timestamp_begin, item.options.decoding
        return item.decoded is None or is_doubtful(item.decoded, item.window.frames, begin, rules)

    def _hear(self, items: Sequence[Heard], frames: int) -> None:
        features = np.empty((len(items), self.model.n_mels, frames), np.float32)
        for item, out in zip(items, features, strict=True):
            log_mel(item.audio.samples, self.model.n_mels, out)
        encoded = self.model.encode(features)
        self._find_languages(encoded, items)
        self._decode(encoded, items)
        for item in items:
            self._cut(item)
        self._time_words(encoded, items)

    def _find_languages(self, encoded: Any, items: Sequence[Heard]) -> None:
        """The language asked for, the only one there is, or the likeliest of each window."""
        known = self.tokens.languages
        only = known[0] if len(known) == 1 else ""
        for item in items:
            item.language = item.options.language or only
        unknown = [number for number, item in enumerate(items) if not item.language]
        if not unknown:
            return
        for number, guesses in zip(unknown, self.model.languages(encoded, unknown), strict=True):
            items[number].language, items[number].language_probability = self._likeliest(guesses)

    def _likeliest(self, guesses: Sequence[tuple[str, float]]) -> tuple[str, float]:
        for token, probability in guesses:
            if (code := token.strip("<|>")) in self.tokens.languages:
                return code, probability
        raise UnsupportedByModel(
            "language", "This model cannot find out the language.", hint="Say which language is spoken."
        )

    def _start(self, item: Heard) -> list[int]:
        return self.tokens.start_sequence(item.language, item.options.task)

    def _decode(self, encoded: Any, items: Sequence[Heard]) -> None:
        prompts = [context(self.tokens, item.options).prompt(self._start(item)) for item in items]
        rules = items[0].options.decoding
        settings = GenerateOptions(rules, self.tokens.suppressed)

        def generate(numbers: Sequence[int], temperature: float) -> list[Hypothesis]:
            chosen = [(number, prompts[number]) for number in numbers]
            return self.model.generate(encoded, chosen, temperature, settings)

        results = decoding.decode(len(items), generate, self.tokens.decode, rules)
        for item, decoded in zip(items, results, strict=True):
            item.decoded = decoded
            item.silent = decoding.is_silence(decoded, rules)

    def _cut(self, item: Heard) -> None:
        item.cut, item.phrases = None, []
        if item.decoded is not None and not item.silent:
            item.cut = cut(item.decoded.tokens, self.tokens.timestamp_begin, item.window)
            item.phrases = [PhraseWords(phrase) for phrase in item.cut.phrases]

    def _time_words(self, encoded: Any, items: Sequence[Heard]) -> None:
        """Where words are wanted; windows that begin alike are aligned in one call."""
        texts = [[self._text(one.phrase.tokens) for one in item.phrases if item.options.words] for item in items]
        tokens = [tuple(chain.from_iterable(parts)) for parts in texts]
        worth = [
            number for number, item in enumerate(items) if tokens[number] and item.window.frames >= _MIN_FRAMES_TO_ALIGN
        ]
        for start, numbers in _grouped(worth, lambda number: tuple(self._start(items[number]))):
            wanted = [AlignItem(number, tokens[number], items[number].window.frames) for number in numbers]
            for number, alignment in zip(numbers, self.model.align(encoded, list(start), wanted), strict=True):
                item = items[number]
                words = splitting.words(tokens[number], self.tokens.decode, item.language)
                phrases = [one.phrase for one in item.phrases]
                item.phrases = place(phrases, [len(text) for text in texts[number]], words, alignment, item.window)

    def _text(self, tokens: Sequence[int]) -> tuple[int, ...]:
        return tuple(token for token in tokens if token < self.tokens.end)


def _grouped(
    numbers: Sequence[int], key: Callable[[int], tuple[int, ...]]
) -> Iterator[tuple[tuple[int, ...], list[int]]]:
    groups: dict[tuple[int, ...], list[int]] = {}
    for number in numbers:
        groups.setdefault(key(number), []).append(number)
    yield from groups.items()
