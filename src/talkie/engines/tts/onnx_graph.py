"""What an ONNX file says of itself, read without ONNX: inputs, outputs, and where a hidden result can be had.

Enough of protobuf to walk the graph; weights are stepped over, so a file of any size takes milliseconds. Field numbers:
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. Knows nothing of voices.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_MODEL_GRAPH = 7
_NODE, _INITIALIZER, _INPUT, _OUTPUT = 1, 5, 11, 12
_NODE_OUTPUT, _NODE_TYPE = 2, 4
_TENSOR_NAME, _TENSOR_LOCATION, _ELSEWHERE = 8, 14, 1
_VALUE_NAME = 1
_MAX_FIELDS = 2_000_000


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """`inputs` without the weights; `ceilings` are the results of its `Ceil` nodes: in a Piper voice the one that says
    how long each phoneme lasts. `elsewhere`: some weights are in other files."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    ceilings: tuple[str, ...]
    elsewhere: bool


def read_graph(path: Path) -> GraphFacts:
    """Raises `ValueError` for what is no ONNX file."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        graphs = [span for field, span, _ in _fields(data, 0, len(data)) if field == _MODEL_GRAPH]
        if not graphs:
            raise ValueError("it has no graph")
        return _facts(data, graphs)


def with_output(model: bytes, name: str) -> bytes:
    """The same model with one more output. Protobuf joins messages that are written twice, so it is put at the end."""
    value = _message(_VALUE_NAME, name.encode())
    return model + _message(_MODEL_GRAPH, _message(_OUTPUT, value))


def _facts(data: mmap.mmap, graphs: list[tuple[int, int]]) -> GraphFacts:
    inputs, outputs, weights, ceilings = list[str](), list[str](), set[str](), list[str]()
    elsewhere = False
    for graph in graphs:
        for field, span, _ in _fields(data, *graph):
            if field == _INPUT:
                inputs += _texts(data, span, _VALUE_NAME)
            elif field == _OUTPUT:
                outputs += _texts(data, span, _VALUE_NAME)
            elif field == _INITIALIZER:
                weights.update(_texts(data, span, _TENSOR_NAME))
                elsewhere = elsewhere or any(
                    field == _TENSOR_LOCATION and value == _ELSEWHERE for field, _, value in _fields(data, *span)
                )
            elif field == _NODE and _texts(data, span, _NODE_TYPE) == ["Ceil"]:
                ceilings += _texts(data, span, _NODE_OUTPUT)
    return GraphFacts(tuple(one for one in inputs if one not in weights), tuple(outputs), tuple(ceilings), elsewhere)


def _texts(data: mmap.mmap, span: tuple[int, int], wanted: int) -> list[str]:
    return [data[start:end].decode() for field, (start, end), _ in _fields(data, *span) if field == wanted]


def _fields(data: mmap.mmap, at: int, end: int) -> Iterator[tuple[int, tuple[int, int], int]]:
    """Field number, where its bytes are, and its value where it is a number."""
    for _ in range(_MAX_FIELDS):
        if at >= end:
            return
        tag, at = _varint(data, at, end)
        kind, value = tag & 7, 0
        if kind == _VARINT:
            value, after = _varint(data, at, end)
        elif kind == _BYTES:
            length, at = _varint(data, at, end)
            after = at + length
        elif kind in (_FIXED_64, _FIXED_32):
            after = at + (8 if kind == _FIXED_64 else 4)
        else:
            raise ValueError("it is not protobuf")
        if after > end or tag < 8:
            raise ValueError("it is cut off")
        yield tag >> 3, (at, after), value
        at = after
    raise ValueError("it has too many parts")


def _varint(data: mmap.mmap, at: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("it is cut off")


def _message(field: int, content: bytes) -> bytes:
    return _number(field << 3 | _BYTES) + _number(len(content)) + content


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
