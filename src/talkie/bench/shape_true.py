"""Whisper models that are true in shape and nothing else: real dimensions, random weights, a text learned by heart.

For speed only, and for tests of everything that is not recognition: whatever the audio, the decoder writes one fixed
text with timestamps, ends, and costs what a real model of its size costs. Every report made with one must say so
(`SPEED_ONLY`).

How: all output projections of the decoder are as good as zero, so that attention and feed-forward layers work at full
cost and change nothing, but for the last feed-forward layer, which turns the embedding of a token into that of the
token after it. A rotation R does that: the embeddings of the text are e, Re, RRe, ..., after any prompt, at any place;
and since GELU(z) - GELU(-z) = z, a feed-forward layer with pairs of opposite rows can be R exactly. The embeddings
stay tied to the output projection, as in Whisper, so that size on disk and in memory are true as well.

A few more neurons make the next word the second best where a timestamp is the best, for decoders that may say none, and
a few words have rivals that lead on as they do, so that the beams of a search end together.
"""

from __future__ import annotations

from pathlib import Path

from talkie.bench.shape_script import Script, Shape, learn, written_text
from talkie.bench.shape_vocabulary import make_vocabulary
from talkie.errors import InvalidValue

__all__ = ["COMPUTE_TYPES", "SHAPES", "SPEED_ONLY", "Script", "Shape", "make_shape_true", "written_text"]

SPEED_ONLY = "speed only: this model has random weights and writes the same text for any sound"

SHAPES = {
    "micro": Shape(64, 2, 2, 2),
    "tiny": Shape(384, 6, 4, 4),
    "base": Shape(512, 8, 6, 6),
    "small": Shape(768, 12, 12, 12),
    "medium": Shape(1024, 16, 24, 24),
    "large-v3": Shape(1280, 20, 32, 32, mels=128),
    "turbo": Shape(1280, 20, 32, 4, mels=128),
    "micro128": Shape(64, 2, 2, 2, mels=128),
}
"""The micro ones are for tests; the others are published sizes."""
COMPUTE_TYPES = ("int8", "float32", "float16")


def make_shape_true(
    directory: Path, size: str = "tiny", compute_type: str = "int8", seed: int = 0, script: Script | None = None
) -> Path:
    """Write a model directory in CTranslate2 form and return it; the same arguments give the same weights.

    `size` is one of `SHAPES`, `compute_type` (how the weights are stored) one of `COMPUTE_TYPES`, else `InvalidValue`.
    `directory` is made where it is missing.
    """
    if size not in SHAPES:
        raise InvalidValue("size", f"{size!r} is not a size: {', '.join(SHAPES)}.")
    if compute_type not in COMPUTE_TYPES:
        raise InvalidValue("compute_type", f"{compute_type!r} is not one of {', '.join(COMPUTE_TYPES)}.")
    from talkie.bench.formats_ct2 import write_ct2
    from talkie.bench.shape_weights import Weights

    script = script or Script()
    shape = SHAPES[size]
    vocabulary = make_vocabulary(multilingual=not script.english_only, languages=shape.languages)
    directory.mkdir(parents=True, exist_ok=True)
    write_ct2(directory, Weights(shape, learn(vocabulary, script), seed), vocabulary, compute_type)
    return directory
