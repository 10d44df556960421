"""A shape-true model as a file of whisper.cpp, in half precision, as its `convert-pt-to-ggml.py` lays it out.

Sizes, mel filters, the bytes of every text token, then the tensors, dimensions backwards. Tensors are streamed.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from talkie.audio.mel import mel_filters
from talkie.bench.formats_openai import dimensions
from talkie.bench.shape_vocabulary import Vocabulary
from talkie.bench.shape_weights import Weights

MAGIC = 0x67676D6C
_FLOAT32, _FLOAT16 = 0, 1
_SIZES = (
    *("n_vocab", "n_audio_ctx", "n_audio_state", "n_audio_head", "n_audio_layer"),
    *("n_text_ctx", "n_text_state", "n_text_head", "n_text_layer", "n_mels"),
)


def write_ggml(directory: Path, weights: Weights, vocabulary: Vocabulary) -> Path:
    """Write ggml-model.bin into the directory, which exists, and return it."""
    path = directory / "ggml-model.bin"
    with path.open("wb") as file:
        _write_head(file, weights)
        _write_tokens(file, vocabulary)
        for name in weights.layout:
            _write_tensor(file, name, weights.array(name))
    return path


def _write_head(file: BinaryIO, weights: Weights) -> None:
    sizes = dimensions(weights)
    file.write(_integers(MAGIC, *(sizes[name] for name in _SIZES), _FLOAT16))
    filters = mel_filters(weights.shape.mels).astype("<f4")
    file.write(_integers(*filters.shape) + filters.tobytes())


def _write_tokens(file: BinaryIO, vocabulary: Vocabulary) -> None:
    tokens = vocabulary.text_bytes()
    file.write(_integers(len(tokens)))
    for token in tokens:
        file.write(_integers(len(token)) + token)


def _write_tensor(file: BinaryIO, name: str, values: NDArray[np.float32]) -> None:
    """Matrices in half precision, but neither vectors nor positions."""
    half = values.ndim > 1 and not name.endswith("positional_embedding")
    if name.startswith("encoder.conv") and name.endswith("bias"):
        values = values[:, None]
    key = name.encode()
    file.write(_integers(values.ndim, len(key), _FLOAT16 if half else _FLOAT32, *reversed(values.shape)) + key)
    file.write(values.astype("<f2" if half else "<f4").tobytes())


def _integers(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)
