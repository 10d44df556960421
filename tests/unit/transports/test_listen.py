"""`/v1/listen` in front of a service that is made up, over a real socket: conversations, faults, who may come in."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import random
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from fakes_live import FakeLiveSession
from fakes_service import FakeService
from http_door import make_app, run
from socket_door import serving
from talkie.errors import EngineFailed, SessionLagging, TooManySessions
from talkie.transports.keys import KeyRing
from talkie.transports.websocket import listen as door
from talkie.transports.websocket.socket import SocketLimits
from talkie.types import LiveNotice, Notice

CLOSE = json.dumps({"type": "close"})
SOUND = bytes(3200)
KEY = "tk_" + "k" * 32
Talk = Callable[["Guest"], Awaitable[Any]]


class Guest:
    """One client of the door, by the unmodified `websockets` package."""

    def __init__(self, socket: ClientConnection, service: FakeService) -> None:
        self.socket, self.service = socket, service

    @property
    def session(self) -> FakeLiveSession:
        return self.service.sessions[-1]

    async def say(self, *messages: str | bytes | dict[str, Any]) -> None:
        for message in messages:
            await self.socket.send(json.dumps(message) if isinstance(message, dict) else message)

    async def hear(self, last: str) -> list[dict[str, Any]]:
        """Messages up to the first of type `last`."""
        told = []
        while True:
            told.append(json.loads(await self.socket.recv()))
            if told[-1]["type"] == last:
                return told

    async def rest(self) -> tuple[list[dict[str, Any]], int | None]:
        """Everything up to the end, and the close code."""
        told = [json.loads(message) async for message in _until_closed(self.socket)]
        return told, self.socket.close_code


async def _until_closed(socket: ClientConnection) -> AsyncIterator[str | bytes]:
    with contextlib.suppress(ConnectionClosed):
        while True:
            yield await socket.recv()


def talk(directory: Path, conversation: Talk, query: str = "", service: FakeService | None = None, **more: Any) -> Any:
    """What the conversation gives."""
    service = service or FakeService()

    async def whole() -> Any:
        async with (
            serving(make_app(directory, service)) as address,
            connect(f"ws://{address}/v1/listen{query}", proxy=None, **more) as socket,
        ):
            return await conversation(Guest(socket, service))

    return run(whole())


def test_sound_in_and_words_out(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        await guest.hear("ready")
        await guest.say(SOUND, SOUND)
        heard = await guest.hear("partial")
        await guest.say({"type": "commit"})
        heard += await guest.hear("final")
        await guest.say(SOUND, CLOSE)
        return heard, await guest.rest(), guest.session

    heard, (rest, code), session = talk(tmp_path, conversation, "?sample_rate=16000&model=m&language=en&client=desk")
    assert [message["type"] for message in heard] == ["speech_started", "partial", "partial", "speech_stopped", "final"]
    assert heard[2]["text"] == "hello there general" and heard[2]["committed"] == "hello"
    assert heard[-1]["text"] == "hello there general" and heard[-1]["language"] == "en"
    assert [word["word"] for word in heard[-1]["words"]] == ["hello", "there", "general"]
    assert rest[-2]["text"] == "good bye" and rest[-1] == {"type": "done", "seconds": 0.3} and code == 1000
    assert session.requests[0].model == "m" and session.closed.is_set() and len(session.heard) == 9600


@pytest.mark.parametrize(
    ("query", "label"), [("?client=desk", "listen"), ("?client=page", "page"), ("?client=bench", "bench")]
)
def test_which_door_a_session_came_by(tmp_path: Path, query: str, label: str) -> None:
    async def conversation(guest: Guest) -> Any:
        return await guest.hear("ready"), guest.service.opened

    [ready], opened = talk(tmp_path, conversation, query)
    assert ready == {"type": "ready", "session_id": "live_fake", "model": "fake-en"}
    assert opened == [(label, "", query.partition("=")[2])]


def test_a_client_without_a_label_is_its_program(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        await guest.hear("ready")
        return guest.service.opened

    assert talk(tmp_path, conversation, user_agent_header="curl/8")[0][2] == "curl/8"


def test_clear_and_keep_alive(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        await guest.say(SOUND, {"type": "clear"}, {"type": "keep_alive"}, {"type": "KeepAlive"}, CLOSE)
        told, _ = await guest.rest()
        return [message["type"] for message in told], guest.session.cleared

    told, cleared = talk(tmp_path, conversation, "?sample_rate=8000")
    assert told[-1] == "done" and "final" not in told and cleared == 1


def test_without_interim_results_only_finals_are_told(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        await guest.say(SOUND, CLOSE)
        told, _ = await guest.rest()
        return [message["type"] for message in told]

    kinds = talk(tmp_path, conversation, "?sample_rate=16000&interim_results=false")
    assert kinds == ["ready", "speech_started", "speech_stopped", "final", "done"]


def wav(rate: int, channels: int, seconds: float = 0.5) -> tuple[bytes, bytes]:
    """A recording of a low tone, and its sound alone."""
    tone = np.sin(np.arange(int(rate * seconds)) * (2 * np.pi * 200 / rate)) * 8000
    data = np.repeat(tone.astype("<i2"), channels).tobytes()
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(data)
    return file.getvalue(), data


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (44_100, 2), (16_000, 1)])
def test_a_wav_header_says_how_it_is_to_be_heard(tmp_path: Path, rate: int, channels: int) -> None:
    recording, _ = wav(rate, channels)

    async def conversation(guest: Guest) -> Any:
        for at in range(0, len(recording), 999):
            await guest.say(recording[at : at + 999])
        await guest.say(CLOSE)
        return await guest.rest(), bytes(guest.session.heard), guest.session.requests[0].raw

    (told, code), heard, raw = talk(tmp_path, conversation)
    samples = np.frombuffer(heard, np.float32)
    assert code == 1000 and told[-1] == {"type": "done", "seconds": 0.5}
    assert (raw.sample_rate, raw.channels, raw.encoding) == (16_000, 1, "f32le")
    assert abs(len(samples) - 8000) <= 2 and 0.2 < np.abs(samples[1000:-1000]).max() < 0.26


def test_a_wav_ends_where_its_header_says(tmp_path: Path) -> None:
    """A client that can only pour out a file says nothing more; what follows the sound is not heard."""
    recording, sound = wav(16_000, 1)

    async def conversation(guest: Guest) -> Any:
        await guest.say(recording[:5000], recording[5000:] + b"LIST", recording)
        return await guest.rest(), bytes(guest.session.heard)

    (told, code), heard = talk(tmp_path, conversation)
    assert code == 1000 and told[-1] == {"type": "done", "seconds": 0.5} and len(heard) == 2 * len(sound)


def test_bare_sound_without_parameters_is_16_khz(tmp_path: Path) -> None:
    _, sound = wav(16_000, 1)

    async def conversation(guest: Guest) -> Any:
        await guest.say(sound[:1], sound[1:], CLOSE)
        return await guest.rest(), bytes(guest.session.heard)

    (told, _), heard = talk(tmp_path, conversation)
    assert told[-1] == {"type": "done", "seconds": 0.5}
    assert np.allclose(np.frombuffer(heard, np.float32) * 32768, np.frombuffer(sound, "<i2"), atol=1)


def test_two_bytes_that_might_have_been_a_header(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        await guest.say(b"", CLOSE)
        return await guest.rest()

    told, code = talk(tmp_path, conversation)
    assert code == 1000 and told[-1] == {"type": "done", "seconds": 0.0}


def test_a_fast_sender_waits_for_room(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        await guest.hear("ready")
        guest.session.full = 3
        await guest.say(SOUND, CLOSE)
        await guest.rest()
        return len(guest.session.heard)

    assert talk(tmp_path, conversation, "?sample_rate=16000") == 3200


def test_a_warning_is_told_and_ends_nothing(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        await guest.hear("ready")
        guest.session._say(LiveNotice(Notice("partials_paused", "The machine is busy.")))
        warning = (await guest.hear("warning"))[-1]
        await guest.say(CLOSE)
        return warning, await guest.rest()

    warning, (_, code) = talk(tmp_path, conversation)
    assert warning == {"type": "warning", "code": "partials_paused", "message": "The machine is busy."} and code == 1000


WRONG = [
    ("?sample_rate=5", "invalid_value", "sample_rate"),
    ("?sample_rate=16000&encoding=mp3", "invalid_value", "encoding"),
    ("?interim_results=perhaps", "invalid_value", "interim_results"),
    ("?language=klingon", "invalid_value", "language"),
]


@pytest.mark.parametrize(("query", "name", "param"), WRONG)
def test_wrong_parameters_are_told_on_the_socket(tmp_path: Path, query: str, name: str, param: str) -> None:
    async def conversation(guest: Guest) -> Any:
        return await guest.rest()

    told, code = talk(tmp_path, conversation, query)
    assert code == 1008 and len(told) == 1
    assert told[0]["error"]["code"] == name and told[0]["error"]["param"] == param


FAULTS: list[tuple[str | bytes, str, int]] = [
    ("not json", "invalid_value", 1008),
    ("[]", "invalid_value", 1008),
    ('{"type": "dance"}', "invalid_value", 1008),
    ("x" * 5000, "invalid_value", 1008),
    (bytes(1024 * 1024 + 1), "invalid_value", 1009),
    (b"RIFF\0\0\0\0WAVEdata\x10\0\0\0" + bytes(16), "undecodable_audio", 1008),
    (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + bytes(100), "undecodable_audio", 1008),
]


@pytest.mark.parametrize(("message", "name", "code"), FAULTS)
def test_what_cannot_be_understood_is_told_and_ends(tmp_path: Path, message: str | bytes, name: str, code: int) -> None:
    async def conversation(guest: Guest) -> Any:
        await guest.hear("ready")
        await guest.say(message)
        return await guest.rest(), guest.session.closed.is_set()

    (told, closed_with), closed = talk(tmp_path, conversation)
    assert closed_with == code and closed
    assert [message["type"] for message in told][-1] == "error" and told[-1]["error"]["code"] == name


def test_more_than_any_message_may_be_is_cut(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        await guest.hear("ready")
        with contextlib.suppress(ConnectionClosed):
            await guest.say(bytes(17 * 1024 * 1024))
        return (await guest.rest())[1]

    assert talk(tmp_path, conversation) == 1009


@pytest.mark.parametrize(
    ("refuses", "name", "code"),
    [(TooManySessions(3), "too_many_sessions", 1013), (EngineFailed("fake", "it broke"), "engine_failed", 1011)],
)
def test_a_session_that_cannot_be(tmp_path: Path, refuses: Any, name: str, code: int) -> None:
    service = FakeService()
    service.refuses = refuses

    async def conversation(guest: Guest) -> Any:
        return await guest.rest()

    told, closed_with = talk(tmp_path, conversation, service=service)
    assert closed_with == code and told[0]["error"]["code"] == name


def test_a_session_that_fails_is_told_after_its_events(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        await guest.say(SOUND)
        await guest.hear("partial")
        guest.session.fail(SessionLagging(30))
        return await guest.rest()

    told, code = talk(tmp_path, conversation)
    assert code == 1013 and told[-1]["error"]["code"] == "session_lagging"


def test_a_fault_of_ours_says_nothing_of_its_insides(tmp_path: Path) -> None:
    service = FakeService()
    service.refuses = ValueError("canary")  # type: ignore[assignment]

    async def conversation(guest: Guest) -> Any:
        return await guest.rest()

    told, code = talk(tmp_path, conversation, service=service)
    assert code == 1011 and told[0]["error"]["code"] == "internal_error" and "canary" not in str(told)


def test_one_who_leaves_takes_the_session_along(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        await guest.say(SOUND)
        await guest.hear("partial")
        session = guest.session
        guest.socket.transport.abort()
        assert await asyncio.to_thread(session.closed.wait, 20)
        return session.ended

    assert talk(tmp_path, conversation, "?sample_rate=16000")


def test_one_who_leaves_while_the_last_words_are_heard(tmp_path: Path) -> None:
    class Slow(FakeLiveSession):
        def finish(self) -> None:
            """Still at it."""

    service = FakeService()
    service.listen = lambda request, **_: service.sessions.append(Slow(request, ("never",))) or service.sessions[-1]  # type: ignore[method-assign, func-returns-value, misc]

    async def conversation(guest: Guest) -> Any:
        await guest.say(SOUND, CLOSE)
        await guest.hear("partial")
        session = guest.session
        await guest.socket.close()
        return await asyncio.to_thread(session.closed.wait, 20)

    assert talk(tmp_path, conversation, "?sample_rate=16000", service=service)


def test_one_who_does_not_read_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session floods; the client takes nothing from its socket."""
    limits = SocketLimits(send_s=0.3)
    monkeypatch.setattr(door, "Socket", lambda websocket: _socket(websocket, limits))
    flood = LiveNotice(Notice("flood", "x" * 60_000))

    async def conversation(guest: Guest) -> Any:
        await guest.hear("ready")
        guest.socket.transport.pause_reading()
        session = guest.session
        for _ in range(400):
            session._say(flood)
        closed = await asyncio.to_thread(session.closed.wait, 20)
        guest.socket.transport.abort()
        return closed

    assert talk(tmp_path, conversation, max_queue=1, compression=None)


