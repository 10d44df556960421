"""The models Talkie knows by name: where they are, how large, how good. Read once from `catalog.toml`.

Knows nothing of what is in a store. Built-in models, which come with the installation and have no files of their own,
are listed here too.
"""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from talkie.models.name import HUB_PREFIX, HubReference

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One model that can be pulled. Sizes are approximate; `rank` orders quality; `sha256` is of model.bin or empty."""

    name: str
    repo: str
    revision: str
    size_mb: int
    ram_mb: int
    languages: tuple[str, ...]
    rank: int
    description: str
    aliases: tuple[str, ...] = ()
    sha256: str = ""
    licence: str = "MIT"
    engine: str = "whisper"

    @property
    def size_bytes(self) -> int:
        return self.size_mb * MB

    @property
    def source(self) -> str:
        return HUB_PREFIX + self.repo

    @property
    def reference(self) -> HubReference:
        owner, _, repo = self.repo.partition("/")
        return HubReference(owner, repo, self.revision)


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A model that comes with the installation."""

    name: str
    engine: str
    languages: tuple[str, ...]
    licence: str
    description: str


BUILT_IN = (
    BuiltIn("sphinx-en", "sphinx", ("en",), "BSD-2-Clause", "Comes with Talkie: English only, modest, always there."),
)


@cache
def catalog() -> tuple[CatalogEntry, ...]:
    """All entries, in the order of the file: small to large."""
    data = tomllib.loads(Path(__file__).with_name("catalog.toml").read_text(encoding="utf-8"))
    return tuple(_entry(table, data["languages"]) for table in data["model"])


def find(name: str) -> CatalogEntry | None:
    """The entry of that name or alias (both in lower case)."""
    return next((entry for entry in catalog() if name == entry.name or name in entry.aliases), None)


def find_repo(repo_id: str) -> CatalogEntry | None:
    return next((entry for entry in catalog() if entry.repo.lower() == repo_id.lower()), None)


def built_in(name: str) -> BuiltIn | None:
    return next((model for model in BUILT_IN if model.name == name), None)


def nearest(name: str) -> list[str]:
    """Up to three names of the catalogue that `name` may have been meant for, the nearest first."""
    spellings = {spelling: entry.name for entry in catalog() for spelling in (entry.name, *entry.aliases)}
    found = difflib.get_close_matches(name.lower(), spellings, n=6, cutoff=0.5)
    return list(dict.fromkeys(spellings[spelling] for spelling in found))[:3]


def rank_by_size(size_bytes: int) -> int:
    """A rank for a model that is not in the catalogue: that of the best known model that is not larger."""
    return max((entry.rank for entry in catalog() if entry.size_bytes <= size_bytes * 1.1), default=1)


def _entry(table: dict[str, Any], languages: dict[str, str]) -> CatalogEntry:
    fields = dict(table)
    fields["languages"] = _languages(languages, fields["languages"])
    fields["aliases"] = tuple(fields.get("aliases", ()))
    return CatalogEntry(**fields)


def _languages(tables: dict[str, str], key: str) -> tuple[str, ...]:
    codes: list[str] = []
    for word in tables[key].split():
        codes.extend(_languages(tables, word[1:]) if word.startswith("@") else [word])
    return tuple(codes)
