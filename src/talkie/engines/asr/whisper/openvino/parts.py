"""The pieces that Whisper's graphs are made of: matrices, norms and heads, as OpenVINO operations.

Knows nothing of files or of how a graph is run. Numbers are float32 in a graph; whether they are computed in BF16 is
said when it is compiled. Matrices are float32 constants, or INT8 ones with a scale a row: the library makes INT8
kernels of them where what comes in is quantised as well (`Quantised`), and unpacks them as it goes where it is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from talkie.engines.asr.whisper.weights import Linear, Weights

NORM_EPSILON = 1e-5
_INT8_MAX = 127
_LEVELS = 256

Node = Any
"""An `openvino.Output` or `openvino.Node`; the library has no types."""


def ops() -> Any:
    """The operations; a heavy import, needed only to build a graph."""
    from openvino import opset15

    return opset15


def numbers(*values: int) -> Node:
    return ops().constant(np.array(values, np.int64))


def floats(values: Any) -> Node:
    return ops().constant(np.asarray(values, np.float32))


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the largest number seen at one place of a graph."""

    low: float
    high: float

    def joined(self, other: Range) -> Range:
        return Range(min(self.low, other.low), max(self.high, other.high))


@dataclass(frozen=True, slots=True)
class Quantised:
    """What calibration found: ranges by place, and by place the divisors that even out the channels before it."""

    ranges: Mapping[str, Range]
    divisors: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


def matrix(linear: Linear, *, int8: bool, rows: slice = slice(None), times: float = 1.0) -> Node:
    """A constant `(out, in)`. Stored INT8 rows are taken as they are, so that nothing is rounded twice."""
    if not int8:
        return floats(linear.dense()[rows] * np.float32(times))
    if linear.scale is not None:
        return _int8(np.asarray(linear.weight, np.int8)[rows], (times / linear.scale[rows])[:, None])
    return int8_matrix(linear.dense()[rows] * np.float32(times))


def int8_matrix(dense: NDArray[np.float32]) -> Node:
    """Symmetric INT8 with a scale for each output: the first axis."""
    largest = np.abs(dense).max(axis=tuple(range(1, dense.ndim)), keepdims=True)
    scale = np.where(largest > 0, largest / _INT8_MAX, np.float32(1.0))
    return _int8(np.clip(np.round(dense / scale), -_INT8_MAX, _INT8_MAX).astype(np.int8), scale)


def _int8(values: NDArray[np.int8], scale: NDArray[np.float32]) -> Node:
    op = ops()
    return op.multiply(op.convert(op.constant(np.ascontiguousarray(values)), "f32"), floats(scale))


def quantise(x: Node, seen: Range) -> Node:
    """`x` rounded to 256 levels between zero and what was seen; zero is one of them."""
    op = ops()
    low, high = min(seen.low, 0.0), max(seen.high, 0.0)
    step = (high - low) / (_LEVELS - 1) or 1.0
    zero = round(-low / step)
    bounds = floats(-zero * step), floats((_LEVELS - 1 - zero) * step)
    return op.fake_quantize(x, *bounds, *bounds, _LEVELS)


def affine(x: Node, weight: Node, bias: NDArray[np.float32] | None) -> Node:
    op = ops()
    y = op.matmul(x, weight, False, True)
    return y if bias is None else op.add(y, floats(bias.reshape(1, 1, -1)))


def norm(x: Node, weights: Weights, key: str, divisor: NDArray[np.float32] | None = None) -> Node:
    op = ops()
    gamma, beta = weights.array(f"{key}/gamma"), weights.array(f"{key}/beta")
    if divisor is not None:
        gamma, beta = gamma / divisor, beta / divisor
    even = op.mvn(x, numbers(-1), True, NORM_EPSILON, "inside_sqrt")
    return op.add(op.multiply(even, floats(gamma.reshape(1, 1, -1))), floats(beta.reshape(1, 1, -1)))


def gelu(x: Node) -> Node:
    return ops().gelu(x, "erf")


def split_heads(x: Node, heads: int, *, transposed: bool = False) -> Node:
    """`(rows, n, width)` to `(rows, heads, n, width / heads)`, or its last two axes the other way round."""
    op = ops()
    parts = op.reshape(x, op.constant(np.array([0, 0, heads, -1], np.int64)), True)
    return op.transpose(parts, numbers(0, 2, 3, 1) if transposed else numbers(0, 2, 1, 3))


def merge_heads(x: Node) -> Node:
    """`(rows, heads, n, width / heads)` to `(rows, n, width)`."""
    op = ops()
    return op.reshape(op.transpose(x, numbers(0, 2, 1, 3)), numbers(0, 0, -1), True)
