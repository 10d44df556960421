"""Files on disk, done safely: hashes, durable writes, renames that are whole or not at all, removal.

Knows nothing of models. "Durable" means that the bytes and the directory entry survive a power cut.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import uuid
from pathlib import Path

FULL_DISK_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a write says when there is no room: disk, quota, or the limit on the size of one file."""


def sha256_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def free_bytes(path: Path) -> int:
    """Bytes that may still be written where `path` is or would be."""
    return shutil.disk_usage(_nearest(path)).free


def can_write(path: Path) -> bool:
    """Whether this user may write where `path` is or would be; a mount that is read-only says no to everybody."""
    return os.access(_nearest(path), os.W_OK | os.X_OK)


def can_keep(path: Path) -> bool:
    """Whether this user may write into a directory, which is made where there is none."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return can_write(path)


def is_full(error: OSError) -> bool:
    return error.errno in FULL_DISK_ERRNOS


def is_plain_file(path: Path) -> bool:
    """True for a regular file that is not reached through a link."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, data: bytes) -> None:
    """The whole file or none of it, at `path`, replacing what was there."""
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    sync_directory(path.parent)


def rename_durably(source: Path, target: Path) -> None:
    """Rename on one volume, with both directories written through."""
    source.rename(target)
    sync_directory(target.parent)
    sync_directory(source.parent)


def displace(path: Path, tmp: Path) -> Path | None:
    """Take a directory, file or link away at once. A directory is returned in its new place, to be removed there."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return None
    tmp.mkdir(parents=True, exist_ok=True)
    trash = tmp / f"trash-{uuid.uuid4().hex[:12]}"
    rename_durably(path, trash)
    return trash


def discard(path: Path, tmp: Path) -> None:
    """Remove a file, link or directory: it disappears at once, then its bytes go."""
    trash = displace(path, tmp)
    if trash is not None:
        shutil.rmtree(trash, ignore_errors=True)


def sweep_trash(tmp: Path) -> None:
    """Finish removals that a kill interrupted."""
    for trash in tmp.glob("trash-*"):
        shutil.rmtree(trash, ignore_errors=True)


def directory_size_bytes(path: Path) -> int:
    """The bytes of the files in a directory; links, and what goes away meanwhile, count nothing."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with contextlib.suppress(OSError):
                status = (Path(folder) / name).lstat()
                total += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return total


def on_one_volume(first: Path, second: Path) -> bool:
    """True when a rename leads from one to the other; of what is not there yet, the nearest directory counts."""
    return _nearest(first).stat().st_dev == _nearest(second).stat().st_dev


def _nearest(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
