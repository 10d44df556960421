"""uvicorn's WebSocket protocol with what it lacks. Knows nothing of what is said.

A client that does not read is told so and cut, where uvicorn waits for it with a connection for ever. A client that
sends faster than it is heard is slowed by its own socket, and is no less alive for that: its answer to a ping stands
behind its sound. And no more than a few seconds of sound stand in the kernel, so that one who leaves is soon missed.
When the server stops, a conversation is asked to end, where uvicorn closes it in the middle of a word.
"""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from talkie.transports.websocket.socket import LAST
from talkie.transports.websocket.stopping import STOPPING, Stopping

if TYPE_CHECKING:
    from asyncio import TimerHandle

    from websockets.http11 import Request

RECEIVE_BYTES = 64 * 1024
ABORT_S = 5.0
"""How long a connection that is over may take to bring its last words to the client."""


class BoundedSocketProtocol(WebSocketsSansIOProtocol):
    """A connection is gone `ABORT_S` after its handler, whatever its client does."""

    _abort_timer: TimerHandle | None = None
    _heard_at = 0.0
    _stopping: Stopping | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)

    def data_received(self, data: bytes) -> None:
        self._heard_at = self.loop.time()
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._abort_timer is not None:
            self._abort_timer.cancel()
        super().connection_lost(exc)

    def keepalive_timeout(self) -> None:
        """Whoever is held back, or has sent anything since it was asked, is there."""
        if self.read_paused or self._heard_at > self.ping_sent_at:
            self.pong_timer = None
            self.pending_ping_payload = None
            self.schedule_ping()
            return
        super().keepalive_timeout()
        self._abort_soon()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.handshake_initiated and not self.handshake_complete:  # its handler begins after this
            self._stopping = cast("dict[str, Any]", self.scope)[STOPPING] = Stopping()

    def shutdown(self) -> None:
        """The server waits for connections as it waits for requests, and cancels what takes longer than its grace."""
        if self._stopping is None or not self.handshake_complete or self.close_sent or self.transport.is_closing():
            super().shutdown()
        else:
            self._stopping.ask()

    async def run_asgi(self) -> None:
        try:
            await super().run_asgi()
        finally:
            self._abort_soon()

    async def send(self, message: Any) -> None:
        """Last words are written though there is no room: they are few, and nothing follows them."""
        if LAST not in message or self.writable.is_set():
            await super().send(message)
            return
        self.writable.set()
        try:
            await super().send(message)
        finally:
            if not self.disconnected:
                self.writable.clear()

    def _abort_soon(self) -> None:
        if self._abort_timer is None and not self.disconnected:
            self._abort_timer = self.loop.call_later(ABORT_S, self.transport.abort)
