"""Who shows a face: the service in this process, or a server somewhere. Both fill an `Output`.

Knows nothing of formats and options.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast

from talkie.errors import InvalidValue
from talkie.runtime.face import FaceRequest
from talkie.runtime.speech import SpeakRequest
from talkie.types import FaceChunk, Mark

if TYPE_CHECKING:
    from collections.abc import Generator

    from talkie.cli.face_output import Output
    from talkie.cli.face_progress import Display
    from talkie.face_client import FaceClient
    from talkie.settings import Settings
    from talkie.transports.face import FaceService

CLOSE_S = 2.0
SPOKEN = ("model", "voice", "language", "speed", "ssml", "instructions")
"""Fields of a `SpeakRequest` that a server is told by the same names."""


class Artist(Protocol):
    """Makes one film at a time, and tells the marks that it knows of."""

    def animate(
        self, source: Path | BinaryIO, request: FaceRequest, output: Output, display: Display
    ) -> list[Mark]: ...

    def show(
        self,
        spoken: SpeakRequest,
        pieces: Iterable[str] | None,
        request: FaceRequest,
        output: Output,
        display: Display,
    ) -> list[Mark]:
        """`pieces` is a text that is still being written, in place of `spoken.text`."""
        ...

    def close(self) -> None: ...


class LocalArtist:
    """The service in this process."""

    def __init__(self, service: FaceService) -> None:
        self._service = service

    def animate(self, source: Path | BinaryIO, request: FaceRequest, output: Output, display: Display) -> list[Mark]:
        return self._filmed(self._service.animate(source, request), output, display)

    def show(
        self,
        spoken: SpeakRequest,
        pieces: Iterable[str] | None,
        request: FaceRequest,
        output: Output,
        display: Display,
    ) -> list[Mark]:
        return self._filmed(self._service.show(spoken, request, pieces=pieces), output, display)

    def _filmed(self, chunks: Iterator[FaceChunk], output: Output, display: Display) -> list[Mark]:
        with closing(cast("Generator[FaceChunk]", chunks)):
            return output.film(chunks, display)

    def close(self) -> None:
        """Give everything back; what cannot be interrupted, a network in the middle of a frame, is not waited for."""
        close = getattr(self._service, "close", None)
        if close is not None:
            closing_thread = threading.Thread(target=close, args=(0.0,), daemon=True)
            closing_thread.start()
            closing_thread.join(CLOSE_S)


@dataclass(frozen=True, slots=True)
class RemoteArtist:
    """A server. It sends a film and no marks; a text that is still being written is sent when it is whole."""

    client: FaceClient

    def animate(self, source: Path | BinaryIO, request: FaceRequest, output: Output, display: Display) -> list[Mark]:
        raw = {"sample_rate": request.raw.sample_rate, "channels": request.raw.channels} if request.raw else {}
        encoding = {"encoding": request.raw.encoding} if request.raw else {}
        fields = {**_fields(request, output), **raw, **encoding}
        return self._copied(self.client.animate(source, request.avatar, **fields), output, display)

    def show(
        self,
        spoken: SpeakRequest,
        pieces: Iterable[str] | None,
        request: FaceRequest,
        output: Output,
        display: Display,
    ) -> list[Mark]:
        text = spoken.text if pieces is None else "".join(pieces)
        fields = {name: getattr(spoken, name) for name in SPOKEN}
        parts = self.client.show(text, request.avatar, **fields, **_fields(request, output))
        return self._copied(parts, output, display)

    def _copied(self, parts: Iterator[bytes], output: Output, display: Display) -> list[Mark]:
        with closing(cast("Generator[bytes]", parts)):
            output.copy(parts, display)
        return []

    def close(self) -> None:
        self.client.close()


def open_artist(settings: Settings, server: str | None, api_key: str | None, cacert: Path | None) -> Artist:
    """The server's, where one is named, else our own."""
    if server is None:
        from talkie.compose import build_service

        return LocalArtist(cast("FaceService", build_service(settings, allow_paths=True)))
    from talkie.face_client import FaceClient

    key = settings.api_key.get_secret_value() if settings.api_key else None
    return RemoteArtist(FaceClient(server, api_key=api_key or key, cacert=cacert))


def _fields(request: FaceRequest, output: Output) -> dict[str, Any]:
    """Raises `InvalidValue` for what a server does not send."""
    if output.form == "png":
        raise InvalidValue("format", "A server sends films, not pictures.", hint="--format mp4 or webm.")
    return {
        "width": request.width,
        "height": request.height,
        "mood": request.mood,
        "response_format": output.form,
    }
