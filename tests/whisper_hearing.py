"""How tests decode the windows of `spoken` on every backend, and hold the result against CTranslate2's in float32."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from talkie.engines.asr.whisper.backend import Backend, GenerateOptions
from talkie.engines.asr.whisper.decoding import Hypothesis
from talkie.engines.asr.whisper.model_files import check
from talkie.engines.asr.whisper.tokenizer_file import load_tokens
from talkie.engines.asr.whisper.tokens import WhisperTokens
from talkie.engines.base import DecodingOptions
from whisper_backends import FORMS, Features, can_run, features_of, open_form, spoken
from whisper_models import TRAINED

REFERENCE = "ctranslate2 float32"
EXACT = (REFERENCE, "openvino float32")
GREEDY = DecodingOptions(beam_size=1)
SCORE = {form: 1e-4 if form in EXACT else 0.05 for form in FORMS}
NO_SPEECH = {form: 1e-5 if form in EXACT else 1e-3 for form in FORMS}


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    if not can_run(request.param):
        pytest.skip(f"{request.param} cannot run here")
    return str(request.param)


@pytest.fixture
def backend(form: str) -> Backend:
    return open_form(form, TRAINED)


@cache
def tokens_of(model: Path = TRAINED) -> WhisperTokens:
    return load_tokens(check(model), multilingual=model != TRAINED)


@cache
def features() -> Features:
    return features_of(spoken())


@cache
def encoding(backend: Backend) -> Any:
    """Of all windows, kept for many tests."""
    return backend.encode(features())


def generate(
    backend: Backend,
    numbers: Sequence[int],
    decoding: DecodingOptions = GREEDY,
    prompt: tuple[int, ...] | None = None,
    temperature: float = 0.0,
) -> list[Hypothesis]:
    """The windows of these numbers, decoded together."""
    known = tokens_of()
    prompts = [(number, list(prompt or (known.start,))) for number in numbers]
    return backend.generate(encoding(backend), prompts, temperature, GenerateOptions(decoding, known.suppressed))


def encode_and_generate(backend: Backend, numbers: Sequence[int], decoding: DecodingOptions) -> list[Hypothesis]:
    """The same from the start, and from memory of its own."""
    known = tokens_of()
    encoded = backend.encode(features()[list(numbers)].copy())
    prompts = [(at, [known.start]) for at in range(len(numbers))]
    return backend.generate(encoded, prompts, 0.0, GenerateOptions(decoding, known.suppressed))


@cache
def reference(number: int, decoding: DecodingOptions = GREEDY, prompt: tuple[int, ...] | None = None) -> Hypothesis:
    """A window by itself."""
    [found] = generate(open_form(REFERENCE, TRAINED), [number], decoding, prompt)
    return found


def text(hypothesis: Hypothesis, known: WhisperTokens | None = None) -> str:
    return (known or tokens_of()).decode(hypothesis.tokens)


def assert_like(form: str, found: Sequence[Hypothesis], expected: Sequence[Hypothesis]) -> None:
    for one, other in zip(found, expected, strict=True):
        if form in EXACT:
            assert one.tokens == other.tokens
        assert text(one) == text(other)
        if one.tokens == other.tokens:
            assert one.score == pytest.approx(other.score, abs=SCORE[form])
        assert one.no_speech_prob == pytest.approx(other.no_speech_prob, abs=NO_SPEECH[form])
