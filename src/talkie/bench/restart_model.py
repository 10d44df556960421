"""A model of any size whose weights are random bytes: it is carried, checked and kept like another, and never run."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from talkie.bench.shape_true import make_shape_true

PIECE_BYTES = 1 << 24
SPEC_VERSION, SPEC, REVISION = 6, b"WhisperSpec\0", 3
INT8 = 1
NAME = b"weights\0"


def make_model(directory: Path, size_bytes: int) -> Path:
    """Small files of the smallest shape-true model, and a `model.bin` of one variable, `size_bytes` long in all."""
    make_shape_true(directory, "micro")
    head = struct.pack("<I", SPEC_VERSION) + _string(SPEC) + struct.pack("<II", REVISION, 1)
    left = size_bytes - len(head) - len(_string(NAME)) - struct.calcsize("<BIBI") - struct.calcsize("<I")
    variable = _string(NAME) + struct.pack("<BIBI", 1, left, INT8, left)
    with (directory / "model.bin").open("wb") as file:
        file.write(head + variable)
        while left > 0:
            left -= file.write(os.urandom(min(left, PIECE_BYTES)))
        file.write(struct.pack("<I", 0))  # no second names of variables
    return directory


def _string(text: bytes) -> bytes:
    return struct.pack("<H", len(text)) + text
