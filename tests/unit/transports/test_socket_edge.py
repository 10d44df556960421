"""What stands around every WebSocket: its log line, what is counted, and faults of handlers."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from http_door import make_app, run
from socket_door import serving
from talkie.errors import EngineFailed
from talkie.runtime.metrics import REGISTRY
from talkie.transports.http.access import open_socket
from talkie.transports.http.edge import AUDIO_S
from talkie.transports.keys import KeyRing

CANARY = "canary-4711"


async def polite(socket: WebSocket) -> None:
    await socket.accept()
    await socket.receive_text()
    socket.scope[AUDIO_S] = 2.5
    await socket.close(1000)


async def patient(socket: WebSocket) -> None:
    await socket.accept()
    try:
        await socket.receive_text()
    except WebSocketDisconnect:
        socket.scope[AUDIO_S] = 1.0


async def faulty(socket: WebSocket) -> None:
    await socket.accept()
    raise ValueError(CANARY)


async def early(socket: WebSocket) -> None:
    raise ValueError(CANARY)


async def failing(socket: WebSocket) -> None:
    await socket.accept()
    raise EngineFailed("fake", "it broke")


async def forgetful(socket: WebSocket) -> None:
    await socket.accept()


HANDLERS = (polite, patient, faulty, early, failing, forgetful)


class Seen:
    """What a client saw of a socket's end, and what was written down about it."""

    def __init__(self, log: pytest.LogCaptureFixture, directory: Path, keys: KeyRing | None = None) -> None:
        self._log = log
        self._log.set_level(logging.INFO, "talkie.http")
        self.app = make_app(directory, keys=keys)
        for handler in HANDLERS:
            open_socket(self.app, f"/test/{handler.__name__}", handler, scope="transcribe")

    def end(self, path: str, say: str | None = "hello", leave: int | None = None) -> int | None:
        """The close code that the client was sent; None: it was not let in."""

        async def talk() -> int | None:
            async with serving(self.app) as address:
                try:
                    async with connect(f"ws://{address}{path}?secret={CANARY}") as socket:
                        if leave is not None:
                            await socket.close(leave)
                        elif say is not None:
                            await socket.send(say)
                        await socket.wait_closed()
                        return socket.close_code
                except InvalidStatus as error:
                    return -error.response.status_code
                except ConnectionClosed as error:
                    return error.rcvd.code if error.rcvd else None

        return run(talk())

    @property
    def facts(self) -> list[dict[str, Any]]:
        return [record.facts for record in self._log.records if hasattr(record, "facts")]


def count(route: str, code: str) -> float:
    return REGISTRY.get_sample_value("talkie_sockets_total", {"route": route, "code": code}) or 0.0


def test_a_line_for_each_socket(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    seen, before = Seen(caplog, tmp_path), count("/test/polite", "1000")
    assert seen.end("/test/polite") == 1000
    [facts] = seen.facts
    assert facts.pop("ms") >= 0
    assert facts == {"method": "WEBSOCKET", "route": "/test/polite", "status": 1000, "audio_s": 2.5}
    assert CANARY not in caplog.text and "hello" not in caplog.text
    assert count("/test/polite", "1000") == before + 1


@pytest.mark.parametrize(("code", "counted"), [(1001, "1001"), (4711, "other")])
def test_a_client_that_leaves(tmp_path: Path, caplog: pytest.LogCaptureFixture, code: int, counted: str) -> None:
    seen, before = Seen(caplog, tmp_path), count("/test/patient", counted)
    seen.end("/test/patient", leave=code)
    [facts] = seen.facts
    assert facts["status"] == code and facts["audio_s"] == 1.0
    assert count("/test/patient", counted) == before + 1


@pytest.mark.parametrize("handler", ["faulty", "failing"])
def test_a_fault_closes_the_socket_and_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, handler: str
) -> None:
    seen = Seen(caplog, tmp_path)
    assert seen.end(f"/test/{handler}") == 1011
    assert [facts["status"] for facts in seen.facts] == [1011]
    assert any(record.levelno == logging.ERROR for record in caplog.records)


def test_a_fault_before_the_handshake(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    seen = Seen(caplog, tmp_path)
    assert seen.end("/test/early") == -403
    assert any(record.levelno == logging.ERROR for record in caplog.records)


def test_a_handler_that_closes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert Seen(caplog, tmp_path).end("/test/forgetful") == 1011


def test_who_is_not_let_in(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    seen = Seen(caplog, tmp_path, KeyRing("the key of the house, quite long"))
    assert seen.end("/test/polite") == -401
    assert [facts["status"] for facts in seen.facts] == [401]


def test_an_address_that_is_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    seen = Seen(caplog, tmp_path)
    end = seen.end("/test/nothing")
    assert end is not None and end < 0
    assert [facts["route"] for facts in seen.facts] == ["(none)"]
