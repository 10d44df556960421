"""How long a window the encoder is given: all of it; what the sound needs, then all of it where in doubt; just that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from talkie.audio.mel import MAX_FRAMES
from talkie.engines.asr.whisper.hearing import Heard, Hearing
from talkie.engines.asr.whisper.model_files import check
from talkie.engines.asr.whisper.tokenizer_file import load_tokens
from talkie.engines.base import Context, DecodingOptions, RecognizeOptions
from talkie.types import Audio
from whisper_backends import ctranslate2_backend
from whisper_models import EARLY, shape_model

GREEDY = DecodingOptions(beam_size=1, best_of=1, temperatures=(0.0,))


class Watched:
    """A backend, and the lengths that its encoder was given."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.frames: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def encode(self, features: Any) -> Any:
        self.frames.append(features.shape[2])
        return self._model.encode(features)


@pytest.mark.parametrize(
    ("context", "seconds", "frames"),
    [
        ("full", 9.0, [MAX_FRAMES]),
        ("fit", 5.0, [700]),
        ("fit", 9.0, [1100, MAX_FRAMES]),  # the decoder stops at 5 s: in doubt, and heard again
        ("guess", 5.0, [700]),
        ("guess", 9.0, [1100]),
        ("guess", 0.5, [300]),
        ("guess", 30.0, [MAX_FRAMES]),
    ],
)
def test_the_context_is_what_was_asked_for(context: Context, seconds: float, frames: list[int]) -> None:
    model = Watched(ctranslate2_backend(shape_model(EARLY)))
    tokens = load_tokens(check(shape_model(EARLY)), multilingual=True)
    sound = np.random.default_rng(1).normal(0, 0.1, round(seconds * 16_000)).astype(np.float32)
    item = Heard.of(Audio(sound), RecognizeOptions(language="en", decoding=GREEDY, context=context))
    Hearing(model, tokens).run([item])  # type: ignore[arg-type]
    assert model.frames == frames
    assert item.decoded is not None
