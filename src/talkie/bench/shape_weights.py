"""The weights of a shape-true model, one tensor at a time, under the names of openai/whisper. `shape_true` says why.

Each tensor is drawn from the seed and its own name, so that it is the same in every format, whatever the order, and a
large model never has to be in memory as a whole. Arrays are float32; a weight is `(out, in)`. Knows no format.
"""

from __future__ import annotations

import zlib
from itertools import pairwise

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
_TWIN, _RIVAL = 0.96, 0.85
"""How much of a token is in those that lead to the same."""
_HINT = 0.75
"""How loud the second best is, where there is one, beside the best."""
_AWAKE = 8.0
"""What a neuron of a hint gives for its token; for others it is as far below nothing."""

Array = NDArray[np.float32]


class Weights:
    """All tensors of one model. `layout` has their shapes in the order of openai/whisper's own files."""

    def __init__(self, shape: Shape, learned: Learned, seed: int = 0) -> None:
        self.shape = shape
        self.learned = learned
        self.layout = _layout(shape, len(learned.tokens))
        self._seed = seed
        self._rotation = _rotation(shape.width, self._rng("rotation"))
        self._last = f"decoder.blocks.{shape.decoder_layers - 1}.mlp."

    def array(self, name: str) -> Array:
        """One tensor, made anew at each call."""
        size = self.layout[name]
        if name == "encoder.positional_embedding":
            return _sinusoids(*size)
        if name == "decoder.token_embedding.weight":
            return self._embeddings()
        if len(size) == 1:  # a bias, or what a layer norm multiplies by
            flat = np.full(size, name.endswith("weight"), np.float32)
            if name.startswith(self._last):
                self._learn(name.removeprefix(self._last), flat)
            return flat
        values = _random(size, self._rng(name))
        if name == "decoder.positional_embedding":
            return np.float32(0.01) * values
        if name.startswith("decoder.") and name.endswith(("out.weight", "mlp.2.weight")):
            values *= np.float32(_HUSHED)
        if name.startswith(self._last):
            self._learn(name.removeprefix(self._last), values)
        return values

    def alignment_heads(self) -> list[list[int]]:
        """`[layer, head]` of the upper half of the decoder, which openai/whisper takes where it knows no better."""
        layers = range(self.shape.decoder_layers // 2, self.shape.decoder_layers)
        return [[layer, head] for layer in layers for head in range(self.shape.heads)]

    def _rng(self, name: str) -> np.random.Generator:
        return np.random.default_rng([self._seed, zlib.crc32(name.encode())])

    def _learn(self, name: str, values: Array) -> None:
        """Make a feed-forward layer the rotation: pairs of opposite rows pass through GELU as they are. One neuron more
        for each hint wakes for its token alone."""
        width = len(self._rotation)
        hints = slice(2 * width, 2 * width + len(self.learned.hints))
        ids = {token: number for number, token in enumerate(self.learned.tokens)}
        rows = self._embeddings()
        rows *= np.sqrt(width) / np.linalg.norm(rows, axis=1, keepdims=True)  # as they leave a layer norm
        before = rows[[ids[token] for token, _ in self.learned.hints]]
        after = rows[[ids[token] for _, token in self.learned.hints]]
        if name == "0.weight":
            values[: 2 * width] = np.concatenate([self._rotation, -self._rotation])
            values[hints] = 2 * _AWAKE / width * before
        elif name == "0.bias":
            values[hints] = -_AWAKE
        elif name == "2.weight":
            values[:, : 2 * width] = _TURN * np.concatenate([np.eye(width), -np.eye(width)], axis=1)
            values[:, hints] = _HINT * _TURN / _AWAKE * after.T

    def _embeddings(self) -> Array:
        learned, width, rng = self.learned, self.shape.width, self._rng("decoder.token_embedding.weight")
        rows: Array = rng.standard_normal((len(learned.tokens), width), dtype=np.float32)
        rows -= rows.mean(axis=1, keepdims=True)
        ids = {token: number for number, token in enumerate(learned.tokens)}
        for before, token in pairwise(learned.chain):
            rows[ids[token]] = self._rotation @ rows[ids[before]]
        for share, likes in ((_TWIN, learned.twins), (_RIVAL, learned.rivals)):
            for like, token in likes:
                own = np.float32(np.sqrt(1 - share**2)) * _unit(rows[ids[like]])
                rows[ids[like]] = np.float32(share) * _unit(rows[ids[token]]) + own
        rows *= _LOUDNESS / np.sqrt(width) / np.linalg.norm(rows, axis=1, keepdims=True)
        return rows


def _layout(shape: Shape, tokens: int) -> dict[str, tuple[int, ...]]:
    width = shape.width
    found: dict[str, tuple[int, ...]] = {"encoder.positional_embedding": (AUDIO_CONTEXT, width)}
    for conv, inputs in (("conv1", shape.mels), ("conv2", width)):
        found |= {f"encoder.{conv}.weight": (width, inputs, 3), f"encoder.{conv}.bias": (width,)}
    for layer in range(shape.encoder_layers):
        found |= _block(f"encoder.blocks.{layer}.", width, ("attn",))
    found |= _norm("encoder.ln_post", width)
    found["decoder.positional_embedding"] = (TEXT_CONTEXT, width)
    found["decoder.token_embedding.weight"] = (tokens, width)
    for layer in range(shape.decoder_layers):
        found |= _block(f"decoder.blocks.{layer}.", width, ("attn", "cross_attn"))
    return found | _norm("decoder.ln", width)


def _block(name: str, width: int, attentions: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for attention in attentions:
        for part in ("query", "key", "value", "out"):
            found[f"{name}{attention}.{part}.weight"] = (width, width)
            if part != "key":
                found[f"{name}{attention}.{part}.bias"] = (width,)
        found |= _norm(f"{name}{attention}_ln", width)
    found |= {f"{name}mlp.0.weight": (4 * width, width), f"{name}mlp.0.bias": (4 * width,)}
    found |= {f"{name}mlp.2.weight": (width, 4 * width), f"{name}mlp.2.bias": (width,)}
    return found | _norm(f"{name}mlp_ln", width)


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _rotation(width: int, rng: np.random.Generator) -> Array:
    """A random rotation of the vectors that sum to nothing, which layer norms leave as they are."""
    basis, _ = np.linalg.qr(np.column_stack([np.ones(width), rng.standard_normal((width, width - 1))]))
    turn, _ = np.linalg.qr(rng.standard_normal((width - 1, width - 1)))
    rotation: Array = (basis[:, 1:] @ turn @ basis[:, 1:].T).astype(np.float32)
    return rotation


def _unit(row: Array) -> Array:
    unit: Array = row / np.float32(np.linalg.norm(row))
    return unit


def _random(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Normal, scaled so that a layer keeps the size of what goes through it."""
    values = rng.standard_normal(shape, dtype=np.float32)
    values /= np.float32(np.sqrt(np.prod(shape[1:])))
    return values


def _sinusoids(length: int, width: int) -> Array:
    """Positions as in openai/whisper `model.py`."""
    rates = np.exp(-np.log(10_000.0) / (width // 2 - 1) * np.arange(width // 2))
    angles = np.arange(length)[:, None] * rates[None, :]
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)
