"""What numbers pass through an encoder when it hears speech: from that, how to round them to INT8 with little loss.

Post-training quantisation: the range of what enters each matrix is that of some windows of speech, with a margin, and
channels that are far louder than others are evened out first (SmoothQuant, Xiao et al. 2023), where the norm before a
matrix can take the divisor in, so that it costs nothing later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from talkie.engines.asr.whisper.openvino import parts
from talkie.engines.asr.whisper.openvino.encoder import EncoderGraph
from talkie.engines.asr.whisper.openvino.parts import Quantised, Range
from talkie.engines.asr.whisper.weights import Weights

Floats = NDArray[np.float32]
Run = Callable[[Floats], list[Floats]]
"""Features of one window, `(1, mels, frames)`, to all outputs of a graph."""

MARGIN = 1.1
"""Speech that was not among the windows may be louder by a little."""
STRENGTH = 0.5
_MOST_UNEVEN = 64.0
_MATRICES = {"qkv": "self_attention/linear_0", "up": "ffn/linear_0"}
"""The places after a norm, and the matrix there."""


class Calibration:
    """Watches an encoder at work. `graph` is to be compiled in float32 by whoever calls, and run by `watch`."""

    def __init__(self, weights: Weights, n_mels: int) -> None:
        self._weights = weights
        encoder = EncoderGraph(weights)
        self.graph = _with_extremes(encoder, n_mels)
        self._places = list(encoder.places)
        self._lows: dict[str, Floats] = {}
        self._highs: dict[str, Floats] = {}

    def watch(self, run: Run, windows: Iterable[Floats]) -> None:
        for features in windows:
            extremes = run(features)
            for place, low, high in zip(self._places, extremes[0::2], extremes[1::2], strict=True):
                self._lows[place] = np.minimum(low.reshape(-1), self._lows.get(place, np.float32(np.inf)))
                self._highs[place] = np.maximum(high.reshape(-1), self._highs.get(place, np.float32(-np.inf)))

    def result(self) -> Quantised:
        divisors = {place: self._divisor(place) for place in self._places if place.rpartition("/")[2] in _MATRICES}
        return Quantised({place: self._range(place, divisors) for place in self._places}, divisors)

    def _divisor(self, place: str) -> Floats:
        """By channel: how much louder than its column of the matrix, evened out half-way."""
        layer, _, kind = place.rpartition("/")
        columns = np.abs(self._weights.linear(f"{layer}/{_MATRICES[kind]}").dense()).max(axis=0)
        loudness = np.maximum(np.abs(self._lows[place]), np.abs(self._highs[place]))
        uneven = np.maximum(loudness, 1e-6) ** STRENGTH / np.maximum(columns, 1e-6) ** (1 - STRENGTH)
        even: Floats = np.clip(uneven / np.exp(np.log(uneven).mean()), 1 / _MOST_UNEVEN, _MOST_UNEVEN)
        return even.astype(np.float32)

    def _range(self, place: str, divisors: Mapping[str, Floats]) -> Range:
        divisor = divisors.get(place, np.float32(1.0))
        low, high = (self._lows[place] / divisor).min(), (self._highs[place] / divisor).max()
        return Range(float(low) * MARGIN, float(high) * MARGIN)


def _with_extremes(encoder: EncoderGraph, n_mels: int) -> Any:
    """The encoder's graph, giving the least and the largest number of each channel at each place and nothing else."""
    import openvino

    op = parts.ops()
    whole = encoder.build(n_mels)
    outputs = []
    for place, node in encoder.places.items():
        others = (0, 2) if place.startswith("conv") else (0, 1)
        outputs += [op.reduce_min(node, parts.numbers(*others)), op.reduce_max(node, parts.numbers(*others))]
    return openvino.Model([op.result(output) for output in outputs], whole.get_parameters(), "watched")
