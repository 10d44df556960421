"""Fetching a model: bytes into a stage under `tmp`, each checked, then one rename into `models`.

A stage is named by the model and holds `parts/`, named by content, and `ready/`, the directory to be. A kill at any
moment leaves a stage that the next pull goes on with, and a `models` that never saw anything unfinished. Knows nothing
of where a name came from; what may be fetched is `layout`'s word.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from talkie.errors import ModelBroken, PullFailed, StoreFull
from talkie.models import layout, manifest
from talkie.models.files import (
    discard,
    displace,
    free_bytes,
    is_full,
    is_plain_file,
    rename_durably,
    sha256_file,
    sync_directory,
)
from talkie.models.hub import Hub, RemoteFile, RemoteRepo, TransientFailure
from talkie.models.lock import removing

Progress: TypeAlias = Callable[[int, int, str], None]
"""Called with bytes done, bytes in all, and the name of the file that is being fetched."""

SPARE_BYTES = 32 * 1024 * 1024
"""What a pull leaves free on the disk."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to fetch, and what is known of it beforehand. `weights_sha256` pins the weights when not empty; `files` are
    the paths of its files in the repository, empty: all that such a model has, at the repository's top."""

    name: str
    repo_id: str
    revision: str
    source: str
    licence: str = ""
    languages: tuple[str, ...] = ()
    weights_sha256: str = ""
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a broken connection is tried again without a new byte, and the first pause; it doubles."""

    retries: int = 5
    pause_s: float = 0.5


@dataclass(slots=True)
class Pull:
    """One pull at work. The caller holds the pull lock of `wanted.name`."""

    hub: Hub
    wanted: Wanted
    models: Path
    tmp: Path
    progress: Progress
    patience: Patience = field(default_factory=Patience)
    _done_bytes: int = 0
    _total_bytes: int = 0

    @property
    def stage(self) -> Path:
        return self.tmp / "pull" / self.wanted.name

    @property
    def ready(self) -> Path:
        return self.stage / "ready"

    @property
    def parts(self) -> Path:
        return self.stage / "parts"

    def run(self) -> None:
        """Fetch, check, publish. Raises `PullFailed`, `StoreFull`, `ModelInUse`."""
        repo = self._again(lambda: self.hub.describe(self.wanted.repo_id, self.wanted.revision))
        files = select(self.wanted, repo)
        self.ready.mkdir(parents=True, exist_ok=True)
        self.parts.mkdir(exist_ok=True)
        self._drop_foreign(files)
        self._check_room(files)
        try:
            for file in files:
                if not (self.ready / file.path).exists():
                    self._fetch(repo, file)
            self._finish(repo, files)
        except OSError as error:
            if not is_full(error):
                raise
            self._give_up_for_room()

    def _drop_foreign(self, files: list[RemoteFile]) -> None:
        """Keep only what belongs to this revision: finished files that are right, and parts of wanted content."""
        wanted = {file.path: file for file in files}
        for path in self.ready.iterdir():
            file = wanted.get(path.name)
            if file is None or not is_right(path, file):
                path.unlink()
        sizes = {file.digest: file.size_bytes for file in files}
        for path in self.parts.iterdir():
            if path.stat().st_size > sizes.get(path.name, -1):
                path.unlink()

    def _check_room(self, files: list[RemoteFile]) -> None:
        self._total_bytes = sum(file.size_bytes for file in files)
        have = [path.stat().st_size for folder in (self.ready, self.parts) for path in folder.iterdir()]
        self._done_bytes = sum(have)
        need = self._total_bytes - self._done_bytes
        free = free_bytes(self.stage)
        if need and need + SPARE_BYTES > free:
            raise StoreFull(need + SPARE_BYTES, free, str(self.tmp.parent))

    def _fetch(self, repo: RemoteRepo, file: RemoteFile) -> None:
        """One file, whole and right, into `ready`. A part that went bad is thrown away and fetched afresh, once."""
        part = self.parts / file.digest
        resumed = part.exists() and part.stat().st_size > 0
        if not self._download(repo, file, part):
            self._forget(part)
            if not resumed or not self._download(repo, file, part):
                part.unlink(missing_ok=True)
                raise PullFailed(self.wanted.name, f"{file.path} is not what the hub says it is (wrong checksum).")
        rename_durably(part, self.ready / file.path)

    def _download(self, repo: RemoteRepo, file: RemoteFile, part: Path) -> bool:
        """Bytes into `part` until it is as large as it should be. True when its hash is right."""
        with part.open("r+b" if part.exists() else "w+b") as out:
            sink = Sink(out, file)
            self._again(lambda: self._stream(repo, file, sink), lambda: sink.size_bytes)
            out.flush()
            os.fsync(out.fileno())
        return sink.is_right()

    def _stream(self, repo: RemoteRepo, file: RemoteFile, sink: Sink) -> None:
        if sink.size_bytes == file.size_bytes:
            return
        with self.hub.open(repo, file, sink.size_bytes) as pieces:
            for piece in pieces:
                before = sink.size_bytes
                if piece.position != before:  # the server sends all of it again
                    sink.restart()
                if sink.size_bytes + len(piece.data) > file.size_bytes:
                    raise PullFailed(self.wanted.name, f"the hub sends more of {file.path} than it said.")
                sink.write(piece.data)
                self._done_bytes += sink.size_bytes - before
                self.progress(self._done_bytes, self._total_bytes, file.path)
        if sink.size_bytes < file.size_bytes:
            raise TransientFailure("the connection ended early")

    def _again(self, work: Callable[[], Any], position: Callable[[], int] = lambda: 0) -> Any:
        """Do it until it succeeds, or fails `retries` times in a row without a step forward."""
        tries, reached = 0, position()
        while True:
            try:
                return work()
            except TransientFailure as failure:
                tries = 0 if position() > reached else tries + 1
                reached = position()
                if tries > self.patience.retries:
                    raise PullFailed(self.wanted.name, f"the hub cannot be reached ({failure}).") from None
                time.sleep(self.patience.pause_s * 2**tries)

    def _forget(self, part: Path) -> None:
        self._done_bytes -= part.stat().st_size
        part.unlink()

    def _finish(self, repo: RemoteRepo, files: list[RemoteFile]) -> None:
        """Check that it is a model, write its manifest, and let it appear."""
        try:
            found = layout.inspect(self.ready)
        except ModelBroken as error:
            discard(self.stage, self.tmp)
            raise PullFailed(self.wanted.name, error.message, hint="It was not kept.") from None
        entries = (
            manifest.FileEntry(file.path, file.size_bytes, file.sha256 or sha256_file(self.ready / file.path))
            for file in files
        )
        record = manifest.Manifest(
            name=self.wanted.name,
            engine=found.engine,
            files=tuple(entries),
            languages=self.wanted.languages or layout.languages(self.ready),
            licence=self.wanted.licence or repo.licence,
            source=self.wanted.source,
            revision=repo.commit,
            made_at=now(),
        )
        manifest.write(self.ready, record)
        publish(self.ready, self.models / self.wanted.name, self.tmp)
        shutil.rmtree(self.stage, ignore_errors=True)

    def _give_up_for_room(self) -> None:
        """The disk filled up under us: give the room back, say how much is needed."""
        shutil.rmtree(self.stage, ignore_errors=True)
        raise StoreFull(self._total_bytes + SPARE_BYTES, free_bytes(self.tmp), str(self.tmp.parent)) from None


class Sink:
    """A part on disk with the hash of what is in it, kept up as bytes come in."""

    def __init__(self, out: BinaryIO, file: RemoteFile) -> None:
        self._out = out
        self._file = file
        self.restart(keep=True)

    def restart(self, *, keep: bool = False) -> None:
        self._out.seek(0)
        if not keep:
            self._out.truncate()
        self._hash = new_hash(self._file)
        self.size_bytes = 0
        while data := self._out.read(1 << 20):
            self._hash.update(data)
            self.size_bytes += len(data)

    def write(self, data: bytes) -> None:
        self._out.write(data)
        self._hash.update(data)
        self.size_bytes += len(data)

    def is_right(self) -> bool:
        return bool(self._hash.hexdigest() == (self._file.sha256 or self._file.git_sha1))


def new_hash(file: RemoteFile) -> Any:
    """SHA-256, or for small files git's own: SHA-1 over `blob SIZE NUL` and the content."""
    if file.sha256:
        return hashlib.sha256()
    return hashlib.sha1(b"blob %d\0" % file.size_bytes, usedforsecurity=False)


