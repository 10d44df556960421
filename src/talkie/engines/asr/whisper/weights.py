"""The weights of a CTranslate2 model, read from `model.bin` as NumPy arrays.

Knows the layout of the file (CTranslate2 `specs/model_spec.py`, binary version 6) and nothing of its library. The file
is mapped into memory, not read: what is not asked for costs nothing.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from talkie.errors import ModelBroken

MODEL_BIN = "model.bin"
_VERSIONS = (5, 6)
_MAX_VARIABLES = 100_000
_MAX_RANK = 8
_DTYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)


@dataclass(frozen=True, slots=True)
class Linear:
    """A matrix as it is stored. `weight` is `(out, in)`; INT8 with `scale`, `(out,)`: weight = int8 / scale."""

    weight: NDArray[np.generic]
    bias: NDArray[np.float32] | None
    scale: NDArray[np.float32] | None = None

    def dense(self) -> NDArray[np.float32]:
        """float32, whatever it is stored as."""
        weight = self.weight.astype(np.float32)
        return weight if self.scale is None else weight / self.scale[:, None]


class Weights:
    """Arrays by name; arrays stay valid as long as this object does."""

    def __init__(self, arrays: Mapping[str, NDArray[np.generic]], name: str) -> None:
        self._arrays = arrays
        self._name = name

    def __contains__(self, key: str) -> bool:
        return key in self._arrays

    def names(self) -> list[str]:
        return list(self._arrays)

    def stored(self, key: str) -> NDArray[np.generic]:
        """As it is stored. Raises `ModelBroken` where there is none of that name."""
        if key not in self._arrays:
            raise ModelBroken(self._name, f"its weights have no {key}.")
        return self._arrays[key]

    def array(self, key: str) -> NDArray[np.float32]:
        """As float32. Raises `ModelBroken` where there is none of that name."""
        return np.asarray(self.stored(key), np.float32)

    def number(self, key: str, default: int) -> int:
        return int(self._arrays[key].reshape(-1)[0]) if key in self._arrays else default

    def linear(self, key: str) -> Linear:
        """`key/weight` with its bias and scale. Raises `ModelBroken`."""
        weight = self._arrays.get(f"{key}/weight")
        if weight is None or weight.dtype == np.int16:
            raise ModelBroken(self._name, f"model.bin has no {key} that can be read.")
        bias = self.array(f"{key}/bias") if f"{key}/bias" in self else None
        scale = self.array(f"{key}/weight_scale").reshape(-1) if weight.dtype == np.int8 else None
        return Linear(weight, bias, scale)

    def layers(self, key: str) -> int:
        """How many `key/layer_N` there are."""
        prefix = f"{key}/layer_"
        numbers = {name[len(prefix) :].partition("/")[0] for name in self._arrays if name.startswith(prefix)}
        return sum(number.isdigit() for number in numbers)


def read_weights(directory: Path, name: str = "") -> Weights:
    """The weights in `directory/model.bin`. Raises `ModelBroken` where it is cut off or not a CTranslate2 model."""
    name = name or directory.name
    try:
        with (directory / MODEL_BIN).open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return Weights(_Reader(data).variables(), name)
    except (OSError, struct.error, ValueError, LookupError):
        raise ModelBroken(name, "model.bin is cut off, or not a CTranslate2 model.") from None


class _Reader:
    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 0

    def variables(self) -> dict[str, NDArray[np.generic]]:
        if self._number("<I") not in _VERSIONS:
            raise ValueError("version")
        self._text()  # the specification's name
        self._number("<I")  # its revision
        found = dict(self._variable() for _ in range(min(self._number("<I"), _MAX_VARIABLES)))
        for _ in range(min(self._number("<I"), _MAX_VARIABLES)):
            alias, target = self._text(), self._text()
            found[alias] = found[target]
            if f"{target}_scale" in found:
                found[f"{alias}_scale"] = found[f"{target}_scale"]
        return found

    def _variable(self) -> tuple[str, NDArray[np.generic]]:
        name = self._text()
        rank = self._number("<B")
        if rank > _MAX_RANK:
            raise ValueError(name)
        shape = [self._number("<I") for _ in range(rank)]
        dtype = np.dtype(_DTYPES[self._number("<B")])
        size = self._number("<I")
        count = int(np.prod(shape, dtype=np.int64)) if shape else 1
        if size != count * dtype.itemsize or self._at + size > len(self._data):
            raise ValueError(name)
        array = np.frombuffer(self._data, dtype, count, self._at).reshape(shape)
        self._at += size
        return name, array

    def _number(self, form: str) -> int:
        (value,) = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return int(value)

    def _text(self) -> str:
        length = self._number("<H")
        text = self._data[self._at : self._at + length]
        if len(text) != length:
            raise ValueError("text")
        self._at += length
        return text.rstrip(b"\0").decode("utf-8")
