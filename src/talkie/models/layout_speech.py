"""What the files of models that speak look like inside, Kokoro's, Piper's and Chatterbox's, and whether they are sound.

Knows the forms (ONNX as protobuf, a NumPy archive, a voice's JSON) and nothing of the engines that read them. Nothing
is loaded: an array that could hold objects is refused by its header alone.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from talkie.errors import ModelBroken

MAX_CONFIG_BYTES = 4 * 1024 * 1024
MAX_HEADER_BYTES = 32 * 1024 * 1024
MAX_VOICES = 1000
MAX_VOICE_BYTES = 16 * 1024 * 1024
KOKORO_LANGUAGES = {"a": "en", "b": "en", "e": "es", "f": "fr", "h": "hi", "i": "it", "p": "pt"}
"""By the first letter of a voice's name."""
_GRAPH, _LENGTH_DELIMITED = 7, 2
_FIXED_BYTES = {1: 8, 5: 4}


def check(directory: Path, engine: str) -> None:
    """Raises `ModelBroken` naming the file."""
    if engine == "chatterbox":
        for path in sorted(directory.glob("*.safetensors")):
            check_safetensors(path)
        return
    check_onnx(only(directory, "*.onnx"))
    if engine == "piper":
        voice = only(directory, "*.onnx")
        if not voice.with_name(voice.name + ".json").is_file():
            raise ModelBroken(directory.name, f"{voice.name} has no {voice.name}.json beside it.")
        piper_config(directory)
    else:
        kokoro_voices(directory)


def languages(directory: Path, engine: str) -> tuple[str, ...]:
    """Raises `ModelBroken`."""
    if engine == "chatterbox":
        return ("en",)
    if engine == "piper":
        return (piper_language(piper_config(directory)),)
    found = dict.fromkeys(KOKORO_LANGUAGES.get(name[:1], "") for name in kokoro_voices(directory))
    return tuple(code for code in found if code) or ("en",)


def only(directory: Path, pattern: str) -> Path:
    """The one file of that pattern. Raises `ModelBroken` where there is none, or several."""
    found = sorted(directory.glob(pattern))
    if len(found) != 1:
        raise ModelBroken(directory.name, f"it has {len(found)} files {pattern}, and should have one.")
    return found[0]


def piper_config(directory: Path) -> dict[str, Any]:
    """A voice's JSON, with what the engine reads of it there and of the right kind. Raises `ModelBroken`."""
    path = only(directory, "*.onnx.json")
    if path.stat().st_size > MAX_CONFIG_BYTES:
        raise ModelBroken(directory.name, f"{path.name} is larger than {MAX_CONFIG_BYTES} bytes.")
    try:
        config = json.loads(path.read_bytes())
        sound = (
            isinstance(config["phoneme_id_map"], dict)
            and 8_000 <= int(config["audio"]["sample_rate"]) <= 192_000
            and 1 <= int(config["num_speakers"]) <= 100_000
            and isinstance(config["espeak"]["voice"], str)
            and isinstance(config.get("speaker_id_map") or {}, dict)
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        sound = False
    if not sound:
        raise ModelBroken(directory.name, f"{path.name} is not the description of a Piper voice.")
    return dict(config)


def piper_language(config: dict[str, Any]) -> str:
    """As ISO 639-1 or -2."""
    told = config.get("language")
    code = str(told.get("family") or told.get("code") or "") if isinstance(told, dict) else ""
    code = (code or str(config["espeak"]["voice"])).replace("_", "-").partition("-")[0].lower()
    return code if code.isascii() and code.isalpha() and 2 <= len(code) <= 3 else "en"


def kokoro_voices(directory: Path) -> tuple[str, ...]:
    """The names of the voices in the archive of styles. Raises `ModelBroken`."""
    path = only(directory, "voices*.bin")
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if not 1 <= len(members) <= MAX_VOICES:
                raise ModelBroken(directory.name, f"{path.name} holds {len(members)} voices.")
            for member in members:
                with archive.open(member) as file:
                    if member.file_size > MAX_VOICE_BYTES or not _is_style(file):
                        raise ModelBroken(directory.name, f"{path.name}: {member.filename[:40]!r} is not a voice.")
            return tuple(member.filename.removesuffix(".npy") for member in members)
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError, RuntimeError):
        raise ModelBroken(directory.name, f"{path.name} is not a NumPy archive of voices.") from None


def _is_style(file: Any) -> bool:
    """An array of plain numbers, shape `(lengths, 1, 256)` or `(lengths, 256)`, by its header."""
    import numpy as np  # only here, and models are listed often

    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    reader = readers.get(np.lib.format.read_magic(file))
    if reader is None:
        return False
    shape, _, dtype = reader(file)
    return bool(dtype.kind == "f") and 2 <= len(shape) <= 3 and min(shape) >= 1


def check_onnx(path: Path) -> None:
    """Walk the outermost fields of an ONNX file: they fill it exactly, and one is the graph. Raises `ModelBroken`."""
    size_bytes, seen = path.stat().st_size, False
    with path.open("rb") as file:
        for field, _ in _fields(file, size_bytes, path):
            seen = seen or field == _GRAPH
    if not seen:
        raise ModelBroken(path.parent.name, f"{path.name} is not an ONNX model.")


def check_safetensors(path: Path) -> None:
    """The header says where each tensor lies, and they fill the file. Raises `ModelBroken`."""
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        try:
            header = json.loads(file.read(length)) if length <= min(MAX_HEADER_BYTES, size_bytes) else {}
            ends = [int(one["data_offsets"][1]) for name, one in header.items() if name != "__metadata__"]
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
            raise ModelBroken(path.parent.name, f"{path.name} is not a safetensors file.") from None
    if 8 + length + max(ends, default=0) != size_bytes:
        raise ModelBroken(path.parent.name, f"{path.name} is cut off, or longer than it says.")


def _fields(file: BinaryIO, size_bytes: int, path: Path) -> Iterator[tuple[int, int]]:
    """Field numbers and lengths, as protobuf writes them."""
    while (at := file.tell()) < size_bytes:
        tag = _varint(file)
        kind = tag & 7
        if kind == 0:
            _varint(file)
        elif kind == _LENGTH_DELIMITED:
            file.seek(max(_varint(file), 0), 1)
        elif kind in _FIXED_BYTES:
            file.seek(_FIXED_BYTES[kind], 1)
        else:
            raise ModelBroken(path.parent.name, f"{path.name} is not an ONNX model.")
        if tag < 8 or file.tell() > size_bytes:
            raise ModelBroken(path.parent.name, f"{path.name} is cut off, or is not an ONNX model.")
        yield tag >> 3, file.tell() - at


def _varint(file: BinaryIO) -> int:
    """Negative where the file ends in the middle of it, or it does not end."""
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            return -1
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    return -1
