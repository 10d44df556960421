"""The gRPC door: a server on the event loop of the HTTP door, open while the block runs.

Knows which services there are and nothing of what they do. Import it only where gRPC is wanted: it loads grpcio.
"""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import grpc

from talkie.errors import SettingsError
from talkie.transports.grpc.access import Access
from talkie.transports.grpc.address import cannot_listen, free_address
from talkie.transports.grpc.animate import Animation
from talkie.transports.grpc.edge import Edge
from talkie.transports.grpc.health import Health, open_reflection
from talkie.transports.grpc.methods import Methods
from talkie.transports.grpc.recordings import Recordings
from talkie.transports.grpc.speech import Speech
from talkie.transports.grpc.steady import steady_server
from talkie.transports.grpc.synthesize import Synthesis
from talkie.transports.http.work import STUCK_S, Gate

if TYPE_CHECKING:
    from talkie.transports.http.access import AccessRules
    from talkie.transports.http.door import SpeechService
    from talkie.transports.http.upload import UploadLimits

RECORDINGS = 64
"""Recordings that may be at work or waiting at once, where no gate is shared with another door."""
GRACE_S = 5.0
MAX_CALLS = 1024
"""Calls of all kinds at once; more are told RESOURCE_EXHAUSTED."""
FRAMING_BYTES = 1024 * 1024
"""What a message may be larger than its sound: prompts and the like."""
MAX_MESSAGE_BYTES = 2**31 - 1
PING_EVERY_MS, PING_WITHIN_MS, PING_ALLOWED_MS = 60_000, 20_000, 10_000
STREAMS_PER_CONNECTION = 256
MAX_CONNECTIONS = 1024
HANDSHAKE_MS, IDLE_MS = 10_000, 600_000
"""For the first bytes of a connection, and for one without calls: its client opens another when it wants one."""


class GrpcDoor:
    """`async with GrpcDoor(...)`: it listens. Made before: a port that is taken raises `SettingsError` at once.

    `tls` are the paths of the certificate chain and its key (PEM). Port 0 takes a free one; `port` then says which.
    `gate` bounds the recordings inside (share the HTTP door's); `grace_s` is how long they may go on once it closes.
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
        gate: Gate | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        self._tls, self._gate, self._grace_s = tls, gate or Gate(RECORDINGS), grace_s
        self._host, self._address, self._max_bytes = host, free_address(host, port), limits.max_bytes
        self.port = port
        self.methods = served_methods(service, limits, self._gate)
        self._edge = Edge(self.methods, Access(rules), self._gate, read_s=limits.idle_s)

    async def __aenter__(self) -> GrpcDoor:
        self._server = steady_server(options(self._max_bytes), MAX_CALLS, self._edge.handler(None))
        self._server.add_generic_rpc_handlers((self._edge,))
        for name in self.methods.services:
            handlers = {method: self._edge.handler(found) for method, found in self.methods.of(name).items()}
            self._server.add_registered_method_handlers(name, handlers)
        try:
            self.port = self._listen()
        except RuntimeError:
            raise cannot_listen(self._host, self.port, "it was taken meanwhile") from None
        await self._server.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Recordings at work may be finished, sessions end at once, and nothing new comes in."""
        self._gate.close()
        closing = asyncio.ensure_future(self._server.stop(self._grace_s + STUCK_S))
        await self._edge.stop(self._grace_s)
        await closing

    def _listen(self) -> int:
        if self._tls is None:
            return self._server.add_insecure_port(self._address)
        return self._server.add_secure_port(self._address, credentials(*self._tls))


def served_methods(service: SpeechService, limits: UploadLimits, gate: Gate) -> Methods:
    """Everything that this door serves."""
    methods, recordings = Methods(), Recordings(service, limits, gate)
    Speech(service, recordings).open(methods)
    Synthesis(service, gate).open(methods)
    Animation(service, limits, gate).open(methods)
    if riva_is_here():
        from talkie.transports.grpc.riva import Riva
        from talkie.transports.grpc.riva_tts import RivaSpeech

        Riva(service, recordings).open(methods)
        RivaSpeech(service, gate).open(methods)
    Health(service, gate, methods).open(methods)
    open_reflection(methods)
    return methods


def riva_is_here() -> bool:
    """Whether the stubs of `talkie[riva]` are installed; nothing of them is imported for that."""
    return importlib.util.find_spec("riva") is not None and importlib.util.find_spec("riva.client") is not None


def options(max_bytes: int) -> list[tuple[str, int]]:
    """What gRPC is told: large messages, bounded connections, dead clients found by pings, one server a port."""
    return [
        ("grpc.max_receive_message_length", min(max_bytes + FRAMING_BYTES, MAX_MESSAGE_BYTES)),
        ("grpc.max_send_message_length", -1),
        ("grpc.max_concurrent_streams", STREAMS_PER_CONNECTION),
        ("grpc.max_allowed_incoming_connections", MAX_CONNECTIONS),
        ("grpc.server_handshake_timeout_ms", HANDSHAKE_MS),
        ("grpc.max_connection_idle_ms", IDLE_MS),
        ("grpc.keepalive_time_ms", PING_EVERY_MS),
        ("grpc.keepalive_timeout_ms", PING_WITHIN_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", PING_ALLOWED_MS),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", PING_ALLOWED_MS),
        ("grpc.so_reuseport", 0),
    ]


def credentials(certificate: str, key: str) -> grpc.ServerCredentials:
    """Raises `SettingsError` when the files cannot be read."""
    try:
        return grpc.ssl_server_credentials([(Path(key).read_bytes(), Path(certificate).read_bytes())])
    except OSError as error:
        raise SettingsError(f"The certificate for gRPC cannot be read: {error.strerror}.", param="tls_cert") from None
