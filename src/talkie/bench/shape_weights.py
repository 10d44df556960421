"""The weights of a shape-true model, as a CTranslate2 specification. `shape_true` says what they do and why.

Arrays are float32; a weight is `(out, in)`, as CTranslate2 keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from talkie.bench.shape_script import Learned, Shape

AUDIO_CONTEXT = 1500
TEXT_CONTEXT = 448
_LOUDNESS = 20.0
"""The logit of the token that comes next; those of all others are about a normal distribution around zero."""
_HUSHED = 1e-6
"""For layers that are to change nothing. Not zero: equal arrays would be stored once, and the model be too small."""
_TURN = 20.0

Array = NDArray[np.float32]


def make_spec(shape: Shape, learned: Learned, rng: np.random.Generator) -> Any:
    """A `ctranslate2.specs.WhisperSpec` with every weight set and nothing quantised."""
    from ctranslate2.specs import WhisperSpec

    spec = WhisperSpec(shape.encoder_layers, shape.heads, shape.decoder_layers, shape.heads)
    rotation = _rotation(shape.width, rng)
    _fill_encoder(spec.encoder, shape, rng)
    _fill_decoder(spec.decoder, shape, rng)
    embeddings = _embeddings(shape.width, learned, rotation, rng)
    spec.decoder.embeddings.weight = embeddings
    spec.decoder.projection.weight = embeddings
    _learn(spec.decoder.layer[-1].ffn, rotation)
    spec.register_vocabulary(list(learned.tokens))
    half = shape.decoder_layers // 2
    heads = [[layer, head] for layer in range(half, shape.decoder_layers) for head in range(shape.heads)]
    spec.config.alignment_heads = heads
    spec.config.lang_ids = list(learned.language_ids)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = list(learned.blank_ids)
    return spec


def _rotation(width: int, rng: np.random.Generator) -> Array:
    """A random rotation of the vectors that sum to nothing, which layer norms leave as they are."""
    basis, _ = np.linalg.qr(np.column_stack([np.ones(width), rng.standard_normal((width, width - 1))]))
    turn, _ = np.linalg.qr(rng.standard_normal((width - 1, width - 1)))
    rotation: Array = (basis[:, 1:] @ turn @ basis[:, 1:].T).astype(np.float32)
    return rotation


def _embeddings(width: int, learned: Learned, rotation: Array, rng: np.random.Generator) -> Array:
    rows: Array = rng.standard_normal((len(learned.tokens), width), dtype=np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    ids = {token: number for number, token in enumerate(learned.tokens)}
    for before, token in pairwise(learned.chain):
        rows[ids[token]] = rotation @ rows[ids[before]]
    for twin, token in learned.twins:
        rows[ids[twin]] = rows[ids[token]] + 0.3 * rows[ids[twin]]
    rows *= _LOUDNESS / np.sqrt(width) / np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def _learn(ffn: Any, rotation: Array) -> None:
    """Make a feed-forward layer the rotation: pairs of opposite rows pass through GELU as they are."""
    width = len(rotation)
    ffn.linear_0.weight[: 2 * width] = np.concatenate([rotation, -rotation])
    ffn.linear_1.weight[:, : 2 * width] = _TURN * np.concatenate([np.eye(width), -np.eye(width)], axis=1)


def _fill_encoder(encoder: Any, shape: Shape, rng: np.random.Generator) -> None:
    for conv, inputs in ((encoder.conv1, shape.mels), (encoder.conv2, shape.width)):
        conv.weight = _random((shape.width, inputs, 3), rng)
        conv.bias = np.zeros(shape.width, np.float32)
    encoder.position_encodings.encodings = _sinusoids(AUDIO_CONTEXT, shape.width)
    _fill_norm(encoder.layer_norm, shape.width)
    for layer in encoder.layer:
        _fill_attention(layer.self_attention, shape.width, rng, scale=1.0)
        _fill_ffn(layer.ffn, shape.width, rng, scale=1.0)


def _fill_decoder(decoder: Any, shape: Shape, rng: np.random.Generator) -> None:
    decoder.position_encodings.encodings = 0.01 * _random((TEXT_CONTEXT, shape.width), rng)
    _fill_norm(decoder.layer_norm, shape.width)
    for layer in decoder.layer:
        _fill_attention(layer.self_attention, shape.width, rng, scale=_HUSHED)
        _fill_attention(layer.attention, shape.width, rng, scale=_HUSHED)
        _fill_ffn(layer.ffn, shape.width, rng, scale=_HUSHED)


def _fill_attention(attention: Any, width: int, rng: np.random.Generator, *, scale: float) -> None:
    """`scale` is that of the output projection; the fused ones before it are always of full size."""
    _fill_norm(attention.layer_norm, width)
    outputs: Sequence[int] = (3, 1) if len(attention.linear) == 2 else (1, 2, 1)
    for linear, parts in zip(attention.linear, outputs, strict=True):
        _fill_linear(linear, parts * width, width, rng)
    attention.linear[-1].weight *= np.float32(scale)


def _fill_ffn(ffn: Any, width: int, rng: np.random.Generator, *, scale: float) -> None:
    _fill_norm(ffn.layer_norm, width)
    _fill_linear(ffn.linear_0, 4 * width, width, rng)
    _fill_linear(ffn.linear_1, width, 4 * width, rng)
    ffn.linear_1.weight *= np.float32(scale)


def _fill_linear(linear: Any, outputs: int, inputs: int, rng: np.random.Generator) -> None:
    linear.weight = _random((outputs, inputs), rng)
    linear.bias = np.zeros(outputs, np.float32)


def _fill_norm(norm: Any, width: int) -> None:
    norm.gamma = np.ones(width, np.float32)
    norm.beta = np.zeros(width, np.float32)


def _random(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Normal, scaled so that a layer keeps the size of what goes through it."""
    inputs = int(np.prod(shape[1:]))
    return rng.standard_normal(shape, dtype=np.float32) / np.float32(np.sqrt(inputs))


def _sinusoids(length: int, width: int) -> Array:
    """Positions as in openai/whisper `model.py`."""
    rates = np.exp(-np.log(10_000.0) / (width // 2 - 1) * np.arange(width // 2))
    angles = np.arange(length)[:, None] * rates[None, :]
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)
