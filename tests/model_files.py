"""The smallest files that have the form of a CTranslate2 Whisper model: for the store, which never loads one."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path

LANGUAGE_TOKENS = ["<|en|>", "<|de|>", "<|fr|>"]


def _string(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def weights(size_bytes: int = 20_000, *, spec: str = "WhisperSpec", version: int = 6, seed: int = 7) -> bytes:
    """A model.bin with one variable of random bytes, `size_bytes` of them."""
    data = random.Random(seed).randbytes(size_bytes)
    head = struct.pack("<I", version) + _string(spec) + struct.pack("<II", 3, 1)
    variable = _string("encoder/w") + struct.pack("<BIBI", 1, size_bytes, 1, size_bytes)
    return head + variable + data + struct.pack("<I", 0)


def whisper_files(size_bytes: int = 20_000, *, seed: int = 7) -> dict[str, bytes]:
    """All files of a tiny multilingual model, by name."""
    vocabulary = ["a", "b", "<|endoftext|>", *LANGUAGE_TOKENS, "<|transcribe|>"]
    return {
        "model.bin": weights(size_bytes, seed=seed),
        "config.json": json.dumps({"suppress_ids": [], "lang_ids": [3, 4, 5]}).encode(),
        "tokenizer.json": json.dumps({"version": "1.0", "model": {"vocab": {}}}).encode(),
        "vocabulary.json": json.dumps(vocabulary).encode(),
    }


def write_model(directory: Path, size_bytes: int = 20_000, **changes: bytes) -> Path:
    """A model directory made by hand."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, data in (whisper_files(size_bytes) | changes).items():
        (directory / name).write_bytes(data)
    return directory
