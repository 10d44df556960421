"""uvicorn's HTTP/1.1 protocol with what it lacks. Knows nothing of requests.

Two bounds, on the size of a request's head and the time it takes: without them a client holds memory or a connection
for ever by never ending its headers. And manners: a client that offers HTTP/2 along with its upload (Java's does, and
`curl --http2`) is served in HTTP/1.1, where uvicorn would lose the body.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 64 * 1024
HEAD_S = 20.0
UPGRADE_HEADERS = frozenset({b"connection", b"upgrade", b"http2-settings"})


class BoundedHttpProtocol(HttpToolsProtocol):
    """A connection must bring the head of its (next) request whole, within `HEAD_S` and `MAX_HEAD_BYTES`."""

    _head_bytes = 0
    _in_head = True
    _offered = False
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
        self._unset_keepalive_if_required()
        self._feed(data)
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if not self._offered:
                self.handle_websocket_upgrade()
            elif self._get_upgrade() is not None:
                self._decline(data[upgrade.args[0] :])
            else:
                self.send_400_response("CONNECT is not for this server.")
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")

    def _decline(self, rest: bytes) -> None:
        """An offer of another protocol may be ignored (RFC 9110, 7.8): read the request once more without it."""
        head = [self.parser.get_method(), b" ", self.url, b" HTTP/1.1\r\n"]
        for name, value in self.headers:
            if name not in UPGRADE_HEADERS:
                head += [name, b": ", value, b"\r\n"]
        self._offered = False
        self.parser = httptools.HttpRequestParser(self)
        self._feed(b"".join([*head, b"\r\n", rest]))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if not self._in_head:
            self._await_head()

    def on_headers_complete(self) -> None:
        self._offered = self.parser.should_upgrade() and not self._should_upgrade()
        if self._offered:
            return
        self._in_head = False
        self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self._offered:
            super().on_message_complete()

    def _await_head(self) -> None:
        self._in_head, self._head_bytes = True, 0
        self._stop_timer()
        self._head_timer = asyncio.get_running_loop().call_later(HEAD_S, self._late)

    def _late(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
