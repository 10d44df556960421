"""The Wyoming door on a real socket, in front of a service that is made up: conversations, faults, who may come in."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from fakes_service import FakeModel, FakeService
from talkie.errors import ModelNotFound, SessionLagging, SettingsError
from talkie.server import bind
from talkie.transports.wyoming import connection
from talkie.transports.wyoming import server as wyoming_server
from talkie.transports.wyoming.access import Peers
from talkie.transports.wyoming.server import WyomingDoor, WyomingLimits
from talkie.wire.wyoming import Event, encode
from wyoming_door import FORMAT, PATIENCE_S, SAID, SOUND, START, STOP, UTTERANCE, Client, Place, kinds, play, until

# -- conversations -----------------------------------------------------------------------------------------------------


def test_one_utterance() -> None:
    service = FakeService()

    async def scene(place: Place) -> list[Event]:
        async with place.client() as client:
            await client.say(*UTTERANCE)
            return await client.hear("transcript-stop")

    told = play(scene, service)
    assert kinds(told) == SAID
    assert told[0].data == {"language": "en"} and told[2].data == {"text": "hello there general", "language": "en"}
    [session] = service.sessions
    assert len(session.heard) == 6400 and session.requests[0].language == "en" and session.requests[0].turns
    assert service.opened == [("wyoming", "", "127.0.0.1")]


def test_chunks_leave_as_sentences_end_and_are_the_transcript() -> None:
    async def scene(place: Place) -> tuple[list[Event], list[Event]]:
        async with place.client() as client:
            await client.say(START, SOUND)
            await until(lambda: place.heard > 0)
            place.service.sessions[0].commit()  # as when the session hears a pause
            early = await client.hear("transcript-chunk")
            await client.say(SOUND, STOP)
            return early, await client.hear("transcript-stop")

    early, late = play(scene)
    assert kinds(early) == SAID[:2] and kinds(late) == SAID[1:]
    assert early[1].data["text"] + late[0].data["text"] == late[1].data["text"] == "hello there general good bye"


def test_several_utterances_on_one_connection() -> None:
    async def scene(place: Place) -> list[Event]:
        async with place.client() as client:
            told = []
            for _ in range(3):
                await client.say(*UTTERANCE)
                told += await client.hear("transcript-stop")
            await client.say(*UTTERANCE, *UTTERANCE)  # the second before the answer to the first
            return told + await client.hear("transcript-stop") + await client.hear("transcript-stop")

    service = FakeService()
    assert kinds(play(scene, service)) == SAID * 5 and len(service.sessions) == 5


@pytest.mark.parametrize(
    "events",
    [
        (STOP,),
        (START, STOP),
        (Event("transcribe", {}), START, Event("audio-chunk", FORMAT), STOP),
    ],
)
def test_no_sound_is_an_empty_transcript(events: tuple[Event, ...]) -> None:
    async def scene(place: Place) -> list[Event]:
        async with place.client() as client:
            await client.say(*events)
            return await client.hear("transcript-stop")

    told = play(scene)
    assert kinds(told) == ["transcript-start", "transcript", "transcript-stop"] and told[1].data["text"] == ""


def test_sound_without_a_start_is_heard_as_it_says() -> None:
    async def scene(place: Place) -> list[Event]:
        async with place.client() as client:
            await client.say(Event("audio-chunk", {**FORMAT, "rate": 8000}, bytes(800)), STOP)
            return await client.hear("transcript-stop")

    service = FakeService()
    assert kinds(play(scene, service)) == SAID and service.sessions[0].requests[0].raw.sample_rate == 8000
    assert len(service.sessions[0].heard) == 800


def test_questions_are_answered_at_any_time_and_what_is_for_others_is_passed_over() -> None:
    ping, describe = Event("ping", {"text": "still there?"}), Event("describe")
    foreign = Event("recognize", {"text": "hello", "context": {"name": "x"}}, b"payload")

    async def scene(place: Place) -> tuple[list[Event], list[Event]]:
        async with place.client() as client:
            await client.say(foreign, ping, describe, Event("detect"), START, ping, foreign, SOUND, describe)
            asked = await client.hear("info")
            asked += await client.hear("info")
            await client.say(STOP)
            return asked, await client.hear("transcript-stop")

    asked, told = play(scene)
    assert kinds(asked) == ["pong", "info", "pong", "info"] and asked[0].data == {"text": "still there?"}
    assert kinds(told) == SAID


def test_the_one_model_in_use_is_told_where_there_is_one() -> None:
    class Two(FakeService):
        def models(self) -> list[FakeModel]:
            return [FakeModel("small"), FakeModel("large", languages=("en", "de"))]

    async def scene(place: Place) -> list[str]:
        async with place.client() as client:
            await client.say(Event("describe"))
            [told] = await client.hear("info")
            return [model["name"] for model in told.data["asr"][0]["models"]]

    assert play(scene, Two()) == ["small", "large"] == play(scene, Two(), only="auto")
    assert play(scene, Two(), only="large") == ["large"]


def test_describe_does_not_wait_for_a_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stuck(FakeService):
        gate = threading.Event()

        def models(self) -> list[FakeModel]:
            assert self.gate.wait(PATIENCE_S)
            return super().models()

    monkeypatch.setattr(wyoming_server, "KNOWN_S", 0.02)

    async def scene(place: Place) -> list[int]:
        async with place.client() as client:
            lengths = []
            await client.say(Event("describe"), Event("describe"))
            for _ in range(2):
                [told] = await client.hear("info")
                lengths.append(len(told.data["asr"][0]["models"]))
            Stuck.gate.set()
            while not lengths[-1]:
                await client.say(Event("describe"))
                [told] = await client.hear("info")
                lengths.append(len(told.data["asr"][0]["models"]))
            return lengths

    told = play(scene, Stuck())
    assert told[:2] == [0, 0] and told[-1] == 1


# -- faults ------------------------------------------------------------------------------------------------------------

WRONG = [
    (b'{"type":5}\n', "bad_request_body"),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "bad_request_body"),
    (b"\x00" * 100_000, "bad_request_body"),
    (b'{"type":"audio-chunk","payload_length":99999999}\n', "bad_request_body"),
    (b'{"type":"describe","data_length":-1}\n', "bad_request_body"),
    (encode(Event("transcribe", {"language": "klingon"})), "invalid_value"),
    (encode(Event("transcribe", {"language": 5})), "invalid_value"),
    (encode(Event("audio-start", {"rate": 16_000})), "invalid_value"),
    (encode(Event("audio-start", {**FORMAT, "rate": 5})), "bad_raw_parameters"),
    (encode(Event("audio-chunk", {}, b"xx")), "invalid_value"),
    (encode(START) + encode(START), "invalid_value"),
    (encode(START) + encode(Event("synthesize", {"text": "hello"})), "invalid_value"),
    (encode(START) + encode(Event("audio-chunk", {**FORMAT, "rate": 8000}, b"xx")), "invalid_value"),
    (encode(START) + encode(SOUND) + b'{"type":5}\n', "bad_request_body"),
    (encode(START) + encode(SOUND) + b"\n" * 200_000, "bad_request_body"),
]


@pytest.mark.parametrize(("data", "code"), WRONG, ids=[repr(data[:50]) for data, _ in WRONG])
def test_what_is_wrong_is_said_and_ends_the_connection(data: bytes, code: str) -> None:
    async def scene(place: Place) -> list[Event]:
        async with place.client() as client:
            await client.say_bytes(data)
            told = await client.hear_end()
        async with place.client() as client:  # and the next one is served
            await client.say(Event("describe"))
            assert await client.hear("info")
        return told

    [told] = play(scene)
    assert told.type == "error" and told.data["code"] == code and told.data["text"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"type":"describe"', "bad_request_body"),
        (b'{"type":"audio-chunk","payload_length":10}\nabc', "bad_request_body"),
        (encode(START) + encode(SOUND) + b'{"type":"audio-', "bad_request_body"),
        (encode(START) + encode(SOUND), "cancelled"),
    ],
)
def test_half_a_message_and_half_a_connection(data: bytes, code: str) -> None:
    async def scene(place: Place) -> list[Event]:
        async with place.client() as client:
            await client.say_bytes(data)
            client.writer.write_eof()
            return await client.hear_end()

    [told] = play(scene)
    assert (told.type, told.data["code"]) == ("error", code)


def test_a_question_is_answered_to_half_a_connection() -> None:
    async def scene(place: Place) -> list[Event]:
        async with place.client() as client:
            await client.say(Event("describe"))
            client.writer.write_eof()
            return await client.hear_end()

    assert kinds(play(scene)) == ["info"]


@pytest.mark.parametrize(
    ("service", "code"),
    [
        (lambda: FakeService(), None),
        (lambda: refusing(ModelNotFound("large")), "model_not_found"),
        (lambda: refusing(ValueError("canary")), "internal_error"),
    ],
)
def test_what_the_service_refuses_is_said(service: Callable[[], FakeService], code: str | None) -> None:
    async def scene(place: Place) -> list[Event]:
        async with place.client() as client:
            await client.say(*UTTERANCE)
            return await (client.hear("transcript-stop") if code is None else client.hear_end())

    told = play(scene, service())
    assert told[-1].data.get("code") == code and "canary" not in str(told)


def refusing(error: Exception) -> FakeService:
    service = FakeService()
    service.refuses = error  # type: ignore[assignment]
    return service


def test_a_session_that_ends_by_itself_ends_the_connection() -> None:
    async def scene(place: Place) -> list[Event]:
        async with place.client() as client:
            await client.say(START, SOUND)
            await until(lambda: place.heard > 0)
            place.service.sessions[0].fail(SessionLagging(40))
            return await client.hear_end()  # it sends nothing more, and learns of it all the same

    [told] = play(scene)
    assert told.data["code"] == "session_lagging"


def test_an_utterance_has_a_longest() -> None:
    async def scene(place: Place) -> list[Event]:
        async with place.client() as client:
            await client.say(START, *[SOUND] * 5)
            return await client.hear_end()

    [told] = play(scene, max_audio_s=0.35)
    assert told.data["code"] == "audio_too_long"


def test_who_says_nothing_is_sent_away() -> None:
    async def scene(place: Place) -> list[list[Event]]:
        async with place.client() as silent, place.client() as slow:
            await slow.say_bytes(b'{"type":"descr')
            return [await silent.hear_end(), await slow.hear_end()]

    assert [[event.data["code"] for event in told] for told in play(scene, idle_s=0.1)] == [["session_idle"]] * 2


def test_who_does_not_read_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SEND_S", 0.1)
    monkeypatch.setattr(connection, "LINGER_S", 0.1)
    question = encode(Event("ping", {"text": "x" * 60_000})) * 20

    async def scene(place: Place) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", place.port, limit=1024)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        with contextlib.suppress(OSError):
            while True:  # until it is cut: neither side may hold an endless number of answers
                writer.write(question)
                await writer.drain()
        await place.empty()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    play(scene)


def test_who_leaves_cancels_what_is_heard_for_it() -> None:
    class Endless(FakeService):
        """Its sessions never come to an end by themselves."""

        def listen(self, *args: Any, **more: Any) -> Any:
            session = super().listen(*args, **more)
            session.finish = lambda: None  # type: ignore[method-assign]
            return session

    async def scene(place: Place) -> None:
        async with place.client() as client:
            await client.say(*UTTERANCE)
            await until(lambda: place.heard == 6400)
            assert not place.service.sessions[0].closed.is_set()
        await asyncio.to_thread(place.service.sessions[0].closed.wait, PATIENCE_S)

    play(scene, Endless())


def test_noise_of_every_kind_leaves_a_server_that_lives() -> None:
    noise = random.Random(10)
    good = [encode(event) for event in (*UTTERANCE, Event("describe"), Event("ping"))]

    def nonsense() -> bytes:
        """Random bytes, good events with some bytes changed, or good events in any order."""
        kind = noise.randrange(3)
        if kind == 0:
            return noise.randbytes(noise.randrange(1, 3000))
        data = bytearray(b"".join(noise.choices(good, k=noise.randrange(1, 6))))
        for _ in range(noise.randrange(1, 5) if kind == 1 else 0):
            data[noise.randrange(len(data))] = noise.randrange(256)
        return bytes(data)

    async def one(place: Place) -> None:
        async with place.client() as client:
            await client.say_bytes(nonsense())
            client.writer.write_eof()
            for event in await client.hear_end():
                assert event.type != "error" or event.data["code"] in CODES

    async def scene(place: Place) -> None:
        for _ in range(10):
            await asyncio.gather(*(one(place) for _ in range(20)))
        async with place.client() as client:
            await client.say(*UTTERANCE)
            assert kinds(await client.hear("transcript-stop")) == SAID

    play(scene)


CODES = {"bad_request_body", "invalid_value", "bad_raw_parameters", "cancelled"}


def test_hundreds_who_come_and_go_leave_nothing() -> None:
    async def come_and_go(place: Place, number: int) -> None:
        async with place.client() as client:
            await client.say(*UTTERANCE[: number % (len(UTTERANCE) + 1)])
            if number % 7 == 0:
                client.writer.transport.abort()

    async def scene(place: Place) -> int:
        threads = threading.active_count()
        for start in range(0, 300, 50):
            await asyncio.gather(*(come_and_go(place, start + number) for number in range(50)))
            await place.empty()
        return threading.active_count() - threads

    assert play(scene) <= 32  # the event loop's own pool, which is used again


# -- who may come in ---------------------------------------------------------------------------------------------------


def test_addresses() -> None:
    own = Peers()
    assert own.may("127.0.0.1") and own.may("::1") and own.may("::ffff:127.0.0.1") and own.may("127.8.9.1")
    assert not any(own.may(address) for address in ("192.168.1.5", "::", "0.0.0.0", "", "localhost", "fe80::1%eth0"))
    home = Peers(["192.168.1.0/24", "10.0.0.7", "fd00::/8", "192.168.9.77/24"])
    assert all(home.may(address) for address in ("192.168.1.255", "10.0.0.7", "fd12::1", "192.168.9.1", "127.0.0.1"))
    assert home.may("::ffff:192.168.1.9") and home.may("fd00::1%eth0")
    assert not any(home.may(address) for address in ("192.168.2.1", "10.0.0.8", "::ffff:10.0.0.8", "8.8.8.8"))


def test_where_it_may_listen() -> None:
    for host in ("127.0.0.1", "localhost", "::1"):
        Peers().check_host(host)
    for host in ("0.0.0.0", "::", "192.168.1.5", "house.local"):
        with pytest.raises(SettingsError) as caught:
            Peers().check_host(host)
        assert "wyoming_allow" in caught.value.hint
        Peers(["192.168.1.0/24"]).check_host(host)
    with pytest.raises(SettingsError, match="no network"):
        Peers(["my house"])


def test_strangers_are_told_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Nobody(Peers):
        def may(self, address: str) -> bool:
            return False

    async def scene(place: Place) -> None:
        for _ in range(3):
            async with place.client() as client:
                with contextlib.suppress(OSError):
                    await client.say(*UTTERANCE)
                    assert await client.reader.read() == b""
        assert place.service.sessions == [] and place.door.inside == 0

    play(scene, peers=Nobody())
    assert caplog.text.count("wyoming_allow") == 1 and "127.0.0.1" not in caplog.text


def test_so_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LINGER_S", PATIENCE_S)

    async def scene(place: Place) -> list[Event]:
        async with place.client() as one, place.client() as two:
            for client in (one, two):
                await client.say(Event("ping"))
                await client.hear("pong")
            async with place.client() as three, place.client() as four:
                told = await three.hear_end()
                assert await four.hear_end() == told
                assert place.door.inside == 4  # who is refused is still there to read it
                async with place.client() as five:
                    with contextlib.suppress(ConnectionResetError):
                        assert await five.hear_end() == []
            await one.leave()
            await until(lambda: place.door.inside == 1)
            async with place.client() as six:
                await six.say(Event("ping"))
                await six.hear("pong")
            return told

    [told] = play(scene, connections=2)
    assert told.data["code"] == "too_many_sessions"


def test_a_door_that_closes_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LINGER_S", 0.2)
    service = FakeService()

    async def go() -> list[list[Event]]:
        listening = bind("127.0.0.1", 0)
        port = listening.getsockname()[1]
        async with WyomingDoor(service, Peers(), listening, WyomingLimits(grace_s=0.1)) as door:
            place = Place(door, service, port)
            idle, speaking = [Client(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(2)]
            await idle.say(Event("ping"))
            await idle.hear("pong")
            await speaking.say(START, SOUND, Event("ping"))
            await speaking.hear("pong")
            assert place.door.inside == 2
            leaving = [asyncio.create_task(client.hear_end()) for client in (idle, speaking)]
        told = [await task for task in leaving]
        for client in (idle, speaking):
            await client.leave()
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", port)
        return told

    told = asyncio.run(asyncio.wait_for(go(), PATIENCE_S))
    assert [[event.data["code"] for event in events] for events in told] == [["shutting_down"]] * 2
    assert service.sessions[0].closed.is_set()
