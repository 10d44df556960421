"""Models in and out without a network: a directory, zip or tar comes in; a zip with its manifest goes out.

What comes in is not trusted: names that leave the place, links, devices, encrypted or too many entries and content
that expands without measure are refused, and only files a model has are taken at all. Nothing is loaded.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from talkie.errors import ImportFailed, ModelBroken, ModelExists, StoreFull
from talkie.models import catalog, layout, manifest
from talkie.models.files import free_bytes, is_full, sha256_file
from talkie.models.lock import pulling, removing
from talkie.models.manifest import MANIFEST_FILE, FileEntry, Manifest
from talkie.models.name import suggest_name
from talkie.models.pull import SPARE_BYTES, now, publish

MAX_ENTRIES = 1000
MAX_RATIO = 100
RATIO_FREE_BYTES = 16 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
_ARCHIVE_ERRORS = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, NotImplementedError)
_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")

Step = Callable[[int, str], None]
"""Called with bytes done and the name of the file being copied."""


@dataclass(slots=True)
class Intake:
    """Files on their way into a stage: allow-listed, counted, bounded."""

    what: str
    stage: Path
    step: Step
    folder: PurePosixPath | None = None
    skipped: list[str] = field(default_factory=list)
    entries: int = 0
    declared_bytes: int = 0
    copied_bytes: int = 0

    def admit(self, name: str, size_bytes: int) -> Path | None:
        """Where an entry goes, or None when it is no file of a model. Raises `ImportFailed` for a hostile one."""
        path = safe_path(name, self.what)
        self.entries += 1
        self.declared_bytes += size_bytes
        if self.entries > MAX_ENTRIES:
            raise ImportFailed(self.what, f"it holds more than {MAX_ENTRIES} files.")
        if self.declared_bytes > layout.MAX_MODEL_BYTES:
            raise ImportFailed(self.what, f"it unpacks to more than {layout.MAX_MODEL_BYTES / 1e9:g} GB.")
        if not (path.name == MANIFEST_FILE or layout.is_known(path.name)) or len(path.parts) > 3:
            self.skipped.append(path.name)
            return None
        self.folder = self.folder or path.parent
        target = self.stage / path.name
        if path.parent != self.folder or target.exists():
            raise ImportFailed(self.what, "it holds more than one model.")
        return target

    def copy(self, source: IO[bytes], target: Path, size_bytes: int) -> None:
        """At most `size_bytes` bytes, written through to the disk."""
        free = free_bytes(self.stage)
        if size_bytes + SPARE_BYTES > free:
            raise StoreFull(size_bytes + SPARE_BYTES, free, str(self.stage.parent.parent))
        left = size_bytes
        with target.open("xb") as out:
            while data := source.read(min(CHUNK_BYTES, left + 1)):
                left -= len(data)
                if left < 0:
                    raise ImportFailed(self.what, f"{target.name} is larger than it claims.")
                out.write(data)
                self.copied_bytes += len(data)
                self.step(self.copied_bytes, target.name)
            out.flush()
            os.fsync(out.fileno())
        if left:
            raise ImportFailed(self.what, f"{target.name} is cut off.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where imports go: the two directories of a store."""

    models: Path
    tmp: Path


def safe_path(name: str, what: str) -> PurePosixPath:
    """The path of an archive's entry. Raises `ImportFailed` for one that could leave the directory."""
    path = PurePosixPath(name)
    windows_root = len(name) > 1 and name[1] == ":"
    if path.is_absolute() or windows_root or "\\" in name or not name.isprintable() or ".." in path.parts:
        raise ImportFailed(what, f"the name {name[:80]!r} in it leads out of it.")
    return path


def import_model(source: Path, place: Place, name: str | None, step: Step) -> tuple[str, list[str]]:
    """Bring a model in. Returns its name and the names of the files that were left out."""
    what = source.name
    if not source.exists():
        raise ImportFailed(what, "there is no such file or directory.")
    with _stage(place.tmp) as stage:
        intake = Intake(what, stage, step)
        try:
            _take(source, intake)
        except OSError as error:
            if is_full(error):
                raise StoreFull(intake.declared_bytes, free_bytes(stage), str(place.tmp.parent)) from None
            raise ImportFailed(what, f"{error.strerror or type(error).__name__}.") from None
        record = _record(intake, name or "", source)
        with pulling(place.tmp, record.name, lambda: None):
            target = place.models / record.name
            if target.exists() or target.is_symlink():
                raise ModelExists(record.name)
            manifest.write(stage, record)
            publish(stage, target, place.tmp)
    return record.name, intake.skipped


def _take(source: Path, intake: Intake) -> None:
    try:
        if source.is_dir():
            _take_directory(source, intake)
        elif zipfile.is_zipfile(source):
            _take_zip(source, intake)
        elif tarfile.is_tarfile(source):
            _take_tar(source, intake)
        else:
            raise ImportFailed(intake.what, "it is neither a directory nor a zip or tar.")
    except _ARCHIVE_ERRORS:
        raise ImportFailed(intake.what, "the archive is damaged.") from None


def _take_directory(source: Path, intake: Intake) -> None:
    roots = [source.resolve()]
    if roots[0].parent.name == "snapshots":  # the hub's cache: a snapshot is links into the repository's blobs
        roots.append(roots[0].parent.parent / "blobs")
    for path in sorted(source.iterdir()):
        if path.is_dir():
            continue
        target = intake.admit(path.name, path.stat().st_size)
        if target is None:
            continue
        if not any(path.resolve().is_relative_to(root) for root in roots):
            raise ImportFailed(intake.what, f"{path.name} is a link that leads out of it.")
        if not path.is_file():  # before opening: a pipe would be waited for
            raise ImportFailed(intake.what, f"{path.name} is not a plain file.")
        with path.open("rb") as file:
            intake.copy(file, target, os.fstat(file.fileno()).st_size)