def _socket(websocket: Any, limits: SocketLimits) -> Any:
    from talkie.transports.websocket.socket import Socket

    return Socket(websocket, limits)


def test_a_server_that_stops_takes_nobody_in(tmp_path: Path) -> None:
    service = FakeService()

    async def whole() -> Any:
        app = make_app(tmp_path, service)
        async with serving(app) as address:
            app.state.door.gate.close()
            async with connect(f"ws://{address}/v1/listen", proxy=None) as socket:
                return await Guest(socket, service).rest()

    told, code = run(whole())
    assert code == 1013 and told[0]["error"]["code"] == "shutting_down" and not service.sessions


def test_random_bytes_and_orders_leave_a_live_server(tmp_path: Path) -> None:
    """Frames of all kinds in any order; each conversation ends with `done`, an error, or our own leaving."""
    service = FakeService()
    random_ = random.Random(7)

    def message() -> str | bytes:
        kinds: list[Callable[[], str | bytes]] = [
            lambda: random_.randbytes(random_.randrange(4000)),
            lambda: b"RIFF" + random_.randbytes(random_.randrange(60)),
            lambda: random_.choice([CLOSE, '{"type": "commit"}', '{"type": "clear"}', '{"type": "KeepAlive"}']),
            lambda: random_.choice(["", "{", '{"type": null}', "\0", '{"type": "close"']),
        ]
        return random_.choices(kinds, (6, 1, 4, 1))[0]()

    async def one(address: str) -> None:
        query = random_.choice(
            ["", "?sample_rate=16000", "?encoding=mulaw", "?sample_rate=8000&channels=2", "?%ff=%00"]
        )
        async with connect(f"ws://{address}/v1/listen{query}", proxy=None) as socket:
            with contextlib.suppress(ConnectionClosed):
                for _ in range(random_.randrange(8)):
                    await socket.send(message())
                if random_.random() < 0.3:
                    socket.transport.abort()
                    return
                await socket.send(CLOSE)
            told, code = await Guest(socket, service).rest()
            assert told[-1]["type"] == ("done" if code == 1000 else "error"), (told, code)

    async def whole() -> Any:
        async with serving(make_app(tmp_path, service)) as address:
            for _ in range(60):
                await one(address)
            async with connect(f"ws://{address}/v1/listen", proxy=None) as socket:
                await socket.send(CLOSE)
                return await Guest(socket, service).rest()

    told, code = run(whole())
    assert code == 1000 and told[-1]["type"] == "done"
    assert all(session.closed.is_set() for session in service.sessions)


