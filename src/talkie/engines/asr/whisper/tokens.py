"""The tokens of one Whisper model: text to ids and back, and the ids that mean something else than text.

Knows nothing of audio or decoding. Every id comes from the model's own vocabulary, so that smaller, larger and
English-only vocabularies work alike. Vocabulary and rules: openai/whisper `tokenizer.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Protocol

from talkie.engines.asr.whisper import byte_level
from talkie.errors import ModelBroken
from talkie.text.languages import LANGUAGES
from talkie.types import Task

TIMESTAMP_STEP_S = 0.02
ENGLISH = "en"

END = "<|endoftext|>"
LANGUAGE_TOKEN = re.compile(r"<\|([a-z]{2,3})\|>")
# Signs of speakers and noises, as in "[MUSIC]" or "- Hello": never said aloud, so never to be written.
_SIGNS = '"#()*+/:;<=>@[\\]^_`{|}~「」『』'
_SIGN_GROUPS = ("<<", ">>", "<<<", ">>>", "--", "---", "-(", "-[", "('", '("', "((", "))", "(((", ")))")
_BRACKET_GROUPS = ("[[", "]]", "{{", "}}", "♪♪", "♪♪♪")
_NOTES = "♩♪♫♬♭♮♯"


class TextCodec(Protocol):
    """Text to ids and back, as `tokenizers.Tokenizer` does both."""

    def encode(self, text: str) -> list[int]: ...

    def decode(self, ids: Sequence[int]) -> str: ...


class WhisperTokens:
    """Special tokens and text of one vocabulary.

    `vocabulary` maps token texts to ids; `multilingual` is what the model says of itself. A model without language
    tokens is English-only whatever it says.
    """

    def __init__(self, codec: TextCodec, vocabulary: dict[str, int], *, multilingual: bool, model: str = "") -> None:
        self._codec = codec
        self._ids = vocabulary
        self._model = model
        self.start = self._needed("<|startoftranscript|>")
        self.end = self._needed(END)
        self.no_timestamps = self._needed("<|notimestamps|>")
        self.previous = vocabulary.get("<|startofprev|>")
        self.transcribe = vocabulary.get("<|transcribe|>")
        self.translate = vocabulary.get("<|translate|>")
        self.language_ids = _languages(vocabulary) if multilingual and self.transcribe is not None else {}

    @property
    def multilingual(self) -> bool:
        return bool(self.language_ids)

    @property
    def languages(self) -> tuple[str, ...]:
        """The codes the model was trained on, in its own order."""
        return tuple(self.language_ids) or (ENGLISH,)

    @property
    def tasks(self) -> tuple[Task, ...]:
        return ("transcribe", "translate") if self.multilingual and self.translate is not None else ("transcribe",)

    @property
    def timestamp_begin(self) -> int:
        """The id of `<|0.00|>`; every later id is 20 ms more."""
        return self.no_timestamps + 1

    def start_sequence(self, language: str, task: Task) -> list[int]:
        """What begins every transcript: the start alone for English-only models, else with language and task."""
        if not self.multilingual:
            return [self.start]
        task_id = self.translate if task == "translate" else self.transcribe
        assert task_id is not None
        return [self.start, self.language_ids[language], task_id]

    def encode(self, text: str) -> list[int]:
        return self._codec.encode(text)

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of tokens; timestamps and other special tokens are left out."""
        return self._codec.decode([token for token in tokens if token < self.end])

    @cached_property
    def suppressed(self) -> tuple[int, ...]:
        """Ids a transcript never holds: signs that are not speech, and special tokens that belong in prompts only."""
        special = [self.transcribe, self.translate, self.start, self.previous]
        special += [self._ids.get("<|startoflm|>"), self._ids.get("<|nospeech|>", self._ids.get("<|nocaptions|>"))]
        return tuple(sorted(self._not_speech() | {token for token in special if token is not None}))

    def _not_speech(self) -> set[int]:
        """A hyphen or a quote may stand inside a word, so only the forms that open one are taken."""
        found = {ids[0] for sign in (" -", " '") if (ids := byte_level.merged(sign, self._ids))}
        for sign in (*_SIGNS, *_SIGN_GROUPS, *_BRACKET_GROUPS, *_NOTES):
            for ids in (byte_level.merged(sign, self._ids), byte_level.merged(" " + sign, self._ids)):
                # All musical notes share the first token of their three bytes, which nothing else needs.
                if len(ids) == 1 or (ids and sign in _NOTES):
                    found.add(ids[0])
        return found

    def _needed(self, token: str) -> int:
        if token not in self._ids:
            raise ModelBroken(self._model, f"its vocabulary has no token {token}.")
        return self._ids[token]


def special_ids(tokens: Sequence[str]) -> dict[str, int]:
    """The special tokens of a vocabulary, in order: they stand behind all text, so the text is not looked at."""
    first = tokens.index(END) if END in tokens else 0
    return {token: number for number, token in enumerate(tokens[first:], first) if token.startswith("<|")}


def _languages(vocabulary: dict[str, int]) -> dict[str, int]:
    """Those that Whisper knows, asked for by name: to look through 50,000 tokens takes far longer."""
    found = ((code, vocabulary[f"<|{code}|>"]) for code in LANGUAGES if f"<|{code}|>" in vocabulary)
    return dict(sorted(found, key=lambda pair: pair[1]))
