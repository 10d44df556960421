"""One thread reads and another writes over TLS, and nothing is lost, also while the server hands out tickets."""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from talkie.tls_duplex import DuplexTls, duplex_context
from talkie.transports import tls

BYTES = 3_000_000
PATIENCE_S = 20


@contextmanager
def answering(directory: Path, answer: Callable[[ssl.SSLSocket], None]) -> Iterator[tuple[int, Path]]:
    """A server for one connection: its port, and the certificate to trust."""
    certificate, key = tls.self_signed(directory / "tls", [])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.num_tickets = 8
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        accepted, _ = listener.accept()
        accepted.settimeout(PATIENCE_S)
        try:
            with context.wrap_socket(accepted, server_side=True) as opened:
                answer(opened)
        except OSError:
            accepted.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], certificate
    finally:
        thread.join(PATIENCE_S)
        listener.close()
        assert not thread.is_alive()


def opened(port: int, certificate: Path | None, name: str = "localhost") -> DuplexTls:
    plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    try:
        made = duplex_context(certificate).wrap_socket(plain, server_hostname=name)
    except OSError:
        plain.close()
        raise
    assert isinstance(made, DuplexTls)
    return made


def echo(line: ssl.SSLSocket) -> None:
    while data := line.recv(65536):
        line.sendall(data)


def read_to_end(line: DuplexTls, into: list[bytes], size: int) -> None:
    while sum(map(len, into)) < size and (data := line.recv(65536)):
        into.append(data)


def test_both_ways_at_once(tmp_path: Path) -> None:
    sent = bytes(range(256)) * (BYTES // 256)
    heard: list[bytes] = []
    with answering(tmp_path, echo) as (port, certificate):
        line = opened(port, certificate)
        reader = threading.Thread(target=read_to_end, args=(line, heard, len(sent)))
        reader.start()
        line.sendall(memoryview(sent))
        reader.join(PATIENCE_S)
        line.close()
    assert hashlib.sha256(b"".join(heard)).digest() == hashlib.sha256(sent).digest()


def test_the_first_words_are_not_lost_while_tickets_are_read(tmp_path: Path) -> None:
    for turn in range(20):
        heard: list[bytes] = []
        with answering(tmp_path / str(turn), echo) as (port, certificate):
            line = opened(port, certificate)
            reader = threading.Thread(target=read_to_end, args=(line, heard, 5))
            reader.start()
            line.sendall(b"hello")
            reader.join(PATIENCE_S)
            line.close()
        assert b"".join(heard) == b"hello"


@pytest.mark.parametrize(("name", "is_trusted"), [("localhost", False), ("somebody.example", True)])
def test_a_certificate_nobody_trusts_and_one_of_another_name(tmp_path: Path, name: str, is_trusted: bool) -> None:
    with (
        answering(tmp_path, echo) as (port, certificate),
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        opened(port, certificate if is_trusted else None, name)


def test_a_connection_that_breaks_is_the_end(tmp_path: Path) -> None:
    with answering(tmp_path, lambda line: line.shutdown(socket.SHUT_RDWR)) as (port, certificate):
        line = opened(port, certificate)
        assert line.recv(10) == b""
        line.close()


def test_a_server_that_speaks_no_tls(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            accepted, _ = listener.accept()
            with accepted:
                accepted.sendall(b"HTTP/1.1 400 no\r\n\r\n")
                accepted.recv(10)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(ssl.SSLError):
            opened(listener.getsockname()[1], None)
        thread.join(PATIENCE_S)
