"""Is this directory a CTranslate2 Whisper model that may be opened? Looks at names, links and small JSON files.

Knows nothing of CTranslate2. Only the files named here are ever opened; whatever else lies in the directory, code and
pickles among it, is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from talkie.errors import ModelBroken, ModelNotFound

MAX_JSON_BYTES = 64 * 1024 * 1024
NEEDED = ("model.bin", "config.json", "tokenizer.json")
VOCABULARIES = ("vocabulary.json", "vocabulary.txt")


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A directory whose files are there and lead nowhere else."""

    directory: Path
    name: str
    tokenizer: Path
    vocabulary: Path


def check(directory: Path, name: str = "") -> ModelFiles:
    """The files of a model. Raises `ModelNotFound` without a directory, `ModelBroken` naming the file at fault."""
    name = name or directory.name
    if not directory.is_dir():
        raise ModelNotFound(name)
    vocabulary = next((file for file in VOCABULARIES if (directory / file).exists()), None)
    for file in (*NEEDED, vocabulary or VOCABULARIES[0]):
        if not (directory / file).is_file():
            raise ModelBroken(name, f"{file} is missing.")
    for file in (*NEEDED, *VOCABULARIES):
        path = directory / file
        if path.exists() and not stays_inside(path, directory):
            raise ModelBroken(name, f"{file} is a link that leads out of the directory.")
    read_json(directory / "config.json", name)
    _check_object(directory / "tokenizer.json", name)
    return ModelFiles(directory, name, directory / "tokenizer.json", directory / (vocabulary or VOCABULARIES[0]))


def read_vocabulary(files: ModelFiles) -> Sequence[str]:
    """The tokens of the model in the order of their ids. Raises `ModelBroken`."""
    try:
        stamp = files.vocabulary.stat().st_mtime_ns
    except OSError:
        raise ModelBroken(files.name, f"{files.vocabulary.name} cannot be read.") from None
    return _tokens(files, stamp)


@lru_cache(maxsize=1)
def _tokens(files: ModelFiles, _stamp: int) -> Sequence[str]:
    """Opening a model asks for them from several places: the last one stays parsed."""
    if files.vocabulary.suffix == ".json":
        tokens = read_json(files.vocabulary, files.name)
        if not isinstance(tokens, list) or not set(map(type, tokens)) <= {str}:
            raise ModelBroken(files.name, f"{files.vocabulary.name} is not a list of tokens.")
        return tuple(tokens)
    return tuple(_read_text(files.vocabulary, files.name).split("\n"))


def stays_inside(path: Path, directory: Path) -> bool:
    """Whether a file is in the directory itself, or in the blobs that a Hugging Face cache keeps beside its snapshots.

    Such a cache is laid out as `models--OWNER--NAME/{blobs,snapshots/REVISION}`, with links from one to the other.
    """
    target, home = path.resolve(), directory.resolve()
    if target.is_relative_to(home):
        return True
    repository = home.parent.parent
    return (
        home.parent.name == "snapshots"
        and repository.name.startswith("models--")
        and target.parent == repository / "blobs"
    )


def read_json(path: Path, name: str) -> Any:
    """Parsed JSON of a bounded size. Raises `ModelBroken` naming the file."""
    try:
        return json.loads(_read_text(path, name))
    except (ValueError, RecursionError):
        raise ModelBroken(name, f"{path.name} is not JSON.") from None


def read_bytes(path: Path, name: str) -> bytes:
    """A file of a bounded size. Raises `ModelBroken` naming it."""
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise ModelBroken(name, f"{path.name} is larger than {MAX_JSON_BYTES} bytes.")
        return path.read_bytes()
    except OSError:
        raise ModelBroken(name, f"{path.name} cannot be read.") from None


def _check_object(path: Path, name: str) -> None:
    """A first look at large JSON: is it one object from the first sign to the last? Reading all of it takes longer
    than the model itself; whoever needs what is inside finds out about the rest."""
    content = read_bytes(path, name).strip()
    if not (content.startswith(b"{") and content.endswith(b"}")):
        raise ModelBroken(name, f"{path.name} is not JSON.")


def _read_text(path: Path, name: str) -> str:
    try:
        return read_bytes(path, name).decode("utf-8")
    except UnicodeDecodeError:
        raise ModelBroken(name, f"{path.name} cannot be read.") from None
