"""The outermost layer of every WebSocket: one log line, what is counted, and no fault gets past it.

Knows nothing of routes, access or what is said. As with requests, nothing personal is logged: the template of the
route, how the connection ended, how long it was open, and how much sound came (`scope[AUDIO_S]`, where a handler says).
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders

from talkie.runtime.metrics import Counter, Histogram
from talkie.transports.http.access import ROUTE
from talkie.transports.http.edge import AUDIO_S, SECURITY_HEADERS, SEND_S, UNKNOWN_ROUTE
from talkie.transports.http.errors import log_fault

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("talkie.http")

INTERNAL, GONE = 1011, 1006
CODES = frozenset({1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013})
OTHER = "other"
"""A client may send any number; only those that mean something to everybody are counted by name."""

SOCKETS = Counter("talkie_sockets", "WebSockets ended, by route and close code or status", ["route", "code"])
SOCKET_SECONDS = Histogram(
    "talkie_socket_seconds",
    "Seconds that a WebSocket was open",
    ["route"],
    buckets=(1, 5, 30, 60, 300, 1800, 7200),
)


class SocketEdgeMiddleware:
    """Wraps the whole application; everything but WebSockets passes by."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        connection = _Connection(scope, receive, send)
        try:
            await self._app(scope, connection.receive, connection.send)
            await connection.close()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            if not connection.is_gone:  # a handler that only found its client gone did nothing wrong
                log_fault(error)
                await connection.close()
        finally:
            connection.report()


class _Connection:
    """One WebSocket, as its messages pass by."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._began = time.monotonic()
        self._status: int | None = None
        self._code: int | None = None
        self._accepted = False
        self.is_gone = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self.is_gone = True
            self._ends_with(message.get("code", GONE))
        return message

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if self._accepted and kind.startswith("websocket.http.response"):  # an error that came too late for an answer
            await self.close()
            return
        self._accepted = self._accepted or kind == "websocket.accept"
        if kind == "websocket.close":
            self._ends_with(message.get("code", 1000))
        elif kind == "websocket.http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        try:
            async with asyncio.timeout(SEND_S):
                await self._send(message)
        except TimeoutError:
            self.is_gone = True
            raise ConnectionAbortedError from None
        except OSError:
            self.is_gone = True
            self._ends_with(GONE)
            raise

    async def close(self) -> None:
        """For a handler that did not: it came to its end by a fault."""
        if self._code is not None or self._status is not None:
            return
        try:
            await self.send({"type": "websocket.close", "code": INTERNAL})
        except Exception:  # nobody is there to be told
            self.is_gone = True

    def report(self) -> None:
        took_s = time.monotonic() - self._began
        route = self._scope.get(ROUTE) or UNKNOWN_ROUTE
        code = self._status or self._code or GONE
        counted = str(code) if code in CODES or self._status else OTHER
        SOCKETS.labels(route, counted).inc()
        SOCKET_SECONDS.labels(route).observe(took_s)
        facts = {"method": "WEBSOCKET", "route": route, "status": code, "ms": round(took_s * 1000)}
        line = f"WEBSOCKET {route} {code} {took_s:.1f} s"
        if (audio_s := self._scope.get(AUDIO_S)) is not None:
            facts["audio_s"] = round(audio_s, 2)
            line += f" {audio_s:.1f} s of audio"
        log.info(line, extra={"facts": facts})

    def _ends_with(self, code: int) -> None:
        """Who closes first is the one who did."""
        if self._code is None:
            self._code = code
