"""What a decoder is given before it begins: earlier text, words to expect, language and task. Pure.

Lengths follow openai/whisper `decoding.py`: a context of 448 tokens, of which earlier text may take just under half.
"""

from __future__ import annotations

from dataclasses import dataclass

from talkie.engines.asr.whisper.tokens import WhisperTokens
from talkie.engines.base import RecognizeOptions
from talkie.errors import InvalidValue, UnsupportedByModel

MAX_LENGTH = 448
MAX_PREVIOUS = MAX_LENGTH // 2 - 1
_ROOM = MAX_LENGTH // 4


@dataclass(frozen=True, slots=True)
class Context:
    """Tokens that go before the start of the transcript of one window."""

    tokens: tuple[int, ...] = ()

    def prompt(self, start_sequence: list[int]) -> list[int]:
        return [*self.tokens, *start_sequence]


def context(tokens: WhisperTokens, options: RecognizeOptions) -> Context:
    """The words to expect (their beginning where they are many), then the prompt (its end where it is long).

    Raises `UnsupportedByModel` where the vocabulary has no place for them.
    """
    hotwords = _encode(tokens, options.hotwords)[:MAX_PREVIOUS]
    # Where both are long, the older text gives way: the decoder must have room to write.
    room = min(MAX_PREVIOUS, MAX_LENGTH - _ROOM - len(hotwords))
    previous = _encode(tokens, options.prompt)[-room:]
    if not hotwords and not previous:
        return Context()
    if tokens.previous is None:
        raise UnsupportedByModel("prompt", "This model cannot be given a prompt or hotwords.")
    return Context((tokens.previous, *hotwords, *previous))


def max_length(prompt_tokens: int, max_new_tokens: int | None) -> int:
    """Prompt and transcript together, in tokens. Raises `InvalidValue` where they cannot fit."""
    if max_new_tokens is None:
        return MAX_LENGTH
    if max_new_tokens < 1 or prompt_tokens + max_new_tokens > MAX_LENGTH:
        most = MAX_LENGTH - prompt_tokens
        raise InvalidValue("max_new_tokens", f"max_new_tokens must be 1 to {most} with this prompt.")
    return prompt_tokens + max_new_tokens


def _encode(tokens: WhisperTokens, text: str) -> list[int]:
    text = text.strip()
    return tokens.encode(" " + text) if text else []
