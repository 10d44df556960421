"""Avatars that were added, as they lie under `<home>/avatars`: a directory each, which is the pack and a card.

Knows nothing of pictures or engines. An avatar belongs to an owner, the name of a key, and only that key sees it; one
of nobody (added on this machine, or laid there by hand) is seen by all and removed on this machine only. A name is
given once, whoever owns it. Private: nobody but the user of this process can read them.
"""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

from talkie.errors import AvatarExists, AvatarNotFound, BadAvatar, InvalidValue, StoreFull
from talkie.models.avatar_check import OpenNetworks, check_pack
from talkie.models.avatar_pack import AvatarPack, read_pack
from talkie.models.avatar_table import CARD, name_fault
from talkie.models.avatar_zip import SPARE_BYTES, ZIP, save_zip, unpack, zip_directory
from talkie.models.files import directory_size_bytes, free_bytes, is_full, is_plain_file, write_durably

MAX_CARD_BYTES = 4096
MOST = 256
STALE_S = 24 * 3600
_UNKNOWN = "\0"
"""The owner of one whose card is damaged: no key has such a name."""


@dataclass(frozen=True, slots=True)
class StoredAvatar:
    """`problem` says why it cannot be shown; `pack` is then None. `added_s` is Unix time, 0 where it is not known."""

    name: str
    directory: Path
    owner: str = ""
    pack: AvatarPack | None = None
    size_bytes: int = 0
    added_s: float = 0.0
    problem: str = ""


Avatars: TypeAlias = list[StoredAvatar]
Paths: TypeAlias = list[Path]


class AvatarStore:
    """The avatars under one home. Safe for threads and processes: an avatar appears and goes as a whole."""

    def __init__(self, home: Path) -> None:
        self.directory = Path(home).expanduser() / "avatars"

    def list(self, owner: str | None = None) -> Avatars:
        """Those that an owner sees, or (None) all, by name, the damaged ones too."""
        found = [_read(path) for path in self._directories()]
        return [one for one in found if _sees(owner, one)]

    def get(self, name: str, owner: str | None = None) -> StoredAvatar:
        """Its `pack` is there. Raises `AvatarNotFound`, also for one of somebody else; `BadAvatar`."""
        path = self._place(name)
        one = _read(path)
        if not _sees(owner, one):
            raise AvatarNotFound(name)
        if one.pack is None:
            read_pack(path, name)
            raise BadAvatar(name, one.problem)
        return one

    def add(
        self, source: IO[bytes] | Path, name: str = "", owner: str = "", open_networks: OpenNetworks | None = None
    ) -> StoredAvatar:
        """A pack as a zip or a directory, checked whole, and kept under `name`, or its own. Raises `BadAvatar`,
        `AvatarExists`, `StoreFull`, `InvalidValue` where there are too many."""
        if name and (fault := name_fault(name)):
            raise BadAvatar("name", fault)
        self._refuse_more(name)
        with self._making() as place:
            stage = _bring(source, place)
            pack, findings = check_pack(stage, open_networks, name=name)
            findings.refuse()
            assert pack is not None, "what is not there was found missing"
            return self._keep(stage, pack, owner)

    def remove(self, name: str, owner: str | None = None) -> None:
        """Raises `AvatarNotFound`, also for one of somebody else, or of nobody."""
        path = self._place(name)
        one = _read(path)
        if owner not in (None, one.owner):
            raise AvatarNotFound(name)
        with self._making() as place:
            try:
                path.rename(place / "gone")
            except OSError:
                raise AvatarNotFound(name) from None

    def _keep(self, stage: Path, pack: AvatarPack, owner: str) -> StoredAvatar:
        target = self.directory / pack.name
        card = {"owner": owner, "added_s": time.time(), "size_bytes": directory_size_bytes(stage)}
        with _disk(stage):
            write_durably(stage / CARD, json.dumps(card).encode())
            (stage / CARD).chmod(0o600)
        try:
            stage.rename(target)  # of two at once the second finds a directory that is not empty
        except OSError:
            raise AvatarExists(pack.name) from None
        return _read(target)

    def _refuse_more(self, name: str) -> None:
        there = self._directories()
        if name and any(path.name == name for path in there):
            raise AvatarExists(name)
        if len(there) >= MOST:
            raise InvalidValue(
                "name", f"There are {MOST} avatars, and there may be no more.", hint="`talkie avatar remove NAME`."
            )

    @contextmanager
    def _making(self) -> Iterator[Path]:
        """A directory beside the avatars that is gone afterwards, and what a kill left of older ones with it."""
        place = self.directory / f".making-{secrets.token_hex(8)}"
        with _disk(self.directory):
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            place.mkdir(mode=0o700)
        try:
            for old in self.directory.glob(".making-*"):
                with suppress(OSError):
                    if time.time() - old.stat().st_mtime > STALE_S:
                        shutil.rmtree(old, ignore_errors=True)
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _place(self, name: str) -> Path:
        if name_fault(name) or not _is_directory(self.directory / name):
            raise AvatarNotFound(name)
        return self.directory / name

    def _directories(self) -> Paths:
        try:
            return sorted(
                path for path in self.directory.iterdir() if not name_fault(path.name) and _is_directory(path)
            )
        except OSError:
            return []


def _bring(source: IO[bytes] | Path, place: Path) -> Path:
    """The directory of the pack, in `place`. Whatever it is goes the way of a zip, so that there is one gate."""
    zipped = place / ZIP
    with _disk(place):
        if not isinstance(source, Path):
            save_zip(source, zipped)
        elif source.is_dir():
            zip_directory(source, zipped)
        elif source.is_file():
            with source.open("rb") as file:
                save_zip(file, zipped)
        else:
            raise BadAvatar(source.name, "there is no such file or directory.")
        stage = unpack(zipped, place)
    zipped.unlink()
    return stage


@contextmanager
def _disk(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        raise StoreFull(SPARE_BYTES, free_bytes(place), str(place.parent)) from None


def _is_directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _sees(owner: str | None, one: StoredAvatar) -> bool:
    return owner is None or one.owner in ("", owner)


def _read(path: Path) -> StoredAvatar:
    card = _card(path / CARD)
    owner = card.get("owner", "")
    if not isinstance(owner, str):
        return StoredAvatar(path.name, path, owner=_UNKNOWN, problem="its card is damaged.")
    size_bytes, added_s = card.get("size_bytes"), card.get("added_s", 0.0)
    size_bytes = size_bytes if isinstance(size_bytes, int) else directory_size_bytes(path)
    added_s = float(added_s) if isinstance(added_s, (int, float)) else 0.0
    try:
        pack = read_pack(path, path.name)
    except BadAvatar as error:
        return StoredAvatar(path.name, path, owner, None, size_bytes, added_s, f"{error.where}: {error.detail}")
    return StoredAvatar(path.name, path, owner, pack, size_bytes, added_s)


def _card(path: Path) -> dict[str, object]:
    """What cannot be read belongs to nobody who could ask for it."""
    if not path.exists() and not path.is_symlink():
        return {}
    try:
        if is_plain_file(path) and path.stat().st_size <= MAX_CARD_BYTES:
            values = json.loads(path.read_bytes())
            if isinstance(values, dict):
                return values
    except (OSError, ValueError, RecursionError):
        pass
    return {"owner": None}
