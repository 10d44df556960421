"""Whisper's decoder as two OpenVINO graphs: keys and values of a window, made once; and a step over all windows.

Cross keys and values are inputs of the step and are shared by the beams of a window; what was written before is state
of the request. A step takes any number of tokens, so that prompts, single tokens and whole texts (to time their words)
go through one graph and its weights are in memory once.

step: `tokens` `(windows, beams, n)` int64; `past` int64, how many were fed before; `parents` `(rows,)` int32, the row
of the last call that each row goes on from (rows = windows x beams); `mask` `(n, past + n)` float32, added to scores;
`last` `(k,)` int64, which of the n positions to score; `cross_keys_L` `(windows, heads, size, frames)` and
`cross_values_L` `(windows, heads, frames, size)`. Out: `logits` `(rows, k, vocabulary)`, and `attention` `(windows,
alignment heads, beams x n, frames)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from talkie.engines.asr.whisper.openvino import parts
from talkie.engines.asr.whisper.openvino.parts import Node
from talkie.engines.asr.whisper.weights import Weights


class DecoderGraphs:
    """Builds both graphs. `kept` is the type of cross keys and values: `f32` or `bf16`."""

    def __init__(self, weights: Weights, *, int8: bool, kept: str, heads: Sequence[tuple[int, int]] = ()) -> None:
        self._weights = weights
        self._int8 = int8
        self._kept = kept
        self._alignment = list(heads)
        self._heads = weights.number("decoder/num_heads", 8)
        self._layers = weights.layers("decoder")
        self._embeddings = weights.linear("decoder/embeddings")
        self._width = int(self._embeddings.weight.shape[1])
        self._size = self._width // self._heads

    def cross(self) -> Any:
        """`encoded` `(1, frames, width)` to `keys_0, values_0, keys_1, ...` of one window."""
        import openvino

        op = parts.ops()
        encoded = op.parameter([1, -1, self._width], np.float32, name="encoded")
        outputs = []
        for layer in range(self._layers):
            for part in range(2):
                y = self._linear(encoded, f"decoder/layer_{layer}/attention/linear_1", part)
                y = parts.split_heads(y, self._heads, transposed=part == 0)
                outputs.append(op.result(y if self._kept == "f32" else op.convert(y, self._kept)))
        return openvino.Model(outputs, [encoded], "cross")

    def step(self) -> Any:
        """The graph of a step; see the top of the file."""
        import openvino

        return openvino.Model(*_Step(self).build(), "step")

    def _linear(self, x: Node, key: str, part: int = -1, times: float = 1.0) -> Node:
        """A whole matrix, or one `width` rows of it."""
        linear = self._weights.linear(key)
        rows = slice(None) if part < 0 else slice(part * self._width, (part + 1) * self._width)
        bias = None if linear.bias is None else linear.bias[rows] * np.float32(times)
        return parts.affine(x, parts.matrix(linear, int8=self._int8, rows=rows, times=times), bias)


class _Step:
    """One graph being built."""

    def __init__(self, of: DecoderGraphs) -> None:
        op = parts.ops()
        self._of = of
        self._tokens = op.parameter([-1, -1, -1], np.int64, name="tokens")
        self._past = op.parameter([], np.int64, name="past")
        self._parents = op.parameter([-1], np.int32, name="parents")
        self._mask = op.parameter([-1, -1], np.float32, name="mask")
        self._last = op.parameter([-1], np.int64, name="last")
        self._inputs = [self._tokens, self._past, self._parents, self._mask, self._last]
        self._states: list[Node] = []
        self._seen: dict[tuple[int, int], Node] = {}
        shape = op.shape_of(self._tokens)
        self._windows = op.gather(shape, parts.numbers(0), parts.numbers(0))
        self._length = op.gather(shape, parts.numbers(2), parts.numbers(0))
        self._rows = op.multiply(self._windows, op.gather(shape, parts.numbers(1), parts.numbers(0)))
        self._by_row = op.concat([self._rows, self._length, parts.numbers(of._width)], 0)
        self._by_window = op.concat([self._windows, parts.numbers(-1, of._width)], 0)
        # One for each row: in BF16 the library reads a mask that rows share wrongly, for all rows but the first.
        by_row = op.concat([self._rows, parts.numbers(1), op.shape_of(self._mask)], 0)
        self._masks = op.broadcast(op.unsqueeze(self._mask, parts.numbers(0, 1)), by_row, "bidirectional")

    def build(self) -> tuple[list[Node], list[Node], list[Node]]:
        op, weights = parts.ops(), self._of._weights
        x = self._embedded()
        for layer in range(self._of._layers):
            x = self._layer(x, layer)
        x = parts.norm(op.gather(x, self._last, parts.numbers(1)), weights, "decoder/layer_norm")
        projection = parts.matrix(weights.linear("decoder/projection"), int8=self._of._int8)
        logits = op.matmul(x, projection, False, True)
        outputs = [op.result(logits)]
        if self._of._alignment:
            outputs.append(op.result(op.concat([self._seen[head] for head in self._of._alignment], 1)))
        return outputs, self._states, self._inputs

    def _embedded(self) -> Node:
        op, embeddings = parts.ops(), self._of._embeddings
        flat = op.reshape(self._tokens, op.concat([self._rows, self._length], 0), False)
        zero = parts.numbers(0)
        x = op.gather(op.constant(np.ascontiguousarray(embeddings.weight)), flat, zero)
        if embeddings.weight.dtype != np.float32:
            x = op.convert(x, "f32")
        if embeddings.scale is not None:
            x = op.multiply(
                x, op.unsqueeze(op.gather(parts.floats(1 / embeddings.scale), flat, zero), parts.numbers(2))
            )
        end = op.add(self._past, op.squeeze(self._length))
        places = op.range(self._past, end, op.constant(np.int64(1)), "i64")
        table = parts.floats(self._of._weights.array("decoder/position_encodings/encodings"))
        return op.add(x, op.gather(table, places, zero))

    def _layer(self, x: Node, layer: int) -> Node:
        op, of = parts.ops(), self._of
        key = f"decoder/layer_{layer}"
        x = op.add(x, self._self_attention(parts.norm(x, of._weights, f"{key}/self_attention/layer_norm"), key, layer))
        x = op.add(x, self._cross_attention(parts.norm(x, of._weights, f"{key}/attention/layer_norm"), key, layer))
        hidden = parts.norm(x, of._weights, f"{key}/ffn/layer_norm")
        hidden = parts.gelu(of._linear(hidden, f"{key}/ffn/linear_0"))
        return op.add(x, of._linear(hidden, f"{key}/ffn/linear_1"))

    def _self_attention(self, x: Node, key: str, layer: int) -> Node:
        op, of = parts.ops(), self._of
        queries, keys, values = (
            parts.split_heads(of._linear(x, f"{key}/self_attention/linear_0", part), of._heads) for part in range(3)
        )
        all_keys, all_values = self._remember(keys, f"keys_{layer}"), self._remember(values, f"values_{layer}")
        mixed = op.scaled_dot_product_attention(queries, all_keys, all_values, self._masks)
        return of._linear(parts.merge_heads(mixed), f"{key}/self_attention/linear_1")

    def _remember(self, new: Node, name: str) -> Node:
        """What was kept of the parents, and `new` after it; the library knows this form and makes a cache of it."""
        from openvino import PartialShape, Type
        from openvino.op import util

        op, of = parts.ops(), self._of
        info = util.VariableInfo()
        info.data_shape = PartialShape([-1, of._heads, -1, of._size])
        info.data_type = Type.f32
        info.variable_id = name
        variable = util.Variable(info)
        nothing = op.concat([self._rows, parts.numbers(of._heads, 0, of._size)], 0)
        kept = op.read_value(op.broadcast(parts.floats(0.0), nothing), variable)
        joined = op.concat([op.gather(kept, self._parents, parts.numbers(0)), new], 2)
        self._states.append(op.assign(joined, variable))
        return joined

    def _cross_attention(self, x: Node, key: str, layer: int) -> Node:
        op, of = parts.ops(), self._of
        keys = self._given(f"cross_keys_{layer}", [-1, of._heads, of._size, -1])
        values = self._given(f"cross_values_{layer}", [-1, of._heads, -1, of._size])
        queries = of._linear(x, f"{key}/attention/linear_0", times=of._size**-0.5)
        queries = parts.split_heads(op.reshape(queries, self._by_window, False), of._heads)
        seen = op.softmax(op.matmul(queries, keys, False, False), -1)
        for _, head in (pair for pair in of._alignment if pair[0] == layer):
            self._seen[layer, head] = op.gather(seen, parts.numbers(head), parts.numbers(1))
        mixed = op.reshape(parts.merge_heads(op.matmul(seen, values, False, False)), self._by_row, False)
        return of._linear(mixed, f"{key}/attention/linear_2")

    def _given(self, name: str, shape: list[int]) -> Node:
        from openvino import Type

        op = parts.ops()
        given = op.parameter(shape, Type.f32 if self._of._kept == "f32" else Type.bf16, name=name)
        self._inputs.append(given)
        return given if self._of._kept == "f32" else op.convert(given, "f32")
