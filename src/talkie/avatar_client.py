"""The client of `/v1/video/avatars`: the faces that a server can show, and packs that are added to them.

    with AvatarClient("http://127.0.0.1:8000") as client:
        client.add_avatar(Path("anna.zip"))

Errors that a server names by code come back as the same class of `talkie.errors`. A client is for one thread at a time.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import httpx

from talkie.client import PROBE_S, Client
from talkie.errors import AnswerError, ServerUnreachable
from talkie.wire.avatars import PACK_FIELDS, PATH

MAX_PICTURE_BYTES = 64 * 1024 * 1024


class AvatarClient(Client):
    """A server that shows; the arguments are those of `Client`."""

    def avatars(self) -> list[dict[str, Any]]:
        """What can be shown, as the server tells it: id, kind, width, height …"""
        return self._get_list(PATH)

    def add_avatar(self, pack: Path | IO[bytes], name: str = "") -> dict[str, Any]:
        """A zip of a pack; `name` empty: as the pack says. Raises `BadAvatar` and its like as a server tells them."""
        with self._uploaded(PATH, PACK_FIELDS[0], pack, {"name": name} if name else {}) as response:
            body = self._json(response)
        if not isinstance(body, dict) or not isinstance(body.get("id"), str):
            raise AnswerError(self.url, "it does not tell of the avatar.")
        return body

    def remove_avatar(self, name: str) -> None:
        with self._sent("DELETE", _path(name), timeout=PROBE_S) as response:
            self._json(response)

    def picture(self, name: str) -> bytes:
        """The avatar at rest, a JPEG."""
        picture = bytearray()
        with self._sent("GET", f"{_path(name)}/picture") as response:
            try:
                for part in response.iter_bytes():
                    picture += part
                    if len(picture) > MAX_PICTURE_BYTES:
                        raise AnswerError(self.url, "its picture does not end.")
            except httpx.HTTPError as error:
                raise ServerUnreachable(self.url, "the picture broke off in the middle.") from error
        return bytes(picture)


def _path(name: str) -> str:
    return f"{PATH}/{quote(name, safe='')}"
