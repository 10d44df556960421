"""The table of an avatar pack, `avatar.toml`, as checked values. Knows the keys, and nothing of the files they name.

Each getter takes a default for a key that is not there, and gives that default too where the value is wrong, so that
one reading finds every fault.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from talkie.models.avatar_findings import Findings
from talkie.models.files import is_plain_file

TABLE, CARD = "avatar.toml", ".talkie.json"
"""What the maker of a pack says, and what the store does, who leaves out one that comes with a pack."""
MAX_TABLE_BYTES = 1024 * 1024
MAX_TEXT = 200
KEYS = (
    "name",
    "title",
    "kind",
    "licence",
    "consent",
    "fps",
    "width",
    "height",
    "colour_order",
    "frames",
    "box",
    "boxes",
    "face",
    "encoder",
    "closed",
    "feather",
    "pictures",
    "base",
    "blink",
)
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
RESERVED = frozenset({"talkie", "auto", "default", "none"})
"""`talkie` is the built-in one; the others mean a choice."""
_NO_NAMES = "A name has 1 to 64 small letters, digits, dots, dashes and underlines, and begins with a letter or digit."

T = TypeVar("T", bound=str)


def name_fault(name: str) -> str:
    """Why this is no name for a pack; empty when it is one."""
    if not _NAME.fullmatch(name) or ".." in name:
        return _NO_NAMES
    return f"{name!r} is a name of Talkie's own." if name in RESERVED else ""


class Table:
    """`values` is empty where the file cannot be read, or says nothing: all keys have defaults."""

    def __init__(self, directory: Path, findings: Findings) -> None:
        self._directory, self._findings = directory, findings
        read = self._read(directory / TABLE)
        self.readable = read is not None
        self.values: dict[str, Any] = read or {}
        for key in self.values:
            if key not in KEYS:
                near = get_close_matches(str(key)[:40], KEYS, 1, 0.5)
                findings.error(str(key)[:40], "there is no such key.", f"Did you mean {near[0]}?" if near else "")

    def _read(self, path: Path) -> dict[str, Any] | None:
        if not is_plain_file(path):
            self._findings.error(TABLE, "it is missing, or is no plain file.", "Every pack has one: docs/avatars.md.")
            return None
        try:
            if path.stat().st_size > MAX_TABLE_BYTES:
                self._findings.error(TABLE, f"it is larger than {MAX_TABLE_BYTES} bytes.")
                return None
            return tomllib.loads(path.read_bytes().decode())
        except tomllib.TOMLDecodeError as error:
            self._findings.error(TABLE, f"it is no TOML: {error}.")
        except (UnicodeDecodeError, RecursionError):
            self._findings.error(TABLE, "it is no TOML in UTF-8.")
        except OSError as error:
            self._findings.error(TABLE, f"it cannot be read: {error.strerror}.")
        return None

    def text(self, key: str, default: str = "") -> str:
        value = self.values.get(key, default)
        if not isinstance(value, str) or len(value) > MAX_TEXT or not value.isprintable():
            self._findings.error(key, f"it is a text of at most {MAX_TEXT} characters in one line.")
            return default
        return value.strip()

    def choice(self, key: str, choices: Iterable[T], default: T) -> T:
        value = self.values.get(key, default)
        for one in choices:
            if value == one:
                return one
        self._findings.error(key, f"it is one of {', '.join(choices)}.")
        return default

    def number(self, key: str, default: float, low: float, high: float, *, whole: bool = False) -> float:
        value = self.values.get(key, default)
        right = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if not right or not math.isfinite(value) or not low <= value <= high:
            self._findings.error(key, f"it is a {'whole ' if whole else ''}number from {low:g} to {high:g}.")
            return default
        return value if whole else float(value)

    def path(self, key: str, default: str = "", *, what: object = None) -> Path | None:
        """A file or directory of the pack, which may not be there; None where the key is not, or leads out of it.
        `what`: the value itself, where it stands in a table under the key."""
        value = self.values.get(key, default) if what is None else what
        if value == "":
            return None
        if not isinstance(value, str) or not is_inside(value):
            self._findings.error(key, "it is the name of a file of the pack, like frames/0001.png.")
            return None
        return self._directory / value


def is_inside(name: str) -> bool:
    """Whether a relative name stays in its directory, whatever system reads it."""
    parts = PurePosixPath(name).parts
    return (
        0 < len(name) <= MAX_TEXT
        and name.isprintable()
        and not name.startswith(("/", "~"))
        and "\\" not in name
        and ":" not in name
        and ".." not in parts
        and parts != ()
    )
