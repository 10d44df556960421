"""Who keeps the avatars: the store on this machine, or a server somewhere. Knows nothing of options or tables."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from talkie.errors import AnswerError, BadAvatar, UnreadableFile
from talkie.runtime.face import AvatarCard

if TYPE_CHECKING:
    from talkie.avatar_client import AvatarClient
    from talkie.runtime.service import Service
    from talkie.settings import Settings
    from talkie.types import Picture


class Keeper(Protocol):
    def avatars(self) -> Sequence[AvatarCard]: ...

    def add(self, pack: Path, name: str) -> str:
        """A directory or a zip; the name it has got. Raises `BadAvatar`, `AvatarExists`, `StoreFull`."""
        ...

    def remove(self, name: str) -> None: ...

    def picture(self, name: str) -> Picture: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class LocalKeeper:
    """The service in this process."""

    service: Service

    def avatars(self) -> Sequence[AvatarCard]:
        return self.service.avatars()

    def add(self, pack: Path, name: str) -> str:
        with zipped(pack) as file:
            return self.service.add_avatar(file, name=name).name

    def remove(self, name: str) -> None:
        self.service.remove_avatar(name)

    def picture(self, name: str) -> Picture:
        return self.service.avatar_picture(name)

    def close(self) -> None:
        self.service.close()


@dataclass(frozen=True, slots=True)
class RemoteKeeper:
    """A server."""

    client: AvatarClient

    def avatars(self) -> Sequence[AvatarCard]:
        return [_card(entry, self.client.url) for entry in self.client.avatars()]

    def add(self, pack: Path, name: str) -> str:
        with zipped(pack) as file:
            return str(self.client.add_avatar(file, name)["id"])

    def remove(self, name: str) -> None:
        self.client.remove_avatar(name)

    def picture(self, name: str) -> Picture:
        from talkie.video.source import read_picture

        with tempfile.TemporaryDirectory(prefix="talkie-avatar-") as place:
            file = Path(place, "rest.jpg")
            file.write_bytes(self.client.picture(name))
            try:
                return read_picture(file)
            except BadAvatar:
                raise AnswerError(self.client.url, "what it sends is no picture.") from None

    def close(self) -> None:
        self.client.close()


def open_keeper(settings: Settings, server: str | None, api_key: str | None, cacert: Path | None) -> Keeper:
    """The server, where one is named, else this machine."""
    if server is None:
        from talkie.compose import build_service

        return LocalKeeper(build_service(settings))
    from talkie.avatar_client import AvatarClient

    key = settings.api_key.get_secret_value() if settings.api_key else None
    return RemoteKeeper(AvatarClient(server, api_key=api_key or key, cacert=cacert))


@contextmanager
def zipped(pack: Path) -> Iterator[IO[bytes]]:
    """A zip as it is, or a directory as one, whose name goes along as that of the pack. Raises `UnreadableFile`,
    `BadAvatar`."""
    if not pack.is_dir():
        if not pack.is_file():
            raise UnreadableFile("there is no such file or directory")
        with pack.open("rb") as file:
            yield file
        return
    from talkie.models.avatar_zip import zip_directory

    with tempfile.TemporaryDirectory(prefix="talkie-avatar-") as place:
        target = Path(place, "pack.zip")
        zip_directory(pack, target)
        with target.open("rb") as file:
            yield file


def _card(entry: dict[str, Any], url: str) -> AvatarCard:
    """What a server tells; what it does not is empty."""
    given = {one.name: entry[one.name] for one in fields(AvatarCard) if one.name in entry}
    try:
        given |= {"name": str(entry["id"]), "moods": tuple(map(str, entry.get("moods", ())))}
        return AvatarCard(**{"title": "", "kind": "", "width": 0, "height": 0, "fps": 0.0, **given})
    except (KeyError, TypeError):
        raise AnswerError(url, "it does not list avatars.") from None
