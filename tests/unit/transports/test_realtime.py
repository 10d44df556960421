"""`/v1/realtime` in front of a service that is made up, over a real socket: conversations, faults, who may come in."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from fakes_live import FakeLiveSession
from fakes_service import FakeService
from http_door import make_app, run
from socket_door import serving
from talkie.errors import (
    EngineFailed,
    InvalidValue,
    ModelNotFound,
    SessionLagging,
    TooManySessions,
    UnsupportedByModel,
)
from talkie.runtime.requests import LiveRequest
from talkie.transports.keys import KeyRing
from talkie.transports.websocket import realtime as door
from talkie.transports.websocket.socket import SocketLimits
from talkie.types import LiveFinal, LiveNotice, Notice, Segment, Span, Transcript

KEY = "tk_" + "k" * 32
HEARD = "conversation.item.input_audio_transcription."
SOUND = {"type": "input_audio_buffer.append", "audio": base64.b64encode(bytes(9600)).decode()}
"""200 ms of it."""
COMMIT, CLEAR = {"type": "input_audio_buffer.commit"}, {"type": "input_audio_buffer.clear"}
THEIRS: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
Talk = Callable[["Guest"], Awaitable[Any]]


class Guest:
    """One client of the door, by the unmodified `websockets` package. All that it is told is an event of OpenAI's."""

    def __init__(self, socket: ClientConnection, service: FakeService) -> None:
        self.socket, self.service = socket, service

    @property
    def session(self) -> FakeLiveSession:
        return self.service.sessions[-1]

    async def say(self, *messages: str | bytes | dict[str, Any]) -> None:
        for message in messages:
            await self.socket.send(json.dumps(message) if isinstance(message, dict) else message)

    async def one(self) -> dict[str, Any]:
        event = json.loads(await self.socket.recv())
        if not event["type"].startswith("transcription_session."):
            THEIRS.validate_python(event, strict=True)
        assert isinstance(event, dict)
        return event

    async def hear(self, last: str) -> list[dict[str, Any]]:
        """Events up to the first of type `last`."""
        told = [await self.one()]
        while told[-1]["type"] != last:
            told.append(await self.one())
        return told

    async def rest(self) -> tuple[list[dict[str, Any]], int | None]:
        """Everything up to the end, and the close code."""
        told = []
        with contextlib.suppress(ConnectionClosed):
            while True:
                told.append(await self.one())
        return told, self.socket.close_code


def talk(directory: Path, conversation: Talk, query: str = "", service: FakeService | None = None, **more: Any) -> Any:
    """What the conversation gives."""
    service = service or FakeService()

    async def whole() -> Any:
        async with (
            serving(make_app(directory, service)) as address,
            connect(f"ws://{address}/v1/realtime{query}", proxy=None, **more) as socket,
        ):
            return await conversation(Guest(socket, service))

    return run(whole())


def settings(**sound: Any) -> dict[str, Any]:
    return {"type": "session.update", "session": {"type": "transcription", "audio": {"input": sound}}}


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("conversation.item.").removeprefix("input_audio_") for event in events]


