"""What the handlers of the HTTP door share: the service, the gate in front of it, and the limits of uploads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from talkie.transports.face import FaceService
from talkie.transports.http.access import CALLER, AccessRules
from talkie.transports.http.upload import UploadLimits
from talkie.transports.http.work import Gate
from talkie.transports.live import LiveService
from talkie.transports.speech import SpeakService

if TYPE_CHECKING:
    from starlette.requests import Request

    from talkie.runtime.cancel import CancelToken
    from talkie.runtime.leases import LoadedModel
    from talkie.runtime.requests import TranscribeRequest
    from talkie.types import TranscriptEvent
    from talkie.wire.openai import ModelEntry


class Readiness(Protocol):
    """`parts` names each part of the service and says how it is."""

    @property
    def ok(self) -> bool: ...
    @property
    def parts(self) -> dict[str, str]: ...


class SpeechService(LiveService, SpeakService, FaceService, Protocol):
    """What this door needs of the service."""

    def transcribe(
        self, source: Path | IO[bytes], request: TranscribeRequest, cancel: CancelToken | None = None
    ) -> Iterator[TranscriptEvent]: ...

    def models(self) -> Sequence[ModelEntry]: ...

    def loaded(self) -> Sequence[LoadedModel]: ...

    def ready(self) -> Readiness: ...

    def warm(self) -> None: ...

    def close(self, grace_s: float = 0.0) -> None: ...


@dataclass(frozen=True)
class Door:
    """Everything that a handler reaches for; kept at `app.state.door`. `is_warming`: somebody loads the model now."""

    service: SpeechService
    uploads: UploadLimits
    rules: AccessRules = field(default_factory=AccessRules)
    gate: Gate = field(default_factory=lambda: Gate(64))
    is_warming: bool = False


def door_of(request: Request) -> Door:
    door = request.app.state.door
    assert isinstance(door, Door)
    return door


def is_known(request: Request) -> bool:
    """Whether the caller showed a key that is known, or none is wanted: only then are details told."""
    return request.scope.get(CALLER) is not None
