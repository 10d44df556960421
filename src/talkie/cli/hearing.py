"""Who hears: an engine in this process, or a server somewhere. Both give the events of `talkie.types`.

Knows nothing of formats and files of output.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from talkie.cli.output import note
from talkie.errors import BusyError, KeyRateLimited, ServerUnreachable
from talkie.types import Progress, Segment, Transcript, TranscriptEvent

if TYPE_CHECKING:
    from talkie.client import Client
    from talkie.runtime.requests import TranscribeRequest
    from talkie.runtime.service import Service
    from talkie.settings import Settings

MAX_TRIES = 6
MAX_WAIT_S = 30.0
CLOSE_S = 2.0


class Hearer(Protocol):
    """Hears one recording at a time. Closing the iterator stops the work."""

    def hear(self, source: Path | BinaryIO) -> Iterator[TranscriptEvent]: ...

    def close(self) -> None: ...


class LocalHearer:
    """The service in this process."""

    def __init__(self, service: Service, request: TranscribeRequest) -> None:
        self._service, self._request = service, request

    def prepare(self) -> None:
        """A model that was never here before is opened now, and what that takes is shown."""
        from talkie.cli.preparing import prepare

        prepare(self._service, self._request)

    def hear(self, source: Path | BinaryIO) -> Iterator[TranscriptEvent]:
        return self._service.transcribe(source, self._request)

    def close(self) -> None:
        """Give everything back; what cannot be interrupted, a decoder in the middle of a window, is not waited for."""
        closing = threading.Thread(target=self._service.close, args=(0.0,), daemon=True)
        closing.start()
        closing.join(CLOSE_S)


@dataclass(frozen=True, slots=True)
class RemoteHearer:
    """A server. With `live`, text comes piece by piece and without times; else everything comes at the end."""

    client: Client
    request: TranscribeRequest
    live: bool = False

    def hear(self, source: Path | BinaryIO) -> Iterator[TranscriptEvent]:
        """A server that is busy is asked again, a few times, after as long as it says."""
        began = False
        for attempt in range(1, MAX_TRIES + 1):
            try:
                for event in self._once(source):
                    began = True
                    yield event
                return
            except (BusyError, KeyRateLimited) as error:
                if began or attempt == MAX_TRIES or isinstance(error, ServerUnreachable) or not _again(source):
                    raise
                wait_s = min(error.retry_after_s, MAX_WAIT_S)
                note(f"the server is busy; asking again in {wait_s:.0f} s")
                time.sleep(wait_s)

    def _once(self, source: Path | BinaryIO) -> Iterator[TranscriptEvent]:
        if not self.live:
            transcript = self.client.transcribe(source, **_fields(self.request))
            yield from transcript.segments
            yield Progress(transcript.duration_s, transcript.duration_s)
            yield transcript
            return
        streamed = False
        for piece in self.client.stream(source, **_fields(self.request)):
            if isinstance(piece, Transcript):
                yield from () if streamed else piece.segments
                yield piece
            else:
                streamed = True
                yield Segment(piece, 0.0, 0.0)

    def close(self) -> None:
        self.client.close()


def local_hearer(settings: Settings, request: TranscribeRequest) -> LocalHearer:
    """An engine in this process, by the settings; a model may be named by its path."""
    from talkie.compose import build_service

    return LocalHearer(build_service(settings, allow_paths=True), request)


def _fields(request: TranscribeRequest) -> dict[str, Any]:
    """The request as form fields, those that are at their defaults left out: other servers know fewer."""
    given: dict[str, Any] = {
        field.name: getattr(request, field.name)
        for field in fields(request)
        if getattr(request, field.name) != field.default
    }
    raw = given.pop("raw", None)
    if raw is not None:
        given |= {field.name: getattr(raw, field.name) for field in fields(raw)}
    return given


def _again(source: Path | BinaryIO) -> bool:
    """Can it be read from the beginning once more?"""
    if isinstance(source, Path):
        return True
    if not source.seekable():
        return False
    source.seek(0)
    return True
