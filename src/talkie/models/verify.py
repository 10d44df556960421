"""Is a model what it should be? Every file against its size and hash, and nothing beside them.

Reads only; knows nothing of mending. Problems are sentences, collected rather than raised, so that one look tells all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from talkie.errors import ModelBroken
from talkie.models import layout, manifest
from talkie.models.files import is_plain_file, sha256_file
from talkie.models.manifest import MANIFEST_FILE, FileEntry, Manifest
from talkie.models.name import is_name

MAX_ENTRIES = 256
IGNORED = frozenset({".tmp", ".DS_Store", "lost+found"})
"""What may lie beside models: our own workshop on a volume of its own, and what systems put everywhere."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. `notes` are worth knowing and no fault."""

    name: str
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    size_bytes: int = 0

    @property
    def ok(self) -> bool:
        return not self.problems


def verify_model(directory: Path, on_file: Callable[[str], None] = lambda name: None) -> Verdict:
    """Check one model directory; `on_file` is called with each file's name before it is read."""
    name = directory.name
    if directory.is_symlink() or not directory.is_dir():
        return Verdict(name, ("it is not a directory.",))
    try:
        record = manifest.read(directory)
    except ModelBroken as error:
        return Verdict(name, (error.message,))
    if record is None:
        return _verify_hand_made(directory)
    problems = _strays(directory, {entry.path for entry in record.files} | {MANIFEST_FILE})
    problems += _foreign(record)
    for entry in record.files:
        on_file(f"{name}/{entry.path}")
        problems += _verify_file(directory / entry.path, entry)
    if not problems:
        problems += _soundness(directory)
    return Verdict(name, tuple(problems), size_bytes=record.size_bytes)


def verify_strays(models: Path) -> Verdict | None:
    """What lies in the directory of models and is none; None when nothing does."""
    if not models.is_dir():
        return None
    names = sorted(item.name for item in models.iterdir() if not (is_name(item.name) and item.is_dir()))
    names = [name for name in names if name not in IGNORED]
    problems = tuple(f"{name[:80]!r} is not a model." for name in names[:MAX_ENTRIES])
    return Verdict(str(models), problems) if problems else None


def _verify_hand_made(directory: Path) -> Verdict:
    found = _soundness(directory)
    shape = layout.detect(item.name for item in directory.iterdir()) or layout.WHISPER
    for path in sorted(directory.iterdir())[:MAX_ENTRIES]:
        if shape.allows(path.name) and not is_plain_file(path):
            found.append(f"{path.name} is not a plain file.")
        elif layout.is_dangerous(path.name):
            found.append(f"{path.name} can hold code. Talkie never opens it; it should not be here.")
    size_bytes = sum(path.stat().st_size for path in layout.present(directory, shape))
    note = "it has no manifest, so only its form was checked, not its content."
    return Verdict(directory.name, tuple(found), (note,), size_bytes)


def _verify_file(path: Path, entry: FileEntry) -> list[str]:
    if not is_plain_file(path):
        return [f"{entry.path} is missing, or is not a plain file."]
    size_bytes = path.stat().st_size
    if size_bytes != entry.size_bytes:
        return [f"{entry.path} has {size_bytes} bytes in place of {entry.size_bytes}."]
    if sha256_file(path) != entry.sha256:
        return [f"{entry.path} has changed: its checksum is wrong."]
    return []


def _strays(directory: Path, expected: set[str]) -> list[str]:
    names = sorted(item.name for item in directory.iterdir() if item.name not in expected)
    if len(names) > MAX_ENTRIES:
        return [f"{len(names)} files that do not belong here."]
    return [_stray(directory / name) for name in names]


def _stray(path: Path) -> str:
    what = path.name[:80]
    if path.is_symlink():
        return f"{what!r} is a link; a model has none."
    if layout.is_dangerous(path.name):
        return f"{what!r} can hold code. Talkie never opens it; it should not be here."
    return f"{what!r} does not belong here."


def _foreign(record: Manifest) -> list[str]:
    found = layout.layout_of(record.engine)
    if found is None:
        return [f"the engine {record.engine[:40]!r} is not known."]
    return [f"{entry.path} is no file of such a model." for entry in record.files if not found.allows(entry.path)]


def _soundness(directory: Path) -> list[str]:
    try:
        layout.inspect(directory)
    except ModelBroken as error:
        return [error.message]
    return []
