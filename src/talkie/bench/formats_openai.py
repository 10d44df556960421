"""A shape-true model as a file of openai/whisper: half-precision tensors in the zip of pickles that torch.save writes.

Written without torch and without pickling anything: the few operations that its loader of weights alone understands
are put together here. Tensors are streamed, one in memory at a time. Nothing here reads such a file.
"""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import numpy as np

from talkie.bench.shape_weights import AUDIO_CONTEXT, TEXT_CONTEXT, Weights

_EPOCH = (1980, 1, 1, 0, 0, 0)
_PROTO_2, _STOP = b"\x80\x02", b"."
_MARK, _DICT, _SET_ITEMS, _TUPLE = b"(", b"}", b"u", b"t"
_NEW_FALSE, _PERSISTENT, _REDUCE = b"\x89", b"Q", b"R"


def write_openai(directory: Path, weights: Weights) -> Path:
    """Write model.pt into the directory, which exists, and return it."""
    path = directory / "model.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        _write(archive, "data.pkl", _PROTO_2 + _checkpoint(weights) + _STOP)
        _write(archive, "byteorder", b"little")
        for number, name in enumerate(weights.layout):
            _write(archive, f"data/{number}", weights.array(name).astype("<f2").tobytes())
        _write(archive, "version", b"3\n")
    return path


def dimensions(weights: Weights) -> dict[str, int]:
    """`ModelDimensions` of openai/whisper."""
    shape = weights.shape
    return {
        "n_mels": shape.mels,
        "n_vocab": len(weights.learned.tokens),
        "n_audio_ctx": AUDIO_CONTEXT,
        "n_audio_state": shape.width,
        "n_audio_head": shape.heads,
        "n_audio_layer": shape.encoder_layers,
        "n_text_ctx": TEXT_CONTEXT,
        "n_text_state": shape.width,
        "n_text_head": shape.heads,
        "n_text_layer": shape.decoder_layers,
    }


def _write(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(f"archive/{name}", _EPOCH), data)


def _checkpoint(weights: Weights) -> bytes:
    tensors = {name: _tensor(number, size) for number, (name, size) in enumerate(weights.layout.items())}
    return _mapping({"dims": _mapping(_plain(dimensions(weights))), "model_state_dict": _mapping(tensors)})


def _tensor(number: int, size: tuple[int, ...]) -> bytes:
    """A call of `torch._utils._rebuild_tensor_v2` with a storage that lies in the file of that number."""
    count = int(np.prod(size))
    strides = [int(np.prod(size[axis + 1 :])) for axis in range(len(size))]
    storage = [_text("storage"), _name("torch", "HalfStorage"), _text(str(number)), _text("cpu"), _integer(count)]
    no_hooks = _name("collections", "OrderedDict") + _tuple([]) + _REDUCE
    arguments = [
        _tuple(storage) + _PERSISTENT,
        _integer(0),
        _tuple([_integer(length) for length in size]),
        _tuple([_integer(stride) for stride in strides]),
        _NEW_FALSE,
        no_hooks,
    ]
    return _name("torch._utils", "_rebuild_tensor_v2") + _tuple(arguments) + _REDUCE


def _plain(values: dict[str, int]) -> dict[str, bytes]:
    return {name: _integer(value) for name, value in values.items()}


def _mapping(values: dict[str, bytes]) -> bytes:
    return _DICT + _MARK + b"".join(_text(name) + value for name, value in values.items()) + _SET_ITEMS


def _tuple(values: list[bytes]) -> bytes:
    return _MARK + b"".join(values) + _TUPLE


def _text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def _integer(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def _name(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()