@pytest.mark.parametrize("half", ["nothing", "head", "frame"])
def test_a_half_closed_socket_ends(tmp_path: Path, half: str) -> None:
    """The client shuts its sending side in the middle: the server answers and lets go."""
    service = FakeService()
    head = "GET /v1/listen HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    head += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

    async def whole() -> bytes:
        async with serving(make_app(tmp_path, service)) as address:
            host, port = address.split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            sent = head.format(address).encode()
            writer.write({"nothing": b"", "head": sent[:90], "frame": sent + b"\x82\xfe\x0c"}[half])
            await writer.drain()
            if half == "frame":
                await reader.readuntil(b"ready")
            writer.write_eof()
            answered = await reader.read()
            writer.close()
            return answered

    run(whole())
    assert all(session.closed.wait(20) for session in service.sessions)
    assert len(service.sessions) == (half == "frame")


def refused(directory: Path, **more: Any) -> int:
    service = FakeService()

    async def whole() -> int:
        app = make_app(directory, service, keys=KeyRing(KEY))
        async with serving(app) as address:
            with pytest.raises(InvalidStatus) as raised:
                async with connect(f"ws://{address}/v1/listen", proxy=None, **more):
                    pass
            return raised.value.response.status_code

    return run(whole())


def test_who_may_not_come_in(tmp_path: Path) -> None:
    assert refused(tmp_path) == 401
    assert refused(tmp_path, additional_headers={"Authorization": "Bearer wrong"}) == 401
    assert (
        refused(tmp_path, additional_headers={"Authorization": f"Bearer {KEY}"}, origin="https://evil.example") == 403
    )


def test_a_browser_shows_its_key_as_a_subprotocol(tmp_path: Path) -> None:
    service = FakeService()

    async def whole() -> Any:
        async with serving(make_app(tmp_path, service, keys=KeyRing(KEY))) as address:
            offered = ["talkie", f"openai-insecure-api-key.{KEY}"]
            async with connect(f"ws://{address}/v1/listen", proxy=None, subprotocols=offered) as socket:
                await Guest(socket, service).hear("ready")
                return socket.subprotocol, service.opened

    chosen, opened = run(whole())
    assert chosen == "talkie" and opened[0][1]
