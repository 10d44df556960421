"""What every WebSocket of ours has: ends that are ends, whatever the client does, and patience with those held back."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import socket as sockets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn

import socket_door
from fakes_service import FakeService
from http_door import make_app, run
from socket_door import serving
from talkie import errors
from talkie.errors import Cancelled, SlowReader, TalkieError
from talkie.transports.websocket import protocol
from talkie.transports.websocket import realtime as door
from talkie.transports.websocket.socket import (
    CLOSE_CODES,
    MessageTooLarge,
    SocketLimits,
    close_code,
    together,
)
from talkie.types import LiveFinal, Segment, Span, Transcript

FLOOD = Transcript((Segment("x" * 60_000, 0.0, 1.0),))


class RawGuest:
    """A client of the door that does with the protocol as it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def frame(self, opcode: int, data: bytes) -> None:
        """A whole frame, masked with zeros."""
        assert len(data) < 65_536
        head = (
            bytes([0x80 | opcode, 0x80 | len(data)])
            if len(data) < 126
            else (bytes([0x80 | opcode, 0xFE]) + len(data).to_bytes(2, "big"))
        )
        self.writer.write(head + bytes(4) + data)
        await self.writer.drain()

    async def say(self, **message: Any) -> None:
        await self.frame(1, json.dumps(message).encode())

    async def rest(self) -> bytes:
        """Everything there is to read."""
        told = b""
        with contextlib.suppress(ConnectionError):
            while more := await self.reader.read(65_536):
                told = told[-200_000:] + more
        return told


