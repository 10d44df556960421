"""Tensors of a `.safetensors` file as NumPy arrays: a JSON header, then raw numbers. Data only, never code.

Knows nothing of models. The file is mapped into memory, not read. Every number of the header is held against the size
of the file before it is used. Format: huggingface/safetensors `README.md`.
"""

from __future__ import annotations

import json
import mmap
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_HEADER_BYTES = 100_000_000
MAX_TENSORS = 100_000
_MAX_RANK = 8
_METADATA = "__metadata__"
_DTYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": np.dtype("<u2")}


class NotSafetensors(ValueError):
    """The file is cut off, or not what it says."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """Numbers as they lie in the file; `kind` F32, F16 or BF16, which NumPy has no type for."""

    kind: str
    raw: NDArray[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.raw.shape

    def array(self) -> NDArray[Any]:
        """float32 or float16; BF16 is the upper half of a float32, so nothing is lost."""
        if self.kind != "BF16":
            return self.raw
        return (self.raw.astype(np.uint32) << 16).view(np.float32)


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """All tensors of numbers with a point; others are left out. Raises `NotSafetensors`, or `OSError`."""
    with path.open("rb") as file:
        head = file.read(8)
        size = path.stat().st_size
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
        if not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
            raise NotSafetensors(f"{path.name} is cut off, or not a safetensors file.")
        header = _header(file.read(length), path.name)
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return dict(_tensors(header, data, 8 + length, path.name))


def _header(text: bytes, file: str) -> Mapping[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict) or len(header) > MAX_TENSORS:
        raise NotSafetensors(f"The header of {file} is not one of tensors.")
    return header


def _tensors(header: Mapping[str, Any], data: mmap.mmap, start: int, file: str) -> Iterator[tuple[str, Tensor]]:
    for name, entry in header.items():
        if name == _METADATA:
            continue
        try:
            kind, shape = entry["dtype"], entry["shape"]
            begin, end = entry["data_offsets"]
        except (KeyError, TypeError, ValueError):
            raise NotSafetensors(f"The header of {file} does not say where {name[:80]!r} lies.") from None
        dtype = _DTYPES.get(str(kind))
        if dtype is None:
            continue
        if not _are_sizes(shape) or not _are_sizes([begin, end]) or len(shape) > _MAX_RANK:
            raise NotSafetensors(f"The header of {file} has wrong numbers for {name[:80]!r}.")
        count = prod(shape)
        if end - begin != count * dtype.itemsize or start + end > len(data):
            raise NotSafetensors(f"{file} is cut off, or {name[:80]!r} has another size than its header says.")
        yield name, Tensor(str(kind), np.frombuffer(data, dtype, count, start + begin).reshape(shape))


def _are_sizes(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and 0 <= value < 1 << 62 for value in values)
