"""The outermost layer of the HTTP door: one log line a request, headers on every answer, and no fault gets past it.

Knows nothing of routes or access. Nothing personal is logged: the template of the route in place of the path, no
query, no address, no name of a file, no text.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from talkie.errors import ShuttingDown
from talkie.runtime.metrics import Counter, Histogram
from talkie.transports.http.access import ROUTE
from talkie.transports.http.errors import error_response, internal_response, log_fault
from talkie.transports.http.origins import Origins

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("talkie.http")

AUDIO_S = "talkie.audio_s"
UNKNOWN_ROUTE = "(none)"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
QUIET_ROUTES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines: logged at debug only."""

HTTP_REQUESTS = Counter("talkie_http_requests", "HTTP answers, by route and status", ["method", "route", "status"])
HTTP_SECONDS = Histogram(
    "talkie_http_seconds",
    "Seconds from the first byte of a request to the last of its answer",
    ["route"],
    buckets=(0.005, 0.025, 0.1, 0.5, 1, 5, 30, 300),
)

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
EXPOSED_HEADERS = "Retry-After, Talkie-Warning"

SEND_S = 120.0
"""A client that reads nothing for so long is given up, and what is held for it is freed."""
DRAIN_S, DRAIN_BYTES = 2.0, 64 * 1024 * 1024
"""How long and how much of a refused upload is read on, so that the client sees the answer and not a reset."""


class EdgeMiddleware:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp, origins: Origins) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self._origins)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except asyncio.CancelledError:
            if exchange.status is not None:
                raise
            await error_response(ShuttingDown())(scope, exchange.receive, exchange.send)
        except Exception as error:
            log_fault(error)
            if exchange.status is None:
                await internal_response()(scope, exchange.receive, exchange.send)
            else:
                raise  # half an answer is out: the server cuts the connection, so that nobody takes it for whole
        finally:
            exchange.report()


class _Exchange:
    """One request and its answer, as they pass by."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, origins: Origins) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._origins = origins
        self._began = time.monotonic()
        self._body_read = not _has_body(Headers(scope=scope))
        self._closing = False
        self.status: int | None = None

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            self._body_read = True
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._add_headers(MutableHeaders(scope=message))
        elif self._closing and not message.get("more_body", False):
            await self._pass_on({**message, "more_body": True})
            await self._drain()
            message = {"type": "http.response.body", "body": b""}
        await self._pass_on(message)

    async def _pass_on(self, message: Message) -> None:
        try:
            async with asyncio.timeout(SEND_S):
                await self._send(message)
        except TimeoutError:
            raise ConnectionAbortedError from None

    def _add_headers(self, headers: MutableHeaders) -> None:
        for name, value in SECURITY_HEADERS.items():
            headers.setdefault(name, value)
        origin = Headers(scope=self._scope).get("origin", "")
        if origin and self._origins.listed(origin):
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
            headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        headers.add_vary_header("Origin")
        if not self._body_read:  # answered before the body was in: this connection is of no more use
            self._closing = True
            headers["Connection"] = "close"

    async def _drain(self) -> None:
        """Read on for a moment; closing at once would reset the connection and lose the answer on its way."""
        left = DRAIN_BYTES
        try:
            async with asyncio.timeout(DRAIN_S):
                while not self._body_read and left > 0:
                    left -= len((await self.receive()).get("body", b""))
        except TimeoutError:
            return

    def report(self) -> None:
        took_s = time.monotonic() - self._began
        route = self._scope.get(ROUTE) or UNKNOWN_ROUTE
        method = self._scope["method"] if self._scope["method"] in METHODS else "OTHER"
        status = self.status or 499
        HTTP_REQUESTS.labels(method, route, str(status)).inc()
        HTTP_SECONDS.labels(route).observe(took_s)
        facts = {"method": method, "route": route, "status": status, "ms": round(took_s * 1000)}
        line = f"{method} {route} {status} {facts['ms']} ms"
        if (audio_s := self._scope.get(AUDIO_S)) is not None:
            facts["audio_s"] = round(audio_s, 2)
            line += f" {audio_s:.1f} s of audio"
        log.log(logging.DEBUG if route in QUIET_ROUTES else logging.INFO, line, extra={"facts": facts})


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
