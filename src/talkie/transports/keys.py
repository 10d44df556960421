"""Who may do what: keys by their SHA-256, in a file that `talkie keys` writes, and one from the settings.

Keys made here carry 256 random bits, so a plain digest is enough; none is ever stored, logged or compared as text.
Knows nothing of HTTP: a door hands over what it was shown and gets a `Caller`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import threading
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkie.errors import KeyMissing, KeyWrong, SettingsError

SCOPES = ("transcribe", "speak", "animate", "models:read", "metrics", "docs", "admin")
"""All there are. `admin` includes every other; `public` is no scope of a key but of a route."""
PUBLIC = "public"
KEY_PREFIX = "tk_"
MAX_KEYS = 10_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who showed a key that is known, or (`name` empty) anybody, where no keys are wanted."""

    name: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes


ANYBODY = Caller("", frozenset(SCOPES))


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A line of the file. Raises `SettingsError` when made from what cannot be."""

    name: str
    sha256: str
    scopes: tuple[str, ...]

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise SettingsError(
                f"{self.name[:64]!r} is no name for a key.", hint="Letters, digits, dot, dash, underscore; at most 64."
            )
        if not _DIGEST.fullmatch(self.sha256):
            raise SettingsError(f"The key {self.name} has no SHA-256 of 64 hexadecimal digits.")
        for scope in self.scopes:
            if scope not in SCOPES:
                raise SettingsError(f"There is no scope {scope[:40]!r}.", hint=f"One of: {', '.join(SCOPES)}.")


def digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def new_key(name: str, scopes: Iterable[str]) -> tuple[str, StoredKey]:
    """A fresh key, to be shown once, and what is kept of it."""
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    return key, StoredKey(name, digest(key), tuple(dict.fromkeys(scopes)))


def read_keys(path: Path) -> list[StoredKey]:
    """The keys of a TOML (`[[keys]]`) or JSON file; none when there is no file. Raises `SettingsError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"The file of keys {path} cannot be read.") from None
    try:
        found = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        rows = (found["keys"] if found else []) if isinstance(found, dict) else found
        keys = [StoredKey(str(row["name"]), str(row["sha256"]).lower(), _scopes(row)) for row in rows[:MAX_KEYS]]
    except (ValueError, KeyError, TypeError):
        raise SettingsError(
            f"The file of keys {path} is damaged.",
            hint="Each key has a name, a sha256 and scopes.",
        ) from None
    return keys


def _scopes(row: dict[str, Any]) -> tuple[str, ...]:
    scopes = row["scopes"]
    if not isinstance(scopes, list):
        raise TypeError
    return tuple(str(scope) for scope in scopes)


def write_keys(path: Path, keys: Iterable[StoredKey]) -> None:
    """The whole file anew, readable by its owner only, in one step."""
    rows = [{"name": key.name, "sha256": key.sha256, "scopes": list(key.scopes)} for key in keys]
    if path.suffix == ".json":
        text = json.dumps({"keys": rows}, indent=2) + "\n"
    else:  # the values need no escaping: StoredKey lets only plain names in
        text = "".join(
            f'[[keys]]\nname = "{row["name"]}"\nsha256 = "{row["sha256"]}"\nscopes = {json.dumps(row["scopes"])}\n\n'
            for row in rows
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


class KeyRing:
    """The keys in force. A changed file is read again; once keys were wanted, they are wanted until the end."""

    def __init__(self, api_key: str | None = None, path: Path | None = None) -> None:
        own = [StoredKey("TALKIE_API_KEY", digest(api_key), ("admin",))] if api_key else []
        self._own = tuple(own)
        self._path = path
        self._lock = threading.Lock()
        self._stamp = self._stat()
        self._keys = self._own + tuple(read_keys(path) if path else ())
        self.required = bool(self._keys)

    def _stat(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat() if self._path else None
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_size, found.st_ino) if found else None

    def _refresh(self) -> None:
        stamp = self._stat()
        if stamp == self._stamp or self._path is None:
            return
        with self._lock:
            try:
                self._keys = self._own + tuple(read_keys(self._path))
            except SettingsError:
                return  # half-written or damaged: the keys known so far stay in force, and the file is tried again
            self._stamp = stamp
            self.required = self.required or bool(self._keys)

    def identify(self, key: str | None) -> Caller:
        """Who shows this key. Raises `KeyMissing` or `KeyWrong`; nobody needs a key where none are kept."""
        self._refresh()
        if not self.required:
            return ANYBODY
        if not key:
            raise KeyMissing
        shown = digest(key)
        found = None
        for stored in self._keys:  # all of them, each in constant time
            if hmac.compare_digest(stored.sha256, shown):
                found = stored
        if found is None:
            raise KeyWrong
        return Caller(found.name, frozenset(found.scopes))
