"""What the WebSockets tell when their server is asked to stop, by the unmodified `websockets` package."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from fakes_live import FakeLiveSession
from fakes_service import FakeService
from http_door import make_app, run
from socket_door import serving
from talkie.runtime.requests import LiveRequest
from talkie.transports.websocket import stopping

LISTEN, REALTIME, FACE = "/v1/listen", "/v1/realtime", "/v1/video/avatars/talkie/live"
SAID = bytes(3200)
APPENDED = {"type": "input_audio_buffer.append", "audio": base64.b64encode(bytes(9600)).decode()}
BY_HAND = {"type": "transcription", "audio": {"input": {"turn_detection": None}}}
CLOSE = {"type": "close"}
BEGUN = {
    LISTEN: "partial",
    REALTIME: "conversation.item.input_audio_transcription.delta",
    FACE: "utterance.started",
}
Meanwhile = Callable[[ClientConnection], Awaitable[None]]


async def nothing(socket: ClientConnection) -> None:
    """The client waits for what it is told."""


def stopped(
    directory: Path,
    path: str,
    *said: bytes | dict[str, Any],
    until: str,
    service: FakeService | None = None,
    meanwhile: Meanwhile = nothing,
) -> tuple[list[dict[str, Any]], int | None]:
    """What the client is told after the first message of the type `until`, at which the server is asked to stop; and
    the close code."""

    async def whole() -> tuple[list[dict[str, Any]], int | None]:
        async with contextlib.AsyncExitStack() as server:
            address = await server.enter_async_context(serving(make_app(directory, service or FakeService())))
            async with connect(f"ws://{address}{path}", proxy=None) as socket:
                for message in said:
                    await socket.send(json.dumps(message) if isinstance(message, dict) else message)
                while (await heard(socket))["type"] != until:
                    pass
                ending = asyncio.create_task(server.aclose())
                busy = asyncio.create_task(meanwhile(socket))
                told = []
                with contextlib.suppress(ConnectionClosed):
                    while True:
                        told.append(await heard(socket))
                await asyncio.gather(ending, busy)
                return told, socket.close_code

    return run(whole())


async def heard(socket: ClientConnection) -> dict[str, Any]:
    """The next message; pictures and sound are passed over."""
    while isinstance(message := await socket.recv(), bytes):
        pass
    found = json.loads(message)
    assert isinstance(found, dict)
    return found


def kinds(told: list[dict[str, Any]]) -> list[str]:
    return [message["type"].rpartition(".")[2] for message in told]


def why(told: list[dict[str, Any]]) -> str:
    """The code of the error, which comes last."""
    assert kinds(told).index("error") == len(told) - 1
    return str(told[-1]["error"]["code"])


def test_half_a_sentence_is_heard_to_its_end(tmp_path: Path) -> None:
    told, code = stopped(tmp_path, LISTEN, SAID, until="speech_started")
    assert [message["text"] for message in told if message["type"] == "final"] == ["hello there general"]
    assert (why(told), code) == ("shutting_down", 1013)


@pytest.mark.parametrize("update", [(), ({"type": "session.update", "session": BY_HAND},)], ids=["turns", "by hand"])
def test_half_an_item_is_completed(tmp_path: Path, update: tuple[dict[str, Any], ...]) -> None:
    told, code = stopped(tmp_path, REALTIME, *update, APPENDED, until=BEGUN[REALTIME])
    (completed,) = [message for message in told if message["type"].endswith("completed")]
    assert completed["transcript"] == "hello there general" and kinds(told).index("committed") < len(told) - 2
    assert (why(told), code) == ("shutting_down", 1013)


def test_a_face_says_what_it_has_begun(tmp_path: Path) -> None:
    told, code = stopped(tmp_path, FACE, {"type": "text", "text": "one two three"}, until=BEGUN[FACE])
    words = [word["text"] for message in told if message["type"] == "words" for word in message["words"]]
    assert words[-2:] == ["two", "three"] and kinds(told)[-2:] == ["done", "error"]
    assert (why(told), code) == ("shutting_down", 1013)


@pytest.mark.parametrize(
    ("path", "first"), [(LISTEN, "ready"), (REALTIME, "session.created"), (FACE, "session.created")]
)
def test_one_who_said_nothing_is_told_why(tmp_path: Path, path: str, first: str) -> None:
    told, code = stopped(tmp_path, path, until=first)
    assert (why(told), code, len(told)) == ("shutting_down", 1013, 1)


def test_nobody_waits_for_a_model_that_has_nothing_to_hear(tmp_path: Path) -> None:
    made: list[Slow] = []
    told, code = stopped(tmp_path, LISTEN, until="ready", service=slow_service(made))
    assert (why(told), code) == ("shutting_down", 1013) and not made[0].asked


def test_one_who_talks_on_and_on_is_cut(tmp_path: Path) -> None:
    async def talk_on(socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await socket.send(SAID)
                await asyncio.sleep(0)

    told, code = stopped(tmp_path, LISTEN, SAID, until="speech_started", meanwhile=talk_on)
    assert "final" in kinds(told) and (why(told), code) == ("shutting_down", 1013)


class Slow(FakeLiveSession):
    """Its last pass takes until it is let go."""

    def __init__(self, request: LiveRequest) -> None:
        super().__init__(request, ("hello there",))
        self.asked = False

    def finish(self) -> None:
        """Nothing yet."""
        self.asked = True


def slow_service(made: list[Slow]) -> FakeService:
    service = FakeService()

    def listen(request: LiveRequest, **_: Any) -> FakeLiveSession:
        made.append(Slow(request))
        return made[-1]

    service.listen = listen  # type: ignore[method-assign]
    return service


async def until_asked(socket: ClientConnection) -> None:
    """uvicorn stops listening and tells its connections, and then it hears of the ping."""
    host, port = socket.remote_address[:2]
    with contextlib.suppress(OSError):
        while True:
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            await writer.wait_closed()
    await (await socket.ping())


def test_one_who_had_come_to_the_end_is_not_told_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "UNDER_WAY_S", 0.0)
    made: list[Slow] = []

    async def let_go(socket: ClientConnection) -> None:
        await until_asked(socket)
        FakeLiveSession.finish(made[0])

    told, code = stopped(tmp_path, LISTEN, SAID, CLOSE, until="partial", service=slow_service(made), meanwhile=let_go)
    assert kinds(told)[-2:] == ["final", "done"] and code == 1000


@pytest.mark.parametrize(("path", "said"), [(LISTEN, SAID), (REALTIME, APPENDED)])
def test_what_takes_longer_than_the_grace_ends_with_a_word(
    tmp_path: Path, path: str, said: bytes | dict[str, Any]
) -> None:
    told, code = stopped(tmp_path, path, said, until=BEGUN[path], service=slow_service([]))
    assert "final" not in kinds(told) and "completed" not in kinds(told)
    assert (why(told), code) == ("shutting_down", 1013)