def _take_zip(source: Path, intake: Intake) -> None:
    with zipfile.ZipFile(source) as archive:
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise ImportFailed(intake.what, f"{info.filename[:80]!r} is a link or device.")
            if info.flag_bits & 1:
                raise ImportFailed(intake.what, "it is encrypted.")
            if info.file_size > RATIO_FREE_BYTES and info.file_size > MAX_RATIO * max(1, info.compress_size):
                raise ImportFailed(intake.what, f"{info.filename[:80]!r} expands more than {MAX_RATIO} times.")
            target = intake.admit(info.filename, info.file_size)
            if target is not None and not info.is_dir():
                with archive.open(info) as file:
                    intake.copy(file, target, info.file_size)


def _take_tar(source: Path, intake: Intake) -> None:
    limit_bytes = RATIO_FREE_BYTES + MAX_RATIO * source.stat().st_size
    with tarfile.open(source, "r|*") as archive:
        for member in archive:
            if not (member.isfile() or member.isdir()):
                raise ImportFailed(intake.what, f"{member.name[:80]!r} is a link or device.")
            target = intake.admit(member.name, member.size)
            if intake.declared_bytes > limit_bytes:
                raise ImportFailed(intake.what, f"it expands more than {MAX_RATIO} times.")
            file = archive.extractfile(member) if target is not None else None
            if target is not None and file is not None:
                intake.copy(file, target, member.size)


def _record(intake: Intake, name: str, source: Path) -> Manifest:
    """The manifest of what came in: its own, checked, or a new one. Raises `ImportFailed`."""
    try:
        carried = manifest.read(intake.stage)
        (intake.stage / MANIFEST_FILE).unlink(missing_ok=True)
        found = layout.inspect(intake.stage)
        languages = layout.languages(intake.stage)
        _drop_foreign(intake, found)
    except ModelBroken as error:
        detail = error.message.partition(" is damaged: ")[2] or error.message
        raise ImportFailed(intake.what, detail) from None
    files = tuple(
        FileEntry(path.name, path.stat().st_size, sha256_file(path)) for path in layout.present(intake.stage, found)
    )
    if carried is not None and set(carried.files) != set(files):
        raise ImportFailed(intake.what, "its files are not those of its manifest (wrong checksum).")
    known = _known(files)
    return Manifest(
        name=name or (suggest_name(carried.name) if carried else _guess_name(source)),
        engine=found.engine,
        files=files,
        languages=languages,
        licence=carried.licence if carried else (known.licence if known else ""),
        source=(carried.source if carried else "") or (known.source if known else "import"),
        revision=carried.revision if carried else "",
        made_at=now(),
    )


def _drop_foreign(intake: Intake, found: layout.Layout) -> None:
    """Files that another engine's models have."""
    for path in list(intake.stage.iterdir()):
        if not found.allows(path.name):
            path.unlink()
            intake.skipped.append(path.name)


def _known(files: tuple[FileEntry, ...]) -> catalog.CatalogEntry | None:
    """The catalogue's entry with the very same weights."""
    digests = {entry.sha256 for entry in files}
    return next((entry for entry in catalog.catalog() if entry.sha256 in digests), None)


def _guess_name(source: Path) -> str:
    """From the hub's cache its repository, else the directory's or archive's own name."""
    path = source.resolve()
    if path.parent.name == "snapshots":
        _, _, repo_id = path.parent.parent.name.partition("--")
        entry = catalog.find_repo(repo_id.replace("--", "/"))
        return entry.name if entry else suggest_name(repo_id.rpartition("--")[2])
    stem = path.name
    for suffix in _SUFFIXES:
        stem = stem.removesuffix(suffix)
    return suggest_name(stem)


@contextmanager
def _stage(tmp: Path) -> Iterator[Path]:
    """A directory under `tmp` that is gone afterwards, unless it was renamed away."""
    tmp.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix="import-", dir=tmp))
    path.chmod(0o755)
    try:
        with removing(path, path.name):
            yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def export_model(directory: Path, record: Manifest, target: Path, step: Step) -> None:
    """Write a zip of a model and its manifest, checking every file on the way. Raises `ModelBroken`, `StoreFull`."""
    free = free_bytes(target.parent)
    if record.size_bytes + SPARE_BYTES > free:
        raise StoreFull(record.size_bytes + SPARE_BYTES, free, str(target.parent))
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    done_bytes = 0
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
            for entry in record.files:
                _pack(archive, directory / entry.path, f"{record.name}/{entry.path}", entry)
                done_bytes += entry.size_bytes
                step(done_bytes, entry.path)
            archive.writestr(zipfile.ZipInfo(f"{record.name}/{MANIFEST_FILE}"), record.to_json())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _pack(archive: zipfile.ZipFile, source: Path, inside: str, entry: FileEntry) -> None:
    """One file into the archive, checked against its manifest as it goes."""
    digest = hashlib.sha256()
    with source.open("rb") as file, archive.open(zipfile.ZipInfo(inside), "w", force_zip64=True) as out:
        while data := file.read(CHUNK_BYTES):
            digest.update(data)
            out.write(data)
    if digest.hexdigest() != entry.sha256:
        raise ModelBroken(source.parent.name, f"{entry.path} has changed: its checksum is wrong.")
