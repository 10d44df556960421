"""The gRPC door: a server on the event loop of the HTTP door, open while the block runs.

Knows which services there are and nothing of what they do. Import it only where gRPC is wanted: it loads grpcio.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from talkie.transports.grpc.address import free_address

if TYPE_CHECKING:
    from talkie.transports.http.access import AccessRules
    from talkie.transports.http.door import SpeechService
    from talkie.transports.http.upload import UploadLimits

CALLS = 64
"""Recordings that may be at work or waiting at once."""
GRACE_S = 5.0


class GrpcDoor:
    """`async with GrpcDoor(...)`: it listens. Made before: a port that is taken raises `SettingsError` at once.

    `tls` are the paths of the certificate chain and its key (PEM). Port 0 takes a free one; `port` then says which.
    `calls` bounds the recordings inside, `grace_s` is how long they may go on once the door closes.
    """

    def __init__(
        self,
        service: SpeechService,
        rules: AccessRules,
        host: str,
        port: int,
        limits: UploadLimits,
        tls: tuple[str, str] | None = None,
        *,
        calls: int = CALLS,
        grace_s: float = GRACE_S,
    ) -> None:
        self._service, self._rules, self._limits = service, rules, limits
        self._tls, self._calls, self._grace_s = tls, calls, grace_s
        self._address = free_address(host, port)
        self.port = port

    async def __aenter__(self) -> GrpcDoor:
        raise NotImplementedError

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raise NotImplementedError
