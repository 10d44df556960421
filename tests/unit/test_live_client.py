"""The live client, in front of a service that is made up and of servers that are not what they should be."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from fakes_live import FakeLiveSession
from fakes_service import FakeService
from http_door import make_app, run
from socket_door import serving
from talkie.errors import (
    AnswerError,
    EngineFailed,
    InvalidValue,
    KeyMissing,
    KeyWrong,
    ServerUnreachable,
    TalkieError,
    TooManySessions,
)
from talkie.live_client import LiveClient
from talkie.transports import tls
from talkie.transports.keys import KeyRing
from talkie.types import LiveFinal, LivePartial

KEY = "tk_" + "k" * 32


def against(directory: Path, work: Callable[[str], Any], service: FakeService | None = None, **more: Any) -> Any:
    """What `work` makes of the address of a server, in a thread of its own."""

    async def whole() -> Any:
        async with serving(make_app(directory, service or FakeService(), **more)) as address:
            return await asyncio.to_thread(work, address)

    return run(whole())


def test_speech_goes_up_and_events_come_back(tmp_path: Path) -> None:
    service = FakeService()

    def work(address: str) -> Any:
        with LiveClient(address, sample_rate=16_000, language="en", prompt="", words=True, hotwords=None) as line:
            assert line.send(bytes(200_000))
            line.commit()
            line.send(bytes(3200))
            line.finish()
            return line.ready, list(line.events()), line.seconds

    ready, events, seconds = against(tmp_path, work, service)
    finals = [event for event in events if isinstance(event, LiveFinal)]
    assert ready.session_id == "live_fake" and seconds == 6.35
    assert [final.transcript.text for final in finals] == ["hello there general", "good bye"]
    assert finals[0].transcript.words[0].text == "hello"
    assert [event.text for event in events if isinstance(event, LivePartial)][:2] == ["hello", "hello there general"]
    assert service.sessions[0].requests[0].language == "en" and len(service.sessions[0].heard) == 203_200


@pytest.mark.parametrize(("key", "error"), [(None, KeyMissing), ("wrong", KeyWrong)])
def test_who_may_not_come_in(tmp_path: Path, key: str | None, error: type[TalkieError]) -> None:
    with pytest.raises(error):
        against(tmp_path, lambda address: LiveClient(address, key), keys=KeyRing(KEY))


def test_a_key_opens(tmp_path: Path) -> None:
    def work(address: str) -> Any:
        with LiveClient(address, KEY) as line:
            return line.ready.session_id

    assert against(tmp_path, work, keys=KeyRing(KEY)) == "live_fake"


def test_a_certificate_that_is_trusted_and_one_that_is_not(tmp_path: Path) -> None:
    certificate, key = tls.self_signed(tmp_path / "tls", [])

    def work(address: str) -> Any:
        with pytest.raises(ServerUnreachable, match="certificate"):
            LiveClient(f"https://{address}")
        with LiveClient(f"https://{address}", cacert=certificate) as line:
            return line.ready.session_id

    async def whole() -> Any:
        more = {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}
        async with serving(make_app(tmp_path, FakeService()), **more) as address:
            return await asyncio.to_thread(work, address)

    assert run(whole()) == "live_fake"


def test_errors_come_back_as_what_they_were(tmp_path: Path) -> None:
    service = FakeService()
    service.refuses = TooManySessions(4)
    with pytest.raises(TooManySessions) as raised:
        against(tmp_path, lambda address: LiveClient(address), service)
    assert "max_sessions" in raised.value.hint
    with pytest.raises(InvalidValue) as wrong:
        against(tmp_path, lambda address: LiveClient(address, sample_rate=3))
    assert wrong.value.param == "sample_rate"


def test_an_error_on_the_way_comes_after_what_was_told(tmp_path: Path) -> None:
    service = FakeService()
    service.error = EngineFailed("fake", "it broke")
    told: list[Any] = []

    def work(address: str) -> None:
        with LiveClient(address, sample_rate=16_000) as line:
            line.send(bytes(3200))
            line.finish()
            told.extend(line.events())

    with pytest.raises(EngineFailed):
        against(tmp_path, work, service)
    assert len(told) == 3


def test_a_server_without_this_door(tmp_path: Path) -> None:
    with pytest.raises(AnswerError):
        against(tmp_path, lambda address: LiveClient(f"http://{address}/elsewhere"))


def test_nobody_there() -> None:
    with pytest.raises(ServerUnreachable):
        LiveClient("http://127.0.0.1:9")


def test_leaving_while_the_server_has_no_room(tmp_path: Path) -> None:
    """A sender that stands in the middle of a message is let go when the line is closed."""
    service = FakeService()

    class Full(FakeLiveSession):
        def offer(self, data: bytes) -> bool:
            return False

    def listen(request: Any, **_: Any) -> FakeLiveSession:
        service.sessions.append(Full(request, ()))
        return service.sessions[-1]

    service.listen = listen  # type: ignore[method-assign]

    def work(address: str) -> Any:
        line = LiveClient(address, sample_rate=16_000)
        sent: list[bool] = []
        sender = threading.Thread(target=lambda: sent.append(line.send(bytes(64_000_000))))
        sender.start()
        sender.join(1.0)  # by now it stands; were it not to, the test would still hold
        line.close()
        sender.join(20)
        return sender.is_alive(), sent

    assert against(tmp_path, work, service) == (False, [False])
    assert service.sessions[0].closed.wait(20)


def told_by(*messages: str | bytes) -> Any:
    """What the client makes of a server that says this, and closes."""

    async def handler(connection: ServerConnection) -> None:
        for message in messages:
            await connection.send(message)

    def work(address: str) -> Any:
        with LiveClient(address) as line:
            return list(line.events())

    async def whole() -> Any:
        async with serve(handler, "127.0.0.1", 0) as server:
            host, port = server.sockets[0].getsockname()[:2]
            return await asyncio.to_thread(work, f"http://{host}:{port}")

    return run(whole())


READY = '{"type": "ready", "session_id": "a"}'


def test_what_is_not_known_is_passed_over() -> None:
    assert told_by(READY, '{"type": "mood"}', '{"type": "done", "seconds": 1}') == []


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (("nonsense",), AnswerError),
        (('{"type": "partial"}',), AnswerError),
        (('{"type": "done", "seconds": 1}',), AnswerError),
        ((READY,), ServerUnreachable),
        ((READY, "[" * 100_000), AnswerError),
        ((), ServerUnreachable),
        ((READY, '{"type": "error", "error": "words alone"}'), TalkieError),
    ],
)
def test_a_server_that_is_none(said: tuple[str, ...], error: type[TalkieError]) -> None:
    with pytest.raises(error):
        told_by(*said)
