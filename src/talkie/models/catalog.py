"""The models Talkie knows by name: where they are, how large, how good. Read once from `catalog.toml`.

Knows nothing of what is in a store. Built-in models, which come with the installation and have no files of their own,
are listed here too.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from talkie.models.name import HUB_PREFIX, HubReference

MB = 1_000_000
PIPER_REPO = "rhasspy/piper-voices"
_PIPER_NAME = re.compile(r"piper-([a-z]{2,3})_([a-z]{2})-([a-z0-9_]+)-(x_low|low|medium|high)")
_PIPER_MB = {"x_low": 28, "low": 63, "medium": 63, "high": 114}
_PIPER_RANKS = {"x_low": 20, "low": 30, "medium": 40, "high": 50}


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One model that can be pulled. Sizes are approximate; `rank` orders quality; `sha256` is of the weights or empty.

    `files` are its files in a repository of many models; empty: the repository is the model.
    """

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
    kind: str = "recognizer"
    files: tuple[str, ...] = ()

    @property
    def size_bytes(self) -> int:
        return self.size_mb * MB

    @property
    def source(self) -> str:
        """What the manifest of a pulled one says; of one in a repository of many, with where it lies there."""
        folder = self.files[0].rpartition("/")[0] if self.files else ""
        return HUB_PREFIX + self.repo + (f"/{folder}" if folder else "")

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
    listed = next((entry for entry in catalog() if name == entry.name or name in entry.aliases), None)
    return listed or piper_voice(name)


def find_repo(repo_id: str) -> CatalogEntry | None:
    """By `owner/repo`, or what stands after `hf:` in the source of a manifest."""
    wanted = (HUB_PREFIX + repo_id).lower()
    return next((entry for entry in catalog() if entry.source.lower() == wanted), None)


def piper_voice(name: str) -> CatalogEntry | None:
    """The entry of any voice of Piper's own collection by its name (`piper-en_us-lessac-medium`): where its files are
    follows from that. Whether there is such a voice, only the hub knows."""
    match = _PIPER_NAME.fullmatch(name)
    if match is None:
        return None
    family, region, voice, quality = match.groups()
    code = f"{family}_{region.upper()}"
    path = f"{family}/{code}/{voice}/{quality}/{code}-{voice}-{quality}.onnx"
    return CatalogEntry(
        name=name,
        repo=PIPER_REPO,
        revision="main",
        size_mb=_PIPER_MB[quality],
        ram_mb=2 * _PIPER_MB[quality],
        languages=(family,),
        rank=_PIPER_RANKS[quality],
        description=f"A Piper voice for {code}.",
        licence="",
        engine="piper",
        kind="synthesizer",
        files=(path, path + ".json"),
    )


def built_in(name: str) -> BuiltIn | None:
    return next((model for model in BUILT_IN if model.name == name), None)


def nearest(name: str) -> list[str]:
    """Up to three names of the catalogue that `name` may have been meant for, the nearest first."""
    spellings = {spelling: entry.name for entry in catalog() for spelling in (entry.name, *entry.aliases)}
    found = difflib.get_close_matches(name.lower(), spellings, n=6, cutoff=0.5)
    return list(dict.fromkeys(spellings[spelling] for spelling in found))[:3]


def rank_by_size(size_bytes: int, kind: str = "recognizer") -> int:
    """A rank for a model that is not in the catalogue: that of the best known model that is not larger."""
    known = (entry for entry in catalog() if entry.kind == kind)
    return max((entry.rank for entry in known if entry.size_bytes <= size_bytes * 1.1), default=1)


def _entry(table: dict[str, Any], languages: dict[str, str]) -> CatalogEntry:
    if table.get("engine") == "piper":
        return _piper_entry(table)
    fields = dict(table)
    fields["languages"] = _languages(languages, fields["languages"])
    fields["aliases"] = tuple(fields.get("aliases", ()))
    fields["files"] = tuple(fields.get("files", ()))
    return CatalogEntry(**fields)


def _piper_entry(table: dict[str, Any]) -> CatalogEntry:
    """Its name says the rest."""
    found = piper_voice(table["name"])
    if found is None:
        raise ValueError(table["name"])
    return replace(found, **table)


def _languages(tables: dict[str, str], key: str) -> tuple[str, ...]:
    codes: list[str] = []
    for word in tables[key].split():
        codes.extend(_languages(tables, word[1:]) if word.startswith("@") else [word])
    return tuple(codes)
