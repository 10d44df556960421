"""The manifest of a model: which files it has, how large, with which hash, and where they came from.

Pure but for `read` and `write`. Knows nothing of catalogues and networks. A manifest is data from outside (an archive
may carry one), so every field is checked before anything believes it.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from talkie.errors import ModelBroken
from talkie.models.files import is_plain_file, write_durably

MANIFEST_FILE = "manifest.json"
FORMAT = 1
MAX_MANIFEST_BYTES = 256 * 1024
MAX_FILES = 64
MAX_TEXT = 300

_SHA256 = re.compile(r"[0-9a-f]{64}")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a model, straight in its directory. `sha256` is 64 lower-case hexadecimal digits."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a model directory should hold. `revision` is the commit it was resolved to; `made_at` is UTC, ISO 8601."""

    name: str
    engine: str
    files: tuple[FileEntry, ...]
    languages: tuple[str, ...] = ()
    licence: str = ""
    source: str = ""
    revision: str = ""
    made_at: str = ""
    format: int = field(default=FORMAT)

    @property
    def size_bytes(self) -> int:
        return sum(entry.size_bytes for entry in self.files)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


def parse(text: str, name: str) -> Manifest:
    """A manifest from JSON; `name` is only for the message of `ModelBroken`."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise ModelBroken(name, f"{MANIFEST_FILE} is not JSON.") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ModelBroken(name, f"{MANIFEST_FILE} is not of format {FORMAT}.")
    return Manifest(
        name=_text(data, "name", name),
        engine=_text(data, "engine", name),
        files=_files(data.get("files"), name),
        languages=_languages(data.get("languages", []), name),
        licence=_text(data, "licence", name),
        source=_text(data, "source", name),
        revision=_text(data, "revision", name),
        made_at=_text(data, "made_at", name),
    )


def read(directory: Path) -> Manifest | None:
    """The manifest in a directory; None when there is none. Raises `ModelBroken`."""
    path = directory / MANIFEST_FILE
    if not path.exists() and not path.is_symlink():
        return None
    if not is_plain_file(path):
        raise ModelBroken(directory.name, f"{MANIFEST_FILE} is not a plain file.")
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise ModelBroken(directory.name, f"{MANIFEST_FILE} is larger than {MAX_MANIFEST_BYTES} bytes.")
    try:
        return parse(path.read_text(encoding="utf-8"), directory.name)
    except UnicodeDecodeError:
        raise ModelBroken(directory.name, f"{MANIFEST_FILE} is not UTF-8.") from None


def write(directory: Path, manifest: Manifest) -> None:
    """Write it where `read` finds it. Raises `ModelBroken` for one that `read` would not take."""
    parse(manifest.to_json(), manifest.name)
    write_durably(directory / MANIFEST_FILE, manifest.to_json().encode())


def _text(data: dict[str, Any], key: str, name: str) -> str:
    value = data.get(key, "")
    if not isinstance(value, str) or len(value) > MAX_TEXT or not (value == "" or value.isprintable()):
        raise ModelBroken(name, f"{key!r} in {MANIFEST_FILE} is not a short line of text.")
    return value


def _files(value: object, name: str) -> tuple[FileEntry, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_FILES:
        raise ModelBroken(name, f"{MANIFEST_FILE} lists no files, or more than {MAX_FILES}.")
    entries = tuple(_file(item, name) for item in value)
    if len({entry.path for entry in entries}) != len(entries):
        raise ModelBroken(name, f"{MANIFEST_FILE} lists a file twice.")
    return entries


def _file(item: object, name: str) -> FileEntry:
    if not isinstance(item, dict):
        raise ModelBroken(name, f"a file in {MANIFEST_FILE} is not an object.")
    path, size, digest = item.get("path"), item.get("size_bytes"), item.get("sha256")
    if not isinstance(path, str) or not _FILE_NAME.fullmatch(path):
        raise ModelBroken(name, f"{MANIFEST_FILE} names {str(path)[:80]!r}, which is not a plain file name.")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ModelBroken(name, f"{MANIFEST_FILE} gives no size for {path}.")
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        raise ModelBroken(name, f"{MANIFEST_FILE} gives no sha256 for {path}.")
    return FileEntry(path, size, digest)


def _languages(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > 1000:
        raise ModelBroken(name, f"'languages' in {MANIFEST_FILE} is not a list.")
    if not all(isinstance(code, str) and _LANGUAGE.fullmatch(code) for code in value):
        raise ModelBroken(name, f"'languages' in {MANIFEST_FILE} holds something that is not a language code.")
    return tuple(value)