def is_right(path: Path, file: RemoteFile) -> bool:
    if not is_plain_file(path) or path.stat().st_size != file.size_bytes:
        return False
    with path.open("rb") as content:
        return Sink(content, file).is_right()


def select(wanted: Wanted, repo: RemoteRepo) -> list[RemoteFile]:
    """The files to fetch, small ones first so that a wrong repository shows early. Raises `PullFailed`."""
    offered = [_lifted(file) for file in repo.files if file.path in wanted.files] if wanted.files else repo.files
    shape = layout.detect(file.path for file in offered)
    if shape is None:
        raise PullFailed(
            wanted.name,
            f"{repo.repo_id}: {layout.missing(file.path for file in offered)}",
            hint="Look for a repository with model.bin, often named faster-whisper-..., or with one voice's files.",
        )
    files = list({file.path: file for file in offered if shape.allows(file.path)}.values())
    weights = [file for file in files if fnmatchcase(file.path, shape.weights)]
    if len(weights) != 1:
        raise PullFailed(wanted.name, f"{repo.repo_id} has {len(weights)} files of weights; a model has one.")
    if wanted.weights_sha256 and weights[0].sha256 != wanted.weights_sha256:
        raise PullFailed(wanted.name, f"{weights[0].path} on the hub is not the one in the catalogue (wrong checksum).")
    if sum(file.size_bytes for file in files) > layout.MAX_MODEL_BYTES:
        raise PullFailed(wanted.name, f"it is larger than {layout.MAX_MODEL_BYTES / 1e9:g} GB.")
    return sorted(files, key=lambda file: file.size_bytes)


def _lifted(file: RemoteFile) -> RemoteFile:
    """A file of a folder, to be kept without the folder."""
    folder, slash, name = file.path.rpartition("/")
    return replace(file, path=name, folder=folder + slash)


def publish(ready: Path, target: Path, tmp: Path) -> None:
    """Let a finished directory appear under its name, in place of what was there. Raises `ModelInUse`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    sync_directory(ready)
    trash = None
    if target.is_symlink() or target.exists():
        with removing(target, target.name):
            trash = displace(target, tmp)
            rename_durably(ready, target)
    else:
        rename_durably(ready, target)
    if trash is not None:
        shutil.rmtree(trash, ignore_errors=True)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
