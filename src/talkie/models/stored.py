"""A model as it lies on disk: found, described, and quickly checked (names and sizes; hashes are `verify`'s).

Knows nothing of locks and networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from talkie.errors import ModelBroken, ModelNotFound
from talkie.models import catalog, layout, manifest
from talkie.models.files import directory_size_bytes, is_plain_file
from talkie.models.manifest import Manifest

VERIFIED, UNVERIFIED, BROKEN, BUILT_IN = "verified", "unverified", "broken", "built-in"


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model that can be used now.

    `source` is `hf:owner/repo`, `import`, `hand-made`, `path` or `built-in`; `state` one of the four words above
    ("verified" has a manifest whose files are all there); `rank` orders quality, higher is better; `problem` says
    what is wrong when the state is "broken". A built-in model has no files: its path is empty.
    """

    name: str
    engine: str
    path: Path
    size_bytes: int
    languages: tuple[str, ...]
    licence: str = ""
    revision: str = ""
    source: str = ""
    state: str = VERIFIED
    rank: int = 0
    description: str = ""
    problem: str = ""

    @property
    def kind(self) -> str:
        return layout.KINDS.get(self.engine, "")

    @property
    def multilingual(self) -> bool:
        return len(self.languages) > 1


def built_in(model: catalog.BuiltIn) -> StoredModel:
    return StoredModel(
        model.name,
        model.engine,
        Path(),
        0,
        model.languages,
        model.licence,
        source=BUILT_IN,
        state=BUILT_IN,
        description=model.description,
    )


def load(directory: Path, name: str) -> StoredModel:
    """The model in a directory of the store. Raises `ModelNotFound` or `ModelBroken`."""
    try:
        return _load(directory, name)
    except OSError as error:
        if not directory.exists():  # removed while we looked
            raise ModelNotFound(name) from None
        raise ModelBroken(name, f"it cannot be read ({error.strerror}).") from None


def _load(directory: Path, name: str) -> StoredModel:
    if directory.is_symlink():
        raise ModelBroken(name, "it is a link; models in the store are directories. Use it by its path instead.")
    if not directory.is_dir():
        raise ModelNotFound(name)
    record = manifest.read(directory)
    if record is None:
        return from_directory(directory, name, source="hand-made")
    check_sizes(directory, record, name)
    if layout.layout_of(record.engine) is None:
        raise ModelBroken(name, f"its manifest names the engine {record.engine!r}, which is not known.")
    entry = catalog.find(name) or catalog.find_repo(record.source.removeprefix("hf:"))
    return StoredModel(
        name=name,
        engine=record.engine,
        path=directory,
        size_bytes=record.size_bytes,
        languages=record.languages,
        licence=record.licence,
        revision=record.revision,
        source=record.source,
        rank=entry.rank if entry else _rank(record.engine, record.size_bytes),
        description=entry.description if entry else "",
    )


def from_directory(directory: Path, name: str, *, source: str) -> StoredModel:
    """A model that somebody laid down by hand, judged by its files alone. Raises `ModelBroken`."""
    found = layout.inspect(directory, thorough=False)
    size_bytes = sum(file.stat().st_size for file in directory.iterdir() if found.allows(file.name) and file.is_file())
    return StoredModel(
        name=name,
        engine=found.engine,
        path=directory,
        size_bytes=size_bytes,
        languages=layout.languages(directory),
        source=source,
        state=UNVERIFIED,
        rank=_rank(found.engine, size_bytes),
    )


def _rank(engine: str, size_bytes: int) -> int:
    return catalog.rank_by_size(size_bytes, layout.KINDS.get(engine, ""))


def broken(directory: Path, name: str, problem: str) -> StoredModel:
    size_bytes = 0 if directory.is_symlink() else directory_size_bytes(directory)
    return StoredModel(name, "", directory, size_bytes, (), state=BROKEN, problem=problem)


def check_sizes(directory: Path, record: Manifest, name: str) -> None:
    """Every file of the manifest is there, plain, and as large as it should be. Raises `ModelBroken`."""
    for entry in record.files:
        path = directory / entry.path
        if not is_plain_file(path):
            raise ModelBroken(name, f"{entry.path} is missing, or is not a plain file.")
        size_bytes = path.stat().st_size
        if size_bytes != entry.size_bytes:
            raise ModelBroken(name, f"{entry.path} has {size_bytes} bytes in place of {entry.size_bytes}.")