@contextlib.asynccontextmanager
async def raw_guest(address: str) -> AsyncIterator[RawGuest]:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"GET /v1/realtime HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    writer.write(head.encode() + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGFsa2llIHRhbGtpZSE9PQ==\r\n\r\n")
    await reader.readuntil(b"session.created")
    try:
        yield RawGuest(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(2500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came")


def pinging(monkeypatch: pytest.MonkeyPatch, interval_s: float, timeout_s: float) -> None:
    config = functools.partial(uvicorn.Config, ws_ping_interval=interval_s, ws_ping_timeout=timeout_s)
    monkeypatch.setattr(socket_door.uvicorn, "Config", config)


def test_a_connection_is_over_though_its_client_neither_reads_nor_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "LIMITS", SocketLimits(send_s=0.2))
    monkeypatch.setattr(protocol, "ABORT_S", 0.2)
    gone = asyncio.Event()
    lost = protocol.BoundedSocketProtocol.connection_lost
    monkeypatch.setattr(
        protocol.BoundedSocketProtocol, "connection_lost", lambda self, exc: (lost(self, exc), gone.set())
    )

    async def whole() -> bool:
        service = FakeService()
        async with serving(make_app(tmp_path, service)) as address, raw_guest(address) as guest:
            guest.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await guest.say(type="session.update", session={"type": "transcription"})
            await until(lambda: bool(service.sessions))
            for number in range(400):
                service.sessions[0]._say(LiveFinal(number, Span(0.0, 1.0), FLOOD))
            await gone.wait()
            return service.sessions[0].closed.is_set()

    assert run(whole())


def test_one_who_answers_no_ping_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pinging(monkeypatch, 0.05, 0.05)

    async def whole() -> bytes:
        async with serving(make_app(tmp_path)) as address, raw_guest(address) as guest:
            return await guest.rest()

    assert b"keepalive ping timeout" in run(whole())


def test_one_who_speaks_is_there_whatever_becomes_of_the_pings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pinging(monkeypatch, 0.05, 0.2)
    asked: list[bool] = []
    late = protocol.BoundedSocketProtocol.keepalive_timeout
    monkeypatch.setattr(
        protocol.BoundedSocketProtocol, "keepalive_timeout", lambda self: (asked.append(True), late(self))
    )

    async def whole() -> None:
        async with serving(make_app(tmp_path)) as address, raw_guest(address) as guest:
            while len(asked) < 3:
                await guest.say(type="input_audio_buffer.clear")
                await guest.reader.readuntil(b"cleared")

    run(whole())


def test_one_who_is_held_back_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session has no room, so nothing is read, the answer to a ping neither."""
    pinging(monkeypatch, 0.05, 0.05)
    asked: list[bool] = []
    late = protocol.BoundedSocketProtocol.keepalive_timeout
    monkeypatch.setattr(
        protocol.BoundedSocketProtocol, "keepalive_timeout", lambda self: (asked.append(self.read_paused), late(self))
    )
    service = FakeService()

    async def whole() -> int:
        async with serving(make_app(tmp_path, service)) as address, raw_guest(address) as guest:
            await guest.say(type="session.update", session={"type": "transcription"})
            await guest.reader.readuntil(b"session.updated")
            service.sessions[0].full = 10**9
            for _ in range(40):  # more than one reading takes in
                await guest.say(type="input_audio_buffer.append", audio="A" * 4000)
            await until(lambda: asked.count(True) >= 3)
            service.sessions[0].full = 0
            await until(lambda: len(service.sessions[0].heard) >= 40 * 3000)
            return len(service.sessions[0].heard)

    assert run(whole()) == 120_000


def test_little_sound_stands_in_the_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    made = protocol.BoundedSocketProtocol.connection_made

    def connection_made(self: Any, transport: Any) -> None:
        made(self, transport)
        sizes.append(transport.get_extra_info("socket").getsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF))

    monkeypatch.setattr(protocol.BoundedSocketProtocol, "connection_made", connection_made)

    async def whole() -> None:
        async with serving(make_app(tmp_path)) as address, raw_guest(address):
            pass

    run(whole())
    assert sizes and sizes[0] <= 2 * protocol.RECEIVE_BYTES


def test_many_who_leave_without_a_word_leave_nothing(tmp_path: Path) -> None:
    service = FakeService()

    async def whole() -> None:
        async with serving(make_app(tmp_path, service)) as address:
            before = len(asyncio.all_tasks())
            for _ in range(50):
                async with raw_guest(address) as guest:
                    await guest.say(type="input_audio_buffer.append", audio="AAAA")
                    guest.writer.transport.abort()  # type: ignore[attr-defined]
            await until(lambda: len(asyncio.all_tasks()) <= before)

    run(whole())
    assert all(session.closed.is_set() for session in service.sessions)


def all_errors(kind: type[TalkieError] = TalkieError) -> list[type[TalkieError]]:
    return [kind, *(each for below in kind.__subclasses__() for each in all_errors(below))]


def test_every_error_has_a_close_code() -> None:
    def code(kind: type[TalkieError]) -> int:
        return close_code(kind.__new__(kind))

    for kind in all_errors():
        assert code(kind) in (1008, 1009, 1011, 1013), kind
    assert code(MessageTooLarge) == 1009 and code(errors.TooManySessions) == code(errors.ShuttingDown) == 1013
    assert code(errors.InvalidValue) == code(errors.SessionEnded) == code(SlowReader) == 1008
    assert code(errors.EngineFailed) == code(TalkieError) == 1011 and code(errors.SessionLagging) == 1013
    assert set(CLOSE_CODES) <= set(all_errors())


async def _for_ever() -> None:
    await asyncio.Event().wait()


async def _at_once() -> None:
    return


async def _failing() -> None:
    raise SlowReader


def test_together_ends_when_all_is_told() -> None:
    run(together(_for_ever(), _at_once()))
    run(together(_at_once(), _at_once()))


def test_the_first_error_of_either_ends_both() -> None:
    async def leaves() -> None:
        raise Cancelled

    with pytest.raises(SlowReader):
        run(together(_for_ever(), _failing()))
    with pytest.raises(Cancelled):
        run(together(leaves(), _for_ever()))


def test_who_is_cancelled_cancels_both() -> None:
    left: list[str] = []

    async def waits(name: str) -> None:
        try:
            await _for_ever()
        finally:
            left.append(name)

    async def whole() -> None:
        both = asyncio.ensure_future(together(waits("hearing"), waits("telling")))
        await asyncio.sleep(0.01)
        both.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await both

    run(whole())
    assert sorted(left) == ["hearing", "telling"]
