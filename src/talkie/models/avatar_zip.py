"""A zip of an avatar pack, unpacked into a directory. What comes is not trusted, and nothing of it is looked at here.

Names that leave the place, links, devices, doubles, encryption, too many entries, and content that expands without
measure are refused: first by what the zip says of itself, then by what really comes out of it.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, TypeAlias

from talkie.errors import BadAvatar, StoreFull
from talkie.models.avatar_check import MAX_DEPTH, MAX_FILES, MAX_PACK_BYTES
from talkie.models.avatar_table import CARD, TABLE, is_inside, name_fault
from talkie.models.files import free_bytes, is_full, is_plain_file

ZIP = "pack.zip"
MAX_ZIP_BYTES = 1024 * 1024 * 1024
MAX_RATIO = 200
RATIO_FREE_BYTES = 16 * 1024 * 1024
"""Up to here a file may expand as it likes: a table or a black picture does."""
SPARE_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
NAMELESS = ".pack"
Members: TypeAlias = dict[PurePosixPath, zipfile.ZipInfo]
_LEFT_OUT = (CARD, "__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_NOT_A_ZIP = "it is no zip, or is damaged."
_DAMAGED = (zipfile.BadZipFile, EOFError, zlib.error, struct.error, NotImplementedError, RuntimeError, ValueError)


def save_zip(source: IO[bytes], target: Path) -> None:
    """The bytes of an upload to disk, bounded. Raises `BadAvatar`, `StoreFull`."""
    left = MAX_ZIP_BYTES
    with target.open("xb") as out:
        while data := source.read(CHUNK_BYTES):
            left -= len(data)
            if left < 0:
                raise BadAvatar(ZIP, f"it is larger than {MAX_ZIP_BYTES / 1e9:.1f} GB.")
            _need_room(target.parent, len(data))
            out.write(data)


def unpack(source: Path, place: Path) -> Path:
    """Everything of the zip into a new directory of `place`, which is named as the one that the zip may have around
    all its files. Raises `BadAvatar`, `StoreFull`."""
    try:
        with zipfile.ZipFile(source) as archive:
            root, members = _without_root(_admitted(archive))
            stage = place / (NAMELESS if name_fault(root) else root)
            stage.mkdir(mode=0o700)
            _need_room(place, sum(info.file_size for info in members.values()))
            for path, info in members.items():
                with archive.open(info) as file:
                    _copy(file, stage / path, info.file_size)
            return stage
    except OSError as error:
        if is_full(error):
            raise StoreFull(SPARE_BYTES, free_bytes(place), str(place)) from None
        raise BadAvatar(ZIP, _NOT_A_ZIP) from None
    except _DAMAGED:
        raise BadAvatar(ZIP, _NOT_A_ZIP) from None


def _admitted(archive: zipfile.ZipFile) -> Members:
    """The files by where they go. Raises `BadAvatar` for a zip with anything in it that no pack has."""
    infos = archive.infolist()
    if len(infos) > 2 * MAX_FILES:
        raise BadAvatar(ZIP, f"it holds {len(infos)} entries; a pack may have {MAX_FILES}.")
    files: Members = {}
    seen: set[str] = set()
    total_bytes = 0
    for info in infos:
        path = _checked(info)
        if str(path).casefold() in seen:
            raise BadAvatar(ZIP, f"{info.filename[:80]!r} is in it twice.")
        seen.add(str(path).casefold())
        total_bytes += info.file_size
        if total_bytes > MAX_PACK_BYTES:
            raise BadAvatar(ZIP, f"it unpacks to more than {MAX_PACK_BYTES / 1e9:.1f} GB.")
        if not info.is_dir() and not any(part in _LEFT_OUT or part.startswith("._") for part in path.parts):
            files[path] = info
    if len(files) > MAX_FILES:
        raise BadAvatar(ZIP, f"it holds {len(files)} files; a pack may have {MAX_FILES}.")
    return files


def _checked(info: zipfile.ZipInfo) -> PurePosixPath:
    name = info.filename
    kind = stat.S_IFMT(info.external_attr >> 16)
    if not is_inside(name) or name != info.orig_filename:
        raise BadAvatar(ZIP, f"the name {name[:80]!r} in it leads out of it, or is none.")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise BadAvatar(ZIP, f"{name[:80]!r} is a link or a device.")
    if info.flag_bits & 1:
        raise BadAvatar(ZIP, "it is encrypted.", hint="Make it without a password.")
    if info.compress_type not in _METHODS:
        raise BadAvatar(ZIP, f"{name[:80]!r} is packed in a way that is not read.", hint="Deflate, or stored.")
    if info.file_size > RATIO_FREE_BYTES and info.file_size > MAX_RATIO * max(1, info.compress_size):
        raise BadAvatar(ZIP, f"{name[:80]!r} expands more than {MAX_RATIO} times.")
    path = PurePosixPath(name)
    if len(path.parts) > MAX_DEPTH + 1:
        raise BadAvatar(ZIP, f"{name[:80]!r} lies deeper than {MAX_DEPTH} directories.")
    return path


def _without_root(files: Members) -> tuple[str, Members]:
    """Most people zip a directory, and the table is then in it: that directory's name, and what is in it."""
    if PurePosixPath(TABLE) in files:
        return "", files
    roots = {path.parts[0] for path in files}
    if len(roots) == 1 and PurePosixPath(root := roots.pop(), TABLE) in files:
        return root, {PurePosixPath(*path.parts[1:]): info for path, info in files.items()}
    raise BadAvatar(TABLE, "it is missing.", hint="Zip the directory that avatar.toml is in, and nothing above it.")


def _copy(source: IO[bytes], target: Path, size_bytes: int) -> None:
    """At most as much as was said."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    left = size_bytes
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        while data := source.read(min(CHUNK_BYTES, left + 1)):
            left -= len(data)
            if left < 0:
                raise BadAvatar(ZIP, f"{target.name[:80]!r} is larger than it claims.")
            out.write(data)
        out.flush()
        os.fsync(out.fileno())
    if left:
        raise BadAvatar(ZIP, f"{target.name[:80]!r} is cut off.")


def zip_directory(source: Path, target: Path) -> None:
    """A pack that lies in a directory, stored as it is. Raises `BadAvatar` for what is no plain file, `StoreFull`."""
    paths = sorted(path for path in source.rglob("*") if path.is_symlink() or not path.is_dir())[: MAX_FILES + 1]
    _need_room(target.parent, sum(path.lstat().st_size for path in paths))
    with zipfile.ZipFile(target, "x", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
        for path in paths:
            if not is_plain_file(path):  # a link would lead out of it, a pipe would be waited for
                raise BadAvatar(str(path.relative_to(source)), "it is a link or a device; a pack holds plain files.")
            archive.write(path, source.resolve().name / path.relative_to(source))


def _need_room(place: Path, size_bytes: int) -> None:
    free = free_bytes(place)
    if size_bytes + SPARE_BYTES > free:
        raise StoreFull(size_bytes + SPARE_BYTES, free, str(place.parent))
