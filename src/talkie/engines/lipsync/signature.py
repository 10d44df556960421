"""Which input of a network is which, by its shape: exporters agree on shapes and not on names.

Knows what a face network and its audio encoder take and give, and nothing of how they are run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from talkie.errors import BadAvatar

SIZE, MIN_SIZE, MAX_SIZE = 320, 32, 1024
FEATURE = 512
AUDIO_SHAPE = (32, 16, 16)
MEL_SHAPE = (1, 80, 16)
MAX_BATCH = 64
_TYPES: dict[str, type[np.floating[Any]]] = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


@dataclass(frozen=True, slots=True)
class Tensor:
    """`shape` is that of one item, without the batch."""

    name: str
    shape: tuple[int, ...]
    dtype: type[np.floating[Any]]

    def nbytes(self, items: int) -> int:
        return items * prod(self.shape) * np.dtype(self.dtype).itemsize


@dataclass(frozen=True, slots=True)
class Signature:
    """`inputs` in Talkie's order, whatever theirs. `batch` None: any."""

    inputs: tuple[Tensor, ...]
    output: Tensor
    batch: int | None


@dataclass(frozen=True, slots=True)
class Port:
    """One input or output as a file declares it: a dimension is a number, or anything else where it is open."""

    name: str
    shape: tuple[Any, ...]
    kind: str

    def __str__(self) -> str:
        sizes = ", ".join(str(one) if isinstance(one, int) else "?" for one in self.shape)
        return f"{self.name[:40]} ({sizes})"


def face_signature(where: str, inputs: Sequence[Port], outputs: Sequence[Port]) -> Signature:
    """`(B, 6, S, S)` and `(B, 32, 16, 16)` in either order to `(B, 3, S, S)`. Raises `BadAvatar`."""
    if len(inputs) != 2 or len(outputs) != 1:
        raise BadAvatar(
            where, f"it has {_listed(inputs)} as inputs; a face network has a picture and features of sound."
        )
    # A shape that is open in all its dimensions fits both: the one that says more is looked at first.
    audio = _one(where, inputs, (None, *AUDIO_SHAPE), "features of sound")
    rest = [port for port in inputs if port is not audio]
    size = next((n for port in (*rest, *outputs) for n in port.shape[2:] if isinstance(n, int)), SIZE)
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise BadAvatar(where, f"its pictures are {size} points wide; {MIN_SIZE} to {MAX_SIZE} can be used.")
    visual = _one(where, rest, (None, 6, size, size), "picture")
    picture = _one(where, outputs, (None, 3, size, size), "picture that comes out")
    tensors = (_tensor(where, visual, (6, size, size)), _tensor(where, audio, AUDIO_SHAPE))
    return Signature(tensors, _tensor(where, picture, (3, size, size)), _batch(where, [visual, audio]))


def encoder_signature(where: str, inputs: Sequence[Port], outputs: Sequence[Port]) -> Signature:
    """`(B, 1, 80, 16)` to 512 numbers an item, however many dimensions they are in. Raises `BadAvatar`."""
    if len(inputs) != 1 or len(outputs) != 1:
        raise BadAvatar(where, f"it has {_listed(inputs)} as inputs; an audio encoder has one, a window of mel bands.")
    mel = _one(where, inputs, (None, *MEL_SHAPE), "window of mel bands")
    sizes = [one for one in outputs[0].shape[1:] if isinstance(one, int)]
    shape = outputs[0].shape
    if len(shape) < 2 or (len(sizes) == len(shape) - 1 and prod(sizes) != FEATURE):
        raise BadAvatar(where, f"it gives {outputs[0]}; a feature is {FEATURE} numbers.")
    known = tuple(sizes) if prod(sizes) == FEATURE and len(sizes) == len(shape) - 1 else (FEATURE,)
    return Signature((_tensor(where, mel, MEL_SHAPE),), _tensor(where, outputs[0], known), _batch(where, [mel]))


def _one(where: str, ports: Sequence[Port], wanted: tuple[int | None, ...], what: str) -> Port:
    for port in ports:
        pairs = zip(port.shape, wanted, strict=False)
        fits = (want is None or not isinstance(has, int) or has == want for has, want in pairs)
        if len(port.shape) == len(wanted) and all(fits):
            return port
    sizes = ", ".join("B" if one is None else str(one) for one in wanted)
    raise BadAvatar(where, f"nothing is the {what} of shape ({sizes}): it has {_listed(ports)}.")


def _tensor(where: str, port: Port, shape: tuple[int, ...]) -> Tensor:
    if port.kind not in _TYPES:
        raise BadAvatar(where, f"{port.name[:40]!r} is a {port.kind[:40]}; float32 and float16 can be used.")
    return Tensor(port.name, shape, _TYPES[port.kind])


def _batch(where: str, ports: Sequence[Port]) -> int | None:
    fixed = {port.shape[0] for port in ports if isinstance(port.shape[0], int)}
    if len(fixed) > 1 or not all(1 <= one <= MAX_BATCH for one in fixed):
        raise BadAvatar(where, f"its batch is {sorted(fixed)}: one number from 1 to {MAX_BATCH}, or open.")
    return fixed.pop() if fixed else None


def _listed(ports: Sequence[Port]) -> str:
    return " and ".join(map(str, ports[:4])) or "nothing"
