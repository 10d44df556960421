"""Whisper's encoder as an OpenVINO graph: log-mel features in, one vector for each 20 ms out.

`features` `(1, mels, frames)` float32 to `encoded` `(1, frames / 2, width)`. The number of frames is fixed, which is an
eighth faster, or left open: then the table of positions is cut to the length of what comes in.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from talkie.engines.asr.whisper.openvino import parts
from talkie.engines.asr.whisper.openvino.parts import Node, Quantised
from talkie.engines.asr.whisper.weights import Linear, Weights

_CONVOLUTIONS = (("conv1", 1), ("conv2", 2))


class EncoderGraph:
    """Builds the graph. `quantised` None: float32 matrices. `places` are where numbers enter a matrix, by name."""

    def __init__(self, weights: Weights, quantised: Quantised | None = None) -> None:
        self._weights = weights
        self._quantised = quantised
        self._heads = weights.number("encoder/num_heads", 8)
        self.places: dict[str, Node] = {}

    def build(self, n_mels: int, frames: int = -1) -> Any:
        """An `openvino.Model`. `frames` -1: any number of them."""
        import openvino

        op = parts.ops()
        features = op.parameter([1, n_mels, frames], np.float32, name="features")
        x = self._positions(self._convolutions(features), frames)
        for layer in range(self._weights.layers("encoder")):
            x = self._layer(x, f"encoder/layer_{layer}")
        encoded = parts.norm(x, self._weights, "encoder/layer_norm")
        return openvino.Model([op.result(encoded)], [features], "encoder")

    def _convolutions(self, x: Node) -> Node:
        op = parts.ops()
        for name, stride in _CONVOLUTIONS:
            linear = self._weights.linear(f"encoder/{name}")
            kernel = linear.weight.astype(np.float32)
            if linear.scale is not None:
                kernel /= linear.scale[:, None, None]
            x = self._enter(x, name)
            weight = parts.int8_matrix(kernel) if self._is_int8(name) else parts.floats(kernel)
            x = op.convolution(x, weight, [stride], [1], [1], [1])
            assert linear.bias is not None
            x = parts.gelu(op.add(x, parts.floats(linear.bias.reshape(1, -1, 1))))
        return op.transpose(x, parts.numbers(0, 2, 1))

    def _positions(self, x: Node, frames: int) -> Node:
        op = parts.ops()
        table = self._weights.array("encoder/position_encodings/encodings")
        if frames >= 0:
            return op.add(x, parts.floats(table[: (frames + 1) // 2]))
        length = op.gather(op.shape_of(x), parts.numbers(1), parts.numbers(0))
        cut = op.slice(parts.floats(table), parts.numbers(0), length, parts.numbers(1), parts.numbers(0))
        return op.add(x, cut)

    def _layer(self, x: Node, key: str) -> Node:
        op = parts.ops()
        place = f"{key}/qkv"
        entering = self._enter(
            parts.norm(x, self._weights, f"{key}/self_attention/layer_norm", self._divisor(place)), place
        )
        fused = self._weights.linear(f"{key}/self_attention/linear_0")
        width = fused.weight.shape[0] // 3
        scale = float(width // self._heads) ** -0.5
        queries, keys, values = (
            self._matrix(entering, fused, place, slice(part * width, (part + 1) * width), scale if part == 0 else 1.0)
            for part in range(3)
        )
        # Keys are not turned here but as they are read: 1 to 6 % of the whole, most for short windows.
        queries, keys, values = (parts.split_heads(each, self._heads) for each in (queries, keys, values))
        scores = op.matmul(queries, keys, False, True)
        mixed = op.matmul(op.softmax(scores, -1), values, False, False)
        x = op.add(x, self._linear(parts.merge_heads(mixed), f"{key}/self_attention/linear_1", f"{key}/out"))
        hidden = parts.norm(x, self._weights, f"{key}/ffn/layer_norm", self._divisor(f"{key}/up"))
        hidden = parts.gelu(self._linear(hidden, f"{key}/ffn/linear_0", f"{key}/up"))
        return op.add(x, self._linear(hidden, f"{key}/ffn/linear_1", f"{key}/down"))

    def _linear(self, x: Node, key: str, place: str) -> Node:
        linear = self._weights.linear(key)
        return self._matrix(self._enter(x, place), linear, place, slice(None), 1.0)

    def _matrix(self, x: Node, linear: Linear, place: str, rows: slice, times: float) -> Node:
        bias = None if linear.bias is None else linear.bias[rows] * np.float32(times)
        divisor = self._divisor(place)
        if divisor is None:
            return parts.affine(x, parts.matrix(linear, int8=self._is_int8(place), rows=rows, times=times), bias)
        dense = linear.dense()[rows] * np.float32(times) * divisor[None, :]
        return parts.affine(x, parts.int8_matrix(dense), bias)

    def _enter(self, x: Node, place: str) -> Node:
        """What goes into the matrix at `place`, quantised where calibration has been there."""
        self.places[place] = x
        return parts.quantise(x, self._quantised.ranges[place]) if self._quantised and self._is_int8(place) else x

    def _is_int8(self, place: str) -> bool:
        return self._quantised is not None and place in self._quantised.ranges

    def _divisor(self, place: str) -> Any:
        return self._quantised.divisors.get(place) if self._quantised else None