def test_a_conversation_with_turns(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        first = await guest.one()
        await guest.say(settings(transcription={"model": "gpt-4o-transcribe", "language": "en"}))
        updated = await guest.one()
        await guest.say(SOUND, SOUND)
        await guest.hear(HEARD + "delta")
        guest.session._end_utterance()
        heard = await guest.hear(HEARD + "completed")
        return first, updated, heard, guest.session, guest.service.opened

    first, updated, heard, session, opened = talk(tmp_path, conversation, "?intent=transcription&client=desk")
    assert first["type"] == "session.created" and first["session"]["type"] == "transcription"
    assert updated["type"] == "session.updated" and updated["session"]["id"] == first["session"]["id"]
    assert updated["session"]["audio"]["input"]["transcription"]["language"] == "en"
    assert kinds(heard) == [
        "buffer.speech_stopped",
        "buffer.committed",
        "added",
        "done",
        "transcription.delta",
        "transcription.completed",
    ]
    assert heard[-1]["transcript"] == "hello there general" and heard[-2]["delta"] == " there general"
    assert len(session.heard) == 19_200 and session.closed.is_set()
    assert opened == [("realtime", "", "desk")]
    assert (session.requests[0].model, session.requests[0].language) == ("auto", "en")


def test_the_client_commits(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        await guest.say(settings(turn_detection=None), SOUND, COMMIT)
        heard = await guest.hear(HEARD + "completed")
        await guest.say(SOUND, COMMIT)
        return heard, await guest.hear(HEARD + "completed"), guest.session.requests[0]

    first, second, request = talk(tmp_path, conversation)
    assert "buffer.speech_started" not in kinds(first) and "buffer.speech_stopped" not in kinds(first)
    assert first[-1]["transcript"] == "hello there general" and second[-1]["transcript"] == "good bye"
    assert second[-1]["item_id"] != first[-1]["item_id"] and request.turns is None
    committed = [event for event in (*first, *second) if event["type"] == "input_audio_buffer.committed"]
    assert [event["previous_item_id"] for event in committed] == [None, first[-1]["item_id"]]


def test_sound_without_a_word_of_settings(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        await guest.say(SOUND)
        return await guest.hear("input_audio_buffer.speech_started"), guest.session.requests[0]

    heard, request = talk(tmp_path, conversation, "?model=whisper-base")
    assert heard[0]["session"]["audio"]["input"]["transcription"]["model"] == "whisper-base"
    assert request.model == "whisper-base" and request.raw.sample_rate == 24_000


@pytest.mark.parametrize("wrapped", [True, False])
def test_the_older_names(tmp_path: Path, wrapped: bool) -> None:
    older = {"input_audio_format": "g711_ulaw", "turn_detection": None, "input_audio_transcription": {"language": "en"}}

    async def conversation(guest: Guest) -> Any:
        await guest.say({"type": "transcription_session.update", **({"session": older} if wrapped else older)})
        told = await guest.hear("transcription_session.updated")
        await guest.say(SOUND, COMMIT)
        return told, await guest.hear(HEARD + "completed"), guest.session.requests[0]

    told, heard, request = talk(tmp_path, conversation, "?intent=transcription")
    assert kinds(told) == ["session.created", "transcription_session.updated"]
    assert told[-1]["session"]["input_audio_format"] == "g711_ulaw" and told[-1]["session"]["turn_detection"] is None
    assert "created" in kinds(heard) and "added" not in kinds(heard)
    assert (request.raw.sample_rate, request.raw.encoding, request.language) == (8000, "mulaw", "en")


@pytest.mark.parametrize(
    "offer",
    [
        {"additional_headers": {"OpenAI-Beta": "realtime=v1"}},
        {"subprotocols": [Subprotocol("realtime"), Subprotocol("openai-beta.realtime-v1")]},
    ],
)
def test_a_client_of_the_first_api_is_greeted_in_its_words_too(tmp_path: Path, offer: dict[str, Any]) -> None:
    async def conversation(guest: Guest) -> Any:
        return await guest.hear("transcription_session.created")

    told = talk(tmp_path, conversation, "?intent=transcription", **offer)
    assert kinds(told) == ["session.created", "transcription_session.created"]


def test_settings_change_while_one_speaks(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        await guest.say(settings(transcription={"model": "m"}), SOUND)
        await guest.hear(HEARD + "delta")
        await guest.say(settings(transcription={"language": "de"}, turn_detection={"type": "semantic_vad"}))
        updated = (await guest.hear("session.updated"))[-1]
        await guest.say(settings(transcription={"model": "other"}))
        refused = (await guest.hear("error"))[-1]
        await guest.say(settings())
        return updated, refused, (await guest.hear("session.updated"))[-1], guest.session.requests, guest.service

    updated, refused, after, requests, service = talk(tmp_path, conversation)
    assert updated["session"]["audio"]["input"]["turn_detection"]["type"] == "semantic_vad"
    assert requests[-1].language == "de" and requests[-1].model == "m" and len(service.sessions) == 1
    assert refused["error"]["code"] == "invalid_value"
    assert after["session"]["audio"]["input"]["transcription"]["model"] == "m", "what was refused does not hold"


def test_another_model_before_a_word_was_said_is_another_session(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        await guest.say(settings(), settings(transcription={"model": "other"}), SOUND)
        await guest.hear("input_audio_buffer.speech_started")
        return guest.service.sessions

    first, second = talk(tmp_path, conversation)
    assert first.closed.is_set() and not first.heard and second.requests[0].model == "other"


@pytest.mark.parametrize(("seconds", "turns"), [(0.0, None), (0.05, None), (0.05, {"type": "server_vad"})])
def test_there_must_be_something_to_commit(tmp_path: Path, seconds: float, turns: Any) -> None:
    little = {"type": SOUND["type"], "audio": base64.b64encode(bytes(round(seconds * 48_000))).decode()}

    async def conversation(guest: Guest) -> Any:
        await guest.say(settings(turn_detection=turns), little, {**COMMIT, "event_id": "mine"})
        refused = (await guest.hear("error"))[-1]["error"]
        await guest.say(SOUND, COMMIT)
        await guest.hear(HEARD + "completed")
        await guest.say(COMMIT)
        return refused, (await guest.hear("error"))[-1]["error"]

    for error in talk(tmp_path, conversation):
        assert error["code"] == "input_audio_buffer_commit_empty" and error["type"] == "invalid_request_error"


def test_clear_forgets(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        await guest.say(CLEAR)
        early = await guest.hear("input_audio_buffer.cleared")
        await guest.say(settings(turn_detection=None), SOUND, CLEAR, COMMIT)
        return early, await guest.hear("error"), guest.session.cleared

    early, told, cleared = talk(tmp_path, conversation)
    assert kinds(early) == ["session.created", "buffer.cleared"] and "buffer.cleared" in kinds(told)
    assert told[-1]["error"]["code"] == "input_audio_buffer_commit_empty" and cleared == 1


FAULTS: list[tuple[str | bytes | dict[str, Any], str]] = [
    ("not json", "message"),
    ("[]", "message"),
    (b"\0\1\2", "message"),
    ('{"type": "dance"}', "type"),
    ({"type": "response.create"}, "type"),
    ({"type": "session.update"}, "session"),
    ({"type": "session.update", "session": {"type": "realtime", "instructions": "Be kind."}}, "session.type"),
    (settings(format={"type": "audio/mp3"}), "session.audio.input.format"),
    (settings(transcription={"language": "klingon"}), "session.audio.input.transcription.language"),
    ({"type": "input_audio_buffer.append", "audio": "%%%"}, "audio"),
    ({"type": "input_audio_buffer.append"}, "audio"),
]


@pytest.mark.parametrize(("message", "param"), FAULTS)
def test_a_fault_is_answered_and_the_conversation_goes_on(tmp_path: Path, message: Any, param: str) -> None:
    async def conversation(guest: Guest) -> Any:
        await guest.say({**message, "event_id": "mine"} if isinstance(message, dict) else message)
        error = (await guest.hear("error"))[-1]["error"]
        await guest.say(settings(turn_detection=None), SOUND, COMMIT)
        return error, (await guest.hear(HEARD + "completed"))[-1]["transcript"]

    error, text = talk(tmp_path, conversation)
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", "invalid_value", param)
    assert error["event_id"] == ("mine" if isinstance(message, dict) else None)
    assert text == "hello there general"


def test_whoever_is_only_wrong_is_cut(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(100):
                await guest.say("x")
        return await guest.rest()

    told, code = talk(tmp_path, conversation)
    assert code == 1008 and len(told) == 1 + door.MAX_FAULTS + 1 and kinds(told)[-1] == "error"


def test_one_good_message_wipes_the_slate_clean(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        for _ in range(3):
            await guest.say(*["x"] * (door.MAX_FAULTS - 1), CLEAR)
        for _ in range(3):
            await guest.hear("input_audio_buffer.cleared")
        return True

    assert talk(tmp_path, conversation)


def test_more_than_any_message_may_be_is_cut(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        with contextlib.suppress(ConnectionClosed):
            await guest.say("x" * (17 * 1024 * 1024))
        return (await guest.rest())[1]

    assert talk(tmp_path, conversation) == 1009


def test_as_much_sound_as_fits_in_a_message(tmp_path: Path) -> None:
    much = base64.b64encode(bytes(11 * 1024 * 1024)).decode()

    async def conversation(guest: Guest) -> Any:
        await guest.say(settings(turn_detection=None), {"type": SOUND["type"], "audio": much}, COMMIT)
        await guest.hear(HEARD + "completed")
        return len(guest.session.heard)

    assert talk(tmp_path, conversation) == 11 * 1024 * 1024


def test_a_fast_sender_waits_for_room(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        await guest.say(settings())
        await guest.hear("session.updated")
        guest.session.full = 3
        await guest.say(SOUND, COMMIT)
        await guest.hear(HEARD + "completed")
        return len(guest.session.heard)

    assert talk(tmp_path, conversation) == 9600


def test_a_warning_is_no_event_of_its_own(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        await guest.say(settings())
        await guest.hear("session.updated")
        guest.session._say(LiveNotice(Notice("partials_paused", "The machine is busy.")))
        await guest.say(SOUND, COMMIT)
        return await guest.hear(HEARD + "completed")

    heard = talk(tmp_path, conversation)
    assert heard[-1]["warnings"] == [{"code": "partials_paused", "message": "The machine is busy."}]
    assert "error" not in kinds(heard)


@pytest.mark.parametrize(
    ("refuses", "code"), [(TooManySessions(3), 1013), (EngineFailed("fake", "it broke"), 1011), (ValueError("x"), 1011)]
)
@pytest.mark.parametrize("first", [settings(), SOUND])
def test_a_session_that_cannot_be(tmp_path: Path, refuses: Any, code: int, first: dict[str, Any]) -> None:
    service = FakeService()
    service.refuses = refuses

    async def conversation(guest: Guest) -> Any:
        await guest.say(first)
        return await guest.rest()

    told, closed_with = talk(tmp_path, conversation, service=service)
    assert closed_with == code and kinds(told) == ["session.created", "error"]
    assert told[1]["error"]["code"] == getattr(refuses, "code", "internal_error")


def test_a_model_that_is_not_here(tmp_path: Path) -> None:
    """In the settings it can be mended; sound without a model cannot be heard."""
    service = FakeService()
    service.refuses = ModelNotFound("nobody")

    async def mended(guest: Guest) -> Any:
        await guest.say(settings(transcription={"model": "nobody"}))
        refused = (await guest.hear("error"))[-1]["error"]["code"]
        service.refuses = None
        await guest.say(settings(transcription={"model": "somebody"}))
        return refused, await guest.hear("session.updated")

    async def lost(guest: Guest) -> Any:
        service.refuses = ModelNotFound("nobody")
        await guest.say(SOUND)
        return await guest.rest()

    assert talk(tmp_path, mended, service=service)[0] == "model_not_found"
    told, code = talk(tmp_path, lost, "?model=nobody", service=service)
    assert code == 1008 and told[-1]["error"]["code"] == "model_not_found"


def test_a_session_that_fails_says_which_words_are_lost(tmp_path: Path) -> None:
    class Stuck(FakeLiveSession):
        """Its last pass never ends."""

        def _say(self, event: Any) -> None:
            if type(event).__name__ != "LiveFinal":
                super()._say(event)

    service = FakeService()
    service.listen = lambda request, **_: _made(service, Stuck(request, ("hello there",)))  # type: ignore[method-assign]

    async def conversation(guest: Guest) -> Any:
        await guest.say(SOUND, COMMIT)
        item = (await guest.hear("input_audio_buffer.committed"))[-1]["item_id"]
        guest.session.fail(SessionLagging(30))
        return item, await guest.rest()

    item, (told, code) = talk(tmp_path, conversation, service=service)
    assert code == 1013 and kinds(told)[-2:] == ["transcription.failed", "error"]
    assert told[-2]["item_id"] == item and told[-2]["error"]["code"] == told[-1]["error"]["code"] == "session_lagging"


def _made(service: FakeService, session: FakeLiveSession) -> FakeLiveSession:
    service.sessions.append(session)
    return session


def test_a_wish_that_the_model_cannot_fulfil_ends_the_session(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        await guest.say(settings(transcription={"language": "de"}))
        await guest.hear("session.updated")
        guest.session.fail(UnsupportedByModel("language", "It knows English only."))
        return await guest.rest()

    told, code = talk(tmp_path, conversation)
    assert code == 1008 and told[-1]["error"]["code"] == "unsupported_by_model"


def test_a_change_that_the_session_refuses(tmp_path: Path) -> None:
    class Choosy(FakeLiveSession):
        def change(self, request: LiveRequest) -> None:
            raise InvalidValue("threshold", "Not with me.")

    service = FakeService()
    service.listen = lambda request, **_: _made(service, Choosy(request, ("hello",)))  # type: ignore[method-assign]

    async def conversation(guest: Guest) -> Any:
        await guest.say(settings(), settings(transcription={"language": "de"}))
        return await guest.hear("error")

    assert talk(tmp_path, conversation, service=service)[-1]["error"]["param"] == "threshold"


def test_a_session_that_somebody_ended(tmp_path: Path) -> None:
    async def conversation(guest: Guest) -> Any:
        await guest.say(SOUND)
        await guest.hear(HEARD + "delta")
        guest.session.finish()
        return await guest.rest()

    told, code = talk(tmp_path, conversation)
    assert code == 1008 and told[-1]["error"]["code"] == "session_ended"


@pytest.mark.parametrize("politely", [True, False])
def test_one_who_leaves_takes_the_session_along(tmp_path: Path, politely: bool) -> None:
    async def conversation(guest: Guest) -> Any:
        await guest.say(SOUND)
        await guest.hear(HEARD + "delta")
        session = guest.session
        if politely:
            await guest.socket.close()
        else:
            guest.socket.transport.abort()
        return await asyncio.to_thread(session.closed.wait, 20)

    assert talk(tmp_path, conversation)


def test_one_who_does_not_read_is_told_so_and_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session floods; the client takes nothing from its socket until it was given up."""
    monkeypatch.setattr(door, "LIMITS", SocketLimits(send_s=0.3))
    flood = Transcript((Segment("x" * 60_000, 0.0, 1.0),))

    async def conversation(guest: Guest) -> Any:
        await guest.say(settings())
        await guest.hear("session.updated")
        guest.socket.transport.pause_reading()
        session = guest.session
        for number in range(400):
            session._say(LiveFinal(number, Span(0.0, 1.0), flood))
        assert await asyncio.to_thread(session.closed.wait, 20)
        guest.socket.transport.resume_reading()
        return await guest.rest()

    told, code = talk(tmp_path, conversation, max_queue=1, max_size=None, compression=None)
    assert code == 1008 and told[-1]["error"]["code"] == "slow_reader"


def test_one_who_says_nothing_is_sent_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "IDLE_S", 0.1)

    async def conversation(guest: Guest) -> Any:
        return await guest.rest()

    told, code = talk(tmp_path, conversation)
    assert code == 1008 and told[-1]["error"]["code"] == "session_idle"


def test_a_server_that_stops_takes_nobody_in(tmp_path: Path) -> None:
    service = FakeService()

    async def whole() -> Any:
        app = make_app(tmp_path, service)
        async with serving(app) as address:
            app.state.door.gate.close()
            async with connect(f"ws://{address}/v1/realtime", proxy=None) as socket:
                return await Guest(socket, service).rest()

    told, code = run(whole())
    assert code == 1013 and kinds(told) == ["session.created", "error"] and not service.sessions


# -- who may come in ---------------------------------------------------------------------------------------------------


def knock(directory: Path, *, host: str = "", keys: bool = False, **more: Any) -> int | str | None:
    """The status of a refusal, or the subprotocol that was chosen."""

    async def whole() -> int | str | None:
        async with serving(make_app(directory, keys=KeyRing(KEY) if keys else None)) as address:
            url = f"ws://{host or address}/v1/realtime"
            where, _, port = address.rpartition(":")
            try:
                async with connect(url, proxy=None, host=where, port=int(port), **more) as socket:
                    assert json.loads(await socket.recv())["type"] == "session.created"
                    return socket.subprotocol
            except InvalidStatus as refused:
                return refused.response.status_code

    return run(whole())


def browser(key: str) -> list[Subprotocol]:
    return [Subprotocol("realtime"), Subprotocol(f"openai-insecure-api-key.{key}")]


def test_without_keys_anybody_on_this_machine_may(tmp_path: Path) -> None:
    assert knock(tmp_path) is None
    assert knock(tmp_path, origin="http://localhost:8000") == 403, "another port is another origin"


def test_a_key_in_a_header_or_as_a_browser_sends_it(tmp_path: Path) -> None:
    assert knock(tmp_path, keys=True, additional_headers={"Authorization": f"Bearer {KEY}"}) is None
    assert knock(tmp_path, keys=True, subprotocols=browser(KEY)) == "realtime"


@pytest.mark.parametrize(
    "shown",
    [
        {},
        {"subprotocols": [Subprotocol("realtime")]},
        {"subprotocols": browser("tk_" + "w" * 32)},
        {"additional_headers": {"Authorization": "Bearer wrong"}},
        {"additional_headers": {"Authorization": "Bearer wrong"}, "subprotocols": browser(KEY)},
    ],
)
def test_no_key_or_a_wrong_one_stays_outside(tmp_path: Path, shown: dict[str, Any]) -> None:
    assert knock(tmp_path, keys=True, **shown) == 401


def test_pages_of_others_stay_outside(tmp_path: Path) -> None:
    assert knock(tmp_path, origin="https://evil.example", subprotocols=browser("any")) == 403
    assert knock(tmp_path, origin="null") == 403
    assert knock(tmp_path, additional_headers={"Sec-Fetch-Site": "cross-site"}) == 403
    assert knock(tmp_path, host="evil.example") == 403, "a name that was made to point here"


# -- hostile -----------------------------------------------------------------------------------------------------------


def test_random_messages_in_any_order_leave_a_live_server(tmp_path: Path) -> None:
    """Each conversation ends with an error, or by our own leaving; and then a good one goes well."""
    service = FakeService()
    random_ = random.Random(10)
    good = [settings(), settings(turn_detection=None), SOUND, COMMIT, CLEAR, CLEAR]
    wrong: list[Any] = ["", "{", "[]", "\0", b"", b"\xff" * 50, '{"type": null}', *(message for message, _ in FAULTS)]

    def message() -> Any:
        chosen = random_.choice(good if random_.random() < 0.6 else wrong)
        if random_.random() < 0.1:
            text = json.dumps(chosen) if isinstance(chosen, dict) else str(chosen)
            return text[: random_.randrange(len(text) + 1)]
        return chosen

    async def one(address: str) -> None:
        async with connect(f"ws://{address}/v1/realtime", proxy=None) as socket:
            guest = Guest(socket, service)
            with contextlib.suppress(ConnectionClosed):
                for _ in range(random_.randrange(30)):
                    await guest.say(message())
            if random_.random() < 0.3:
                socket.transport.abort()
                return
            with contextlib.suppress(ConnectionClosed):
                await guest.say({"type": "dance", "event_id": "end"})
            told: list[dict[str, Any]] = []
            while not told or told[-1].get("error", {}).get("event_id") != "end":
                told.append(await guest.one())

    async def whole() -> Any:
        async with serving(make_app(tmp_path, service)) as address:
            for _ in range(25):
                await one(address)
            async with connect(f"ws://{address}/v1/realtime", proxy=None) as socket:
                guest = Guest(socket, service)
                await guest.say(SOUND, COMMIT)
                return (await guest.hear(HEARD + "completed"))[-1]["transcript"]

    assert run(whole()) == "hello there general"
    assert all(session.closed.is_set() for session in service.sessions)


RAW = [
    b"\xc1\x80\0\0\0\0",  # compressed, and nobody agreed to that… or to nothing
    b"\x81\x05hello",  # not masked
    b"\x83\x80\0\0\0\0",  # an opcode that there is not
    b"\x89\xfe\xff\xff\0\0\0\0",  # a ping of 65,535 bytes
    b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",  # a message of 2**63 bytes
    b"\x80\x80\0\0\0\0",  # a continuation of nothing
    b"\x81\x82\0\0\0\0\xff\xfe",  # no UTF-8
    b"\x88\x81\0\0\0\0\x03",  # half a close code
    b"\x01\x81\0\0\0\0{",  # the beginning of a message, and no end
    b"\x81",  # half a frame
    b"",
]


@pytest.mark.parametrize("frame", RAW)
def test_frames_that_cannot_be(tmp_path: Path, frame: bytes) -> None:
    """Whatever comes on the wire, the connection ends and the server lives."""
    service = FakeService()

    async def raw(address: str) -> bytes:
        host, _, port = address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"GET /v1/realtime HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        writer.write(
            head.encode() + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGFsa2llIHRhbGtpZSE9PQ==\r\n\r\n"
        )
        answer = await reader.readuntil(b"session.created")
        writer.write(frame)
        writer.write_eof()  # half closed: we could still read
        answer += await reader.read()
        writer.close()
        return answer

    async def whole() -> Any:
        async with serving(make_app(tmp_path, service)) as address:
            answer = await raw(address)
            async with connect(f"ws://{address}/v1/realtime", proxy=None) as socket:
                guest = Guest(socket, service)
                await guest.say(SOUND, COMMIT)
                return answer, (await guest.hear(HEARD + "completed"))[-1]["transcript"]

    answer, text = run(whole())
    assert answer.startswith(b"HTTP/1.1 101") and text == "hello there general"
