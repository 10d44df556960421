"""Whisper's decoder in plain NumPy float32, for tests of searches: every step of it can be looked into.

Reads the weights of a CTranslate2 model (pre-norm, fused projections, GELU) and takes what an encoder made of a window.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from talkie.engines.asr.whisper.search.scores import FullScores
from talkie.engines.asr.whisper.search.steps import Floats, Ids, Layout
from talkie.engines.asr.whisper.weights import Weights, read_weights

_erf = np.frompyfunc(math.erf, 1, 1)


class NumpyDecoder:
    """`Steps` over `encoded`, shape `(windows, frames, width)`. `attention` is that of the last call, each head's."""

    def __init__(self, directory: Path, encoded: Floats, layout: Layout, suppressed: Sequence[int] = ()) -> None:
        self.weights: Weights = read_weights(directory)
        self.layout = layout
        self.suppressed = suppressed
        self.heads = self.weights.number("decoder/num_heads", 8)
        self.depth = self.weights.layers("decoder")
        self.attention: list[Floats] = []
        self.logits: Floats = np.zeros(0, np.float32)
        self.fed: list[tuple[int, int, int]] = []  # shapes of all calls
        self._cross = [self._keys_and_values(layer, encoded) for layer in range(self.depth)]
        self._own: list[tuple[Floats, Floats]] = []  # (windows, beams, heads, past, size) of each layer

    def feed(self, tokens: Ids, parents: Ids | None = None) -> FullScores:
        self.fed.append(tokens.shape)
        if self._own and parents is not None:
            at = parents[:, :, None, None, None]
            self._own = [(np.take_along_axis(k, at, 1), np.take_along_axis(v, at, 1)) for k, v in self._own]
        self.logits = self._run(tokens)
        return FullScores(self.logits[:, :, -1].copy(), self.layout, self.suppressed)

    def keep(self, windows: Sequence[int]) -> None:
        rows = list(windows)
        self._own = [(k[rows], v[rows]) for k, v in self._own]
        self._cross = [(k[rows], v[rows]) for k, v in self._cross]

    def _run(self, tokens: Ids) -> Floats:
        """Logits at every new token: `(windows, beams, n, vocabulary)`."""
        past = self._own[0][0].shape[3] if self._own else 0
        positions = self.weights.array("decoder/position_encodings/encodings")[past : past + tokens.shape[2]]
        x = self.weights.linear("decoder/embeddings").dense()[tokens] + positions
        owns, self.attention = [], []
        for layer in range(self.depth):
            at = f"decoder/layer_{layer}"
            x = x + self._self_attention(layer, self._norm(x, f"{at}/self_attention/layer_norm"), owns)
            x = x + self._cross_attention(layer, self._norm(x, f"{at}/attention/layer_norm"))
            x = x + self._forward(self._norm(x, f"{at}/ffn/layer_norm"), f"{at}/ffn")
        self._own = owns
        key = "decoder/projection" if "decoder/projection/weight" in self.weights else "decoder/embeddings"
        return self._norm(x, "decoder/layer_norm") @ self.weights.linear(key).dense().T

    def _self_attention(self, layer: int, x: Floats, owns: list[tuple[Floats, Floats]]) -> Floats:
        at = f"decoder/layer_{layer}/self_attention"
        queries, keys, values = (self._split(part) for part in np.split(self._linear(x, f"{at}/linear_0"), 3, axis=-1))
        past = 0
        if self._own:
            past = self._own[layer][0].shape[3]
            keys = np.concatenate([self._own[layer][0], keys], axis=3)
            values = np.concatenate([self._own[layer][1], values], axis=3)
        owns.append((keys, values))
        scores = queries @ keys.swapaxes(-1, -2) / np.float32(math.sqrt(queries.shape[-1]))
        scores = scores + np.triu(np.full(scores.shape[-2:], -np.inf, np.float32), past + 1)
        return self._linear(self._join(_softmax(scores) @ values), f"{at}/linear_1")

    def _cross_attention(self, layer: int, x: Floats) -> Floats:
        at = f"decoder/layer_{layer}/attention"
        keys, values = self._cross[layer]
        queries = self._split(self._linear(x, f"{at}/linear_0"))
        weights = _softmax(queries @ keys.swapaxes(-1, -2) / np.float32(math.sqrt(queries.shape[-1])))
        self.attention.append(weights)
        return self._linear(self._join(weights @ values), f"{at}/linear_2")

    def _keys_and_values(self, layer: int, encoded: Floats) -> tuple[Floats, Floats]:
        both = self._linear(encoded[:, None], f"decoder/layer_{layer}/attention/linear_1")
        keys, values = np.split(both, 2, axis=-1)
        return self._split(keys), self._split(values)

    def _forward(self, x: Floats, at: str) -> Floats:
        x = self._linear(x, f"{at}/linear_0")
        x = (x * 0.5 * (1 + _erf(x / math.sqrt(2)).astype(np.float32))).astype(np.float32)
        return self._linear(x, f"{at}/linear_1")

    def _linear(self, x: Floats, key: str) -> Floats:
        linear = self.weights.linear(key)
        y = x @ linear.dense().T
        return y if linear.bias is None else y + linear.bias

    def _norm(self, x: Floats, key: str) -> Floats:
        x = x - x.mean(axis=-1, keepdims=True)
        x = x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + np.float32(1e-5))
        return x * self.weights.array(f"{key}/gamma") + self.weights.array(f"{key}/beta")

    def _split(self, x: Floats) -> Floats:
        return x.reshape(*x.shape[:-1], self.heads, -1).swapaxes(-2, -3)

    def _join(self, x: Floats) -> Floats:
        x = x.swapaxes(-2, -3)
        return x.reshape(*x.shape[:-2], -1)


def _softmax(x: Floats) -> Floats:
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    return x / x.sum(axis=-1, keepdims=True)
