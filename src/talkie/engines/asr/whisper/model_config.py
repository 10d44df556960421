"""Holds config.json against the vocabulary and the weights: numbers out of range there end the whole process.

Knows the layout of CTranslate2's files (its `specs/model_spec.py`) and nothing of its library.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from talkie.engines.asr.whisper.model_files import ModelFiles, read_json, read_vocabulary
from talkie.errors import ModelBroken

_MAX_VARIABLES = 100_000
_HEADS_OF_OLD_MODELS = 8
_TOKEN_LISTS = ("lang_ids", "suppress_ids", "suppress_ids_begin")
_LAYER = re.compile(r"decoder/layer_(\d+)/")


@dataclass(frozen=True, slots=True)
class Decoder:
    """How many layers the weights have, and heads in each."""

    layers: int
    heads: int


def check_config(files: ModelFiles) -> bool:
    """Whether words can be timed: only where the config names attention heads. Raises `ModelBroken`."""
    config = read_json(files.directory / "config.json", files.name)
    if not isinstance(config, dict):
        raise ModelBroken(files.name, "config.json is not an object.")
    count = len(read_vocabulary(files))
    for key in _TOKEN_LISTS:
        ids = config.get(key) or []
        if not isinstance(ids, list) or not all(_is_index(token, count) for token in ids):
            raise ModelBroken(files.name, f"{key} in config.json holds tokens that the vocabulary does not have.")
    heads = config.get("alignment_heads") or []
    if heads and not _are_heads(heads, _decoder(files)):
        raise ModelBroken(files.name, "alignment_heads in config.json names heads that the weights do not have.")
    return bool(heads)


def _is_index(value: Any, count: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < count


def _are_heads(pairs: Any, decoder: Decoder) -> bool:
    return isinstance(pairs, list) and all(
        isinstance(pair, list)
        and len(pair) == 2
        and _is_index(pair[0], decoder.layers)
        and _is_index(pair[1], decoder.heads)
        for pair in pairs
    )


def _decoder(files: ModelFiles) -> Decoder:
    path = files.directory / "model.bin"
    layers, heads = 0, _HEADS_OF_OLD_MODELS
    try:
        with path.open("rb") as file:
            for name, data in _variables(file, path.stat().st_size):
                if match := _LAYER.match(name):
                    layers = max(layers, int(match[1]) + 1)
                if name == "decoder/num_heads":
                    heads = int.from_bytes(data, "little")
    except (OSError, struct.error, UnicodeDecodeError, ValueError):
        raise ModelBroken(files.name, "model.bin is cut off, or not a CTranslate2 model.") from None
    return Decoder(layers, heads)


def _variables(file: BinaryIO, size_bytes: int) -> Iterator[tuple[str, bytes]]:
    """The names in the file; the data of small ones, and nothing of large ones."""
    _number(file, "<I")  # version
    _text(file)
    _number(file, "<I")  # revision
    for _ in range(min(_number(file, "<I"), _MAX_VARIABLES)):
        name = _text(file)
        file.seek(4 * _number(file, "<B") + 1, 1)  # shape and type
        length = _number(file, "<I")
        if file.tell() + length > size_bytes:
            raise ValueError(name)
        data = file.read(length) if length <= 8 else b""
        file.seek(length - len(data), 1)
        yield name, data


def _number(file: BinaryIO, form: str) -> int:
    (value,) = struct.unpack(form, file.read(struct.calcsize(form)))
    return int(value)


def _text(file: BinaryIO) -> str:
    return file.read(_number(file, "<H")).rstrip(b"\0").decode("utf-8")
