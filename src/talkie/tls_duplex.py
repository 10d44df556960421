"""TLS for a connection that one thread reads while another writes, as a client of live speech does.

An `ssl.SSLSocket` may not be used so before Python 3.13: reading handles a session ticket of TLS 1.3 (RFC 8446, 4.6.1)
with no lock, and what is written in that moment is lost without an error (about one connection in thirty on a busy
machine; the request never left, and the client waited in vain). Here TLS works in memory behind a lock, and the plain
socket is read and written outside of it.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

RECORD_BYTES = 64 * 1024


class DuplexTls:
    """A TLS client over the connected `sock`, with the methods of a socket. The handshake is over when it is made.

    Raises `ssl.SSLCertVerificationError` for a certificate nobody trusts, `ssl.SSLError` and `OSError` else.
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, server_hostname: str | None) -> None:
        self._sock = sock
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=server_hostname)
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._shake_hands()

    def recv(self, size: int) -> bytes:
        """At most `size` bytes, b"" at the end. One thread at a time.

        What TLS itself wants to answer (a new key) leaves with the next `sendall`, which is soon enough (RFC 8446,
        4.6.3): so reading never waits for writing.
        """
        while True:
            try:
                with self._lock:
                    return self._tls.read(size)
            except ssl.SSLWantReadError:
                self._receive()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""

    def sendall(self, data: bytes | bytearray | memoryview) -> None:
        with self._sending:
            rest = memoryview(data).cast("B")
            while rest:
                with self._lock:
                    written = self._tls.write(rest[:RECORD_BYTES])
                    records = self._out.read()
                self._sock.sendall(records)
                rest = rest[written:]

    def __getattr__(self, name: str) -> Any:
        """Time limits, options, addresses, shutdown and close are those of the plain socket."""
        return getattr(self._sock, name)

    def _shake_hands(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._sock.sendall(self._out.read())
                self._receive()
            except ssl.SSLError:
                with contextlib.suppress(OSError):  # the reason, for the other side
                    self._sock.sendall(self._out.read())
                raise
        self._sock.sendall(self._out.read())

    def _receive(self) -> None:
        data = self._sock.recv(RECORD_BYTES)
        with self._lock:
            if data:
                self._in.write(data)
            else:
                self._in.write_eof()


class DuplexContext(ssl.SSLContext):
    """What a client trusts; its sockets are `DuplexTls`."""

    def wrap_socket(self, sock: socket.socket, *_: Any, server_hostname: Any = None, **__: Any) -> Any:
        return DuplexTls(sock, self, server_hostname)


def duplex_context(cafile: Path | None = None) -> DuplexContext:
    """The defaults of `ssl.create_default_context`; `cafile` in place of the system's authorities. Raises OSError."""
    context = DuplexContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if cafile is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(cafile=cafile)
    return context
