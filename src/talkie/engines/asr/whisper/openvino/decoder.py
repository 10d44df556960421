"""Whisper's decoder as two OpenVINO graphs: keys and values of a window, made once; and a step over all windows.

Cross keys and values are inputs of the step and are shared by the beams of a window; what was written before is state
of the request. A step takes any number of tokens, so that prompts, single tokens and whole texts (to time their words)
go through one graph and its weights are in memory once.

step: `tokens` `(windows, beams, n)` int64; `past` int64, how many were fed before; `parents` `(rows,)` int32, the row
of the last call that each row goes on from (rows = windows x beams); `mask` `(n, past + n)` float32, added to scores;
`last` `(k,)` int64, which of the n positions to score; `cross_keys_L` `(windows, heads, size, frames)` and
`cross_values_L` `(windows, heads, frames, size)`. Out: `logits` `(rows, k, vocabulary)`, and `attention` `(windows,
alignment heads, beams x n, frames)`.

A step is bound by memory, so keys lie as they are read fastest: in pieces of the window, one after the other. Where
`(size, frames)` is said, it is `(pieces, size, frames / pieces)`; both graphs know, and nobody else needs to. For the
same reason beams are read apart: many with one token each cost less than one with as many tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from talkie.engines.asr.whisper.openvino import parts
from talkie.engines.asr.whisper.openvino.parts import Node
from talkie.engines.asr.whisper.weights import Weights

_PIECES = 10
"""Of a window's keys; 6 to 15 are equal. A length that they do not divide is left whole."""


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
        pieces = _pieces(op.gather(op.shape_of(encoded), parts.numbers(1), parts.numbers(0)))
        made = []
        for layer in range(self._layers):
            key = f"decoder/layer_{layer}/attention/linear_1"
            made.append(self._in_pieces(self._linear(encoded, key, 0), pieces))
            made.append(parts.split_heads(self._linear(encoded, key, 1), self._heads))
        outputs = [op.result(y if self._kept == "f32" else op.convert(y, self._kept)) for y in made]
        return openvino.Model(outputs, [encoded], "cross")

    def _in_pieces(self, keys: Node, pieces: Node) -> Node:
        """`(1, frames, width)` to `(1, heads, size, frames)`, which is `(1, heads, pieces, size, frames / pieces)`."""
        op = parts.ops()
        parted = op.concat([parts.numbers(1), pieces, parts.numbers(-1, self._heads, self._size)], 0)
        keys = op.transpose(op.reshape(keys, parted, False), parts.numbers(0, 3, 1, 4, 2))
        return op.reshape(keys, parts.numbers(1, self._heads, self._size, -1), False)

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
        self._cross = [self._given(layer) for layer in range(of._layers)]
        self._inputs = [self._tokens, self._past, self._parents, self._mask, self._last, *sum(self._cross, ())]
        self._states: list[Node] = []
        self._seen: dict[tuple[int, int], Node] = {}
        shape = op.shape_of(self._tokens)
        self._windows = op.gather(shape, parts.numbers(0), parts.numbers(0))
        self._length = op.gather(shape, parts.numbers(2), parts.numbers(0))
        beams = op.gather(shape, parts.numbers(1), parts.numbers(0))
        self._rows = op.multiply(self._windows, beams)
        self._by_row = op.concat([self._rows, self._length, parts.numbers(of._width)], 0)
        pieces = _pieces(op.gather(op.shape_of(self._cross[0][0]), parts.numbers(3), parts.numbers(0)))
        heads = parts.numbers(of._heads)
        self._by_beam = op.concat([self._windows, beams, self._length, heads, parts.numbers(-1)], 0)
        self._by_head = op.concat([self._windows, heads, beams, self._length, parts.numbers(-1)], 0)
        self._by_window = op.concat(
            [self._windows, parts.numbers(len(of._alignment)), op.multiply(beams, self._length), parts.numbers(-1)], 0
        )
        self._by_piece = op.concat([self._windows, heads, pieces, parts.numbers(1, of._size, -1)], 0)
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
            seen = op.concat([self._seen[head] for head in self._of._alignment], 1)
            outputs.append(op.result(op.reshape(seen, self._by_window, False)))
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
        keys, values = (self._read(given) for given in self._cross[layer])
        queries = op.reshape(of._linear(x, f"{key}/attention/linear_0", times=of._size**-0.5), self._by_beam, False)
        queries = op.unsqueeze(op.transpose(queries, parts.numbers(0, 3, 1, 2, 4)), parts.numbers(2))
        by_piece = op.matmul(queries, op.reshape(keys, self._by_piece, False), False, False)
        scores = op.reshape(op.transpose(by_piece, parts.numbers(0, 1, 3, 4, 2, 5)), self._by_head, False)
        seen = op.softmax(scores, -1)
        for _, head in (pair for pair in of._alignment if pair[0] == layer):
            self._seen[layer, head] = op.gather(seen, parts.numbers(head), parts.numbers(1))
        mixed = op.matmul(seen, op.unsqueeze(values, parts.numbers(2)), False, False)
        mixed = op.reshape(op.transpose(mixed, parts.numbers(0, 2, 3, 1, 4)), self._by_row, False)
        return of._linear(mixed, f"{key}/attention/linear_2")

    def _given(self, layer: int) -> tuple[Node, Node]:
        from openvino import Type

        op, of = parts.ops(), self._of
        kind = Type.f32 if of._kept == "f32" else Type.bf16
        keys = op.parameter([-1, of._heads, of._size, -1], kind, name=f"cross_keys_{layer}")
        return keys, op.parameter([-1, of._heads, -1, of._size], kind, name=f"cross_values_{layer}")

    def _read(self, given: Node) -> Node:
        return given if self._of._kept == "f32" else parts.ops().convert(given, "f32")


def _pieces(frames: Node) -> Node:
    """How many pieces the keys of so many frames lie in; a graph's own arithmetic."""
    op = parts.ops()
    divided = op.equal(op.floor_mod(frames, parts.numbers(_PIECES)), parts.numbers(0))
    return op.select(divided, parts.numbers(_PIECES), parts.numbers(1))
