"""Who hears what is spoken now: an engine in this process, or a server somewhere. Both are spoken to in one way.

Knows nothing of where the sound comes from or of what is shown.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from talkie.errors import TalkieError
from talkie.types import LiveEvent

if TYPE_CHECKING:
    from talkie.runtime.requests import LiveRequest
    from talkie.runtime.service import Service
    from talkie.settings import Settings
    from talkie.transports.live import LiveSession

DOOR = "cli"
LOOK_AGAIN_S = 0.25
LOOK_S = 0.02
PIECE_BYTES = 64 * 1024
CLOSE_S = 2.0
SAME_NAMES = ("model", "language", "task", "prompt", "hotwords", "words", "preset", "filters")


class Ear(Protocol):
    """One stretch of listening. One thread sends, another reads events; `LiveClient` is one."""

    def send(self, data: bytes) -> bool:
        """Sound; waits for room. False: nobody hears any more, and `events` says why."""
        ...

    def finish(self) -> None: ...

    def events(self) -> Iterator[LiveEvent]:
        """To the end. Raises what went wrong."""
        ...

    def close(self) -> None: ...


class Ears(Protocol):
    """Opens an ear for each stretch."""

    def open(self, request: LiveRequest) -> Ear: ...

    def close(self) -> None: ...


class LocalEar:
    """A session of the service in this process."""

    def __init__(self, session: LiveSession) -> None:
        self._session = session
        self._news, self._room = threading.Event(), threading.Event()
        session.wake(self._tell)

    def send(self, data: bytes) -> bool:
        try:
            for at in range(0, len(data), PIECE_BYTES):
                while not self._session.offer(data[at : at + PIECE_BYTES]):
                    _wait(self._room)
        except TalkieError:
            return False
        return not self._session.ended

    def finish(self) -> None:
        try:
            self._session.finish()
        except TalkieError:
            return

    def events(self) -> Iterator[LiveEvent]:
        while True:
            ended = self._session.ended
            events = self._session.take()
            yield from events
            if ended and not events:
                return
            if not events:
                _wait(self._news)

    def close(self) -> None:
        self._session.close()

    def _tell(self) -> None:
        self._news.set()
        self._room.set()


class LocalEars:
    """The service in this process, which is closed with it."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def open(self, request: LiveRequest) -> Ear:
        """Returns when the model is there: a recording at speaking pace does not run ahead of it."""
        session = self._service.listen(request, door=DOOR)
        while session.state == "loading" and not session.ended:
            time.sleep(LOOK_S)
        return LocalEar(session)

    def close(self) -> None:
        """What cannot be interrupted, a decoder in the middle of a window, is not waited for."""
        closing = threading.Thread(target=self._service.close, args=(0.0,), daemon=True)
        closing.start()
        closing.join(CLOSE_S)


@dataclass(frozen=True, slots=True)
class RemoteEars:
    """A server, asked through `/v1/listen`."""

    server: str
    api_key: str | None = None
    cacert: Path | None = None

    def open(self, request: LiveRequest) -> Ear:
        from talkie.live_client import LiveClient

        return LiveClient(self.server, self.api_key, cacert=self.cacert, **parameters(request))

    def close(self) -> None:
        return


def local_ears(settings: Settings, request: LiveRequest) -> LocalEars:
    """An engine in this process, by the settings; a model that was never here before is prepared now, visibly."""
    from talkie.cli.preparing import prepare
    from talkie.compose import build_service
    from talkie.runtime.requests import TranscribeRequest

    service = build_service(settings, allow_paths=True)
    prepare(service, TranscribeRequest(model=request.model, language=request.language, task=request.task))
    return LocalEars(service)


def parameters(request: LiveRequest) -> dict[str, Any]:
    """The request as parameters of `/v1/listen`, those at their defaults left out."""
    given = {
        field.name: getattr(request, field.name)
        for field in fields(request)
        if field.name in SAME_NAMES and getattr(request, field.name) != field.default
    }
    if not request.partials:
        given["interim_results"] = False
    if request.turns is None:
        given["vad"] = False
    else:
        given["endpointing"] = f"{request.turns.silence_ms:g}"
    raw = request.raw
    return {
        **given,
        "sample_rate": raw.sample_rate,
        "channels": raw.channels,
        "encoding": raw.encoding,
        "client": DOOR,
    }


def _wait(event: threading.Event) -> None:
    event.wait(LOOK_AGAIN_S)
    event.clear()
