"""The client of `/v1/video/avatars/…`: a recording or a text goes up, a talking face comes down while it is made.

    with FaceClient("http://127.0.0.1:8000") as client:
        for part in client.show("Hello there.", voice="en-gb"):
            file.write(part)

Errors that a server names by code come back as the same class of `talkie.errors`. Knows nothing of what is done with
the film. A client is for one thread at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import httpx

from talkie.client import Client
from talkie.errors import ServerUnreachable

ANY = "auto"
"""The avatar that the server chooses."""


class FaceClient(Client):
    """A server that shows; the arguments are those of `Client`."""

    def animate(self, source: Path | IO[bytes], avatar: str = "", **fields: Any) -> Iterator[bytes]:
        """A recording spoken by a face, as the bytes of a film. `fields` are those of the API: response_format (mp4,
        webm), width, height, mood, sample_rate …; None, 0 and "" are left out. Closing the iterator ends the work."""
        with self._uploaded(_path(avatar), "file", source, _given(fields)) as response:
            yield from self._parts(response)

    def show(self, text: str, avatar: str = "", **fields: Any) -> Iterator[bytes]:
        """A text spoken by a face; `fields` also say how it is spoken: voice, model, language, speed, ssml …"""
        with self._sent("POST", _path(avatar), json={"input": text, **_given(fields)}) as response:
            yield from self._parts(response)

    def _parts(self, response: httpx.Response) -> Iterator[bytes]:
        """A film that breaks off is an error, not a shorter film."""
        try:
            yield from response.iter_bytes()
        except httpx.HTTPError as error:
            raise ServerUnreachable(self.url, "the film broke off in the middle.") from error


def _path(avatar: str) -> str:
    return f"/v1/video/avatars/{quote(avatar or ANY, safe='')}/animate"


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None and value not in ("", 0, False)}
