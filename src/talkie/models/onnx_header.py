"""What an ONNX file says of its inputs, outputs and needs, read as protobuf without loading it: no library, no weights.

Knows the fields of `onnx.proto` that it reads and nothing of what a model is for. Work is bounded by the number of
fields, not by what they claim.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TypeAlias

MAX_FIELDS = 500_000
MAX_DEPTH = 8
MAX_TEXT_BYTES = 4096
STANDARD_DOMAINS = frozenset({"", "ai.onnx"})
FLOAT, HALF = 1, 10
TYPE_NAMES = {FLOAT: "float32", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 9: "bool", HALF: "float16", 11: "double"}

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
Shape: TypeAlias = "tuple[int | None, ...]"
_Span: TypeAlias = "tuple[int, int, int]"  # field number, start and end; of a number: itself twice


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output; a size that is not fixed is None."""

    name: str
    dtype: str
    shape: Shape

    def __str__(self) -> str:
        return f"{self.dtype} ({', '.join('?' if size is None else str(size) for size in self.shape)})"


@dataclass(slots=True)
class OnnxHeader:
    """`inputs` without those that have a value in the file. `external`: weights lie in other files. `domains`: of
    operations beyond the standard."""

    inputs: list[Port] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)
    nodes: int = 0
    external: bool = False
    domains: set[str] = field(default_factory=set)


class _Malformed(Exception):
    pass


def read_onnx_header(path: Path) -> OnnxHeader:
    """Raises `ValueError` for what is no ONNX model, or one that is cut off."""
    with path.open("rb") as file:
        walker = _Walker(file, path.stat().st_size)
        try:
            walker.model()
        except (_Malformed, UnicodeDecodeError):
            raise ValueError("it is cut off, or is no ONNX model") from None
    return walker.header


class _Walker:
    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        self._file, self._size_bytes, self._left = file, size_bytes, MAX_FIELDS
        self.header = OnnxHeader()

    def model(self) -> None:
        graphs = [span for span in self._fields(0, self._size_bytes) if span[0] in (7, 25)]
        if not any(number == 7 for number, _, _ in graphs):
            raise _Malformed
        for number, start, end in graphs:
            if number == 7:
                self._graph(start, end, 0)
            else:  # a function of the file's own: its nodes, field 7
                self._nodes((one for one in self._fields(start, end) if one[0] == 7), 0)

    def _graph(self, start: int, end: int, depth: int) -> None:
        spans = list(self._fields(start, end))
        given = {self._tensor(one) for one in spans if one[0] == 5}
        for number, first, last in spans:
            if number == 15:  # sparse: its values and indices are tensors
                for inner in self._fields(first, last):
                    if inner[0] in (1, 2):
                        self._tensor(inner)
        self._nodes((one for one in spans if one[0] == 1), depth)
        if depth == 0:
            ports = [(number, self._port(first, last)) for number, first, last in spans if number in (11, 12)]
            self.header.inputs += [port for number, port in ports if number == 11 and port.name not in given]
            self.header.outputs += [port for number, port in ports if number == 12]

    def _nodes(self, spans: Iterator[_Span], depth: int) -> None:
        if depth > MAX_DEPTH:
            raise _Malformed
        for _, start, end in spans:
            self.header.nodes += 1
            for number, first, last in self._fields(start, end):
                if number == 7 and (domain := self._text(first, last)) not in STANDARD_DOMAINS:
                    self.header.domains.add(domain)
                elif number == 5:
                    self._attribute(first, last, depth)

    def _attribute(self, start: int, end: int, depth: int) -> None:
        for span in self._fields(start, end):
            number, first, last = span
            if number in (5, 10):
                self._tensor(span)
            elif number in (6, 11):
                self._graph(first, last, depth + 1)

    def _tensor(self, span: _Span) -> str:
        """Its name; notes where its numbers are not in this file."""
        name = ""
        for number, first, last in self._fields(*span[1:]):
            if number == 8:
                name = self._text(first, last)
            elif number == 13 or (number == 14 and first == 1):
                self.header.external = True
        return name

    def _port(self, start: int, end: int) -> Port:
        name, dtype = "", "?"
        shape: list[int | None] = []
        for number, first, last in self._fields(start, end):
            if number == 1:
                name = self._text(first, last)
            elif number == 2:
                for kind, inner, outer in self._fields(first, last):
                    if kind == 1:
                        dtype, shape = self._tensor_type(inner, outer)
        return Port(name, dtype, tuple(shape))

    def _tensor_type(self, start: int, end: int) -> tuple[str, list[int | None]]:
        dtype = "?"
        shape: list[int | None] = []
        for number, first, last in self._fields(start, end):
            if number == 1:
                dtype = TYPE_NAMES.get(first, f"type {first}")
            elif number == 2:
                for _, inner, outer in self._fields(first, last):
                    sizes = [value for kind, value, _ in self._fields(inner, outer) if kind == 1]
                    shape.append(sizes[0] if sizes and sizes[0] > 0 else None)
        return dtype, shape

    def _fields(self, start: int, end: int) -> Iterator[_Span]:
        """The fields of a message; they fill it exactly."""
        at = start
        while at < end:
            self._left -= 1
            self._file.seek(at)
            tag = self._varint()
            kind = tag & 7
            if self._left < 0 or tag < 8:
                raise _Malformed
            if kind == _VARINT:
                first = last = self._varint()
                at = self._file.tell()
            else:
                length = self._varint() if kind == _BYTES else {_FIXED64: 8, _FIXED32: 4}.get(kind, -1)
                first = self._file.tell()
                at = last = first + length
                if length < 0:
                    raise _Malformed
            if at > end:
                raise _Malformed
            yield tag >> 3, first, last

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._file.read(1)
            if not byte:
                break
            value |= (byte[0] & 0x7F) << shift
            if byte[0] < 0x80:
                return value
        raise _Malformed

    def _text(self, start: int, end: int) -> str:
        if end - start > MAX_TEXT_BYTES:
            raise _Malformed
        self._file.seek(start)
        return self._file.read(end - start).decode()
