"""The Wyoming door as it speaks, on a real socket in front of a service that is made up."""

from __future__ import annotations

import asyncio
import io
import logging
import random
from typing import Any

import numpy as np
import pytest

from fakes_service import FakeModel, FakeService
from fakes_speech import RATE_HZ, WORD_S
from talkie.errors import NothingToSay, QueueFull, VoiceNotFound
from talkie.runtime.speech import SpeakRequest
from talkie.transports.wyoming import connection, speak
from talkie.wire.wyoming import Event, encode
from wyoming_door import PATIENCE_S, SOUND, START, STOP, Place, kinds, play, until

LONG = "word " * 5000
FORMAT = {"rate": RATE_HZ, "width": 2, "channels": 1}


def synthesize(text: str = "one two", **data: Any) -> Event:
    return Event("synthesize", {"text": text, **data})


def begin(**data: Any) -> Event:
    return Event("synthesize-start", data)


def chunk(text: str) -> Event:
    return Event("synthesize-chunk", {"text": text})


END = Event("synthesize-stop")


def home_assistant(*pieces: str, **data: Any) -> list[Event]:
    """As it streams: the text in pieces, then the whole of it for servers that cannot, then the end."""
    return [begin(**data), *map(chunk, pieces), synthesize("".join(pieces)), END]


def speaker(**more: Any) -> FakeService:
    service = FakeService()
    for name, value in more.items():
        assert hasattr(service, name)
        setattr(service, name, value)
    return service


def pcm(told: list[Event]) -> np.ndarray:
    return np.frombuffer(b"".join(event.payload for event in told), "<i2")


def ask(service: FakeService, *events: Event, last: str = "audio-stop") -> list[Event]:
    async def scene(place: Place) -> list[Event]:
        async with place.client() as client:
            await client.say(*events)
            return await client.hear(last)

    told: list[Event] = play(scene, service)
    return told


def refused(service: FakeService, *events: Event) -> list[Event]:
    """All that is told until the connection is closed."""

    async def scene(place: Place) -> list[Event]:
        async with place.client() as client:
            await client.say(*events)
            return await client.hear_end()

    told: list[Event] = play(scene, service)
    return told


def test_a_text_is_spoken() -> None:
    service = FakeService()
    told = ask(service, synthesize(voice={"name": "de", "speaker": "x"}))
    assert kinds(told) == ["audio-start", *["audio-chunk"] * (len(told) - 2), "audio-stop"]
    assert told[0].data == FORMAT and all(event.data == FORMAT for event in told[1:-1])
    assert len(pcm(told)) == 2 * round(WORD_S * RATE_HZ) and pcm(told).max() > 16_000
    assert max(len(event.payload) for event in told) <= speak.PIECE_BYTES
    assert service.asked == [SpeakRequest("one two", voice="de", owner="")]


def test_texts_and_utterances_one_after_another_on_one_connection() -> None:
    async def scene(place: Place) -> list[str]:
        told = []
        async with place.client() as client:
            await client.say(synthesize("one"), synthesize("two"), Event("ping"))
            told += await client.hear("pong")
            await client.say(START, SOUND, STOP)
            told += await client.hear("transcript-stop")
            await client.say(*home_assistant("three"))
            told += await client.hear("synthesize-stopped")
        return [kind for kind in kinds(told) if kind != "audio-chunk"]

    spoken = ["audio-start", "audio-stop"]
    heard = ["transcript-start", "transcript-chunk", "transcript", "transcript-stop"]
    assert play(scene) == [*spoken, *spoken, "pong", *heard, *spoken, "synthesize-stopped"]


def test_a_text_that_comes_in_pieces_and_then_as_a_whole_is_spoken_once() -> None:
    service = FakeService()
    told = ask(service, *home_assistant("one ", "tw", "o", voice={"language": "en_GB"}), last="synthesize-stopped")
    assert [kind for kind in kinds(told) if kind != "audio-chunk"] == [
        "audio-start",
        "audio-stop",
        "synthesize-stopped",
    ]
    assert service.asked == [SpeakRequest("", language="en-gb", owner="")]
    # the fake says a word for each piece, and has no word for a space
    assert service.spoken == 3 and len(pcm(told)) == 3 * round(WORD_S * RATE_HZ)


def test_a_whole_text_without_pieces_is_spoken_too() -> None:
    service = FakeService()
    ask(service, begin(), synthesize("one two"), END, last="synthesize-stopped")
    assert service.spoken == 2


def test_sound_leaves_while_the_text_is_still_being_written() -> None:
    async def scene(place: Place) -> list[str]:
        async with place.client() as client:
            await client.say(begin(), chunk("one "))
            told = await client.hear("audio-chunk")
            await client.say(Event("ping"), Event("describe"))  # which may come at any time
            told += await client.hear("info")
            await client.say(chunk("two "), synthesize("one two "), END)
            return kinds(told + await client.hear("synthesize-stopped"))

    told = play(scene)
    assert told[0] == "audio-start" and told[-2:] == ["audio-stop", "synthesize-stopped"]
    assert told.count("pong") == told.count("info") == told.count("audio-start") == 1


@pytest.mark.parametrize(
    "events",
    [
        (synthesize("<speak>one</speak>", text_format="ssml"),),
        (begin(text_format="ssml"), chunk("<speak>o"), chunk("ne</speak>"), synthesize("<speak>one</speak>"), END),
    ],
)
def test_ssml_is_spoken_whole(events: tuple[Event, ...]) -> None:
    service = FakeService()
    told = ask(service, *events, last="audio-stop" if len(events) == 1 else "synthesize-stopped")
    assert kinds(told)[0] == "audio-start"
    assert service.asked == [SpeakRequest("<speak>one</speak>", ssml=True, owner="")]


def test_info_tells_of_the_voices() -> None:
    service = FakeService()
    service.add_voice("everybodys", io.BytesIO(b"x"), language="fr", owner="")
    service.add_voice("somebodys", io.BytesIO(b"x"), owner="radio")
    [told] = ask(service, Event("describe"), last="info")
    [program] = told.data["tts"]
    assert program["supports_synthesize_streaming"] is True and program["installed"] and program["name"] == "talkie"
    assert {voice["name"]: voice["languages"] for voice in program["voices"]} == {
        "en-us": ["en"],
        "de": ["de"],
        "everybodys": ["fr"],
    }
    assert all(voice["installed"] and voice["attribution"]["url"] for voice in program["voices"])


def test_what_only_speaks_is_not_told_to_hear() -> None:
    class Both(FakeService):
        def models(self) -> list[FakeModel]:
            return [FakeModel(), FakeModel("espeak", kind="synthesizer")]

    [told] = ask(Both(), Event("describe"), last="info")
    assert [model["name"] for model in told.data["asr"][0]["models"]] == ["fake-en"]


def test_info_without_a_voice_offers_none() -> None:
    class Mute(FakeService):
        def voices(self, owner: str | None = None) -> list[Any]:
            return []

    [told] = ask(Mute(), Event("describe"), last="info")
    assert told.data["tts"] == [] and told.data["asr"]


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ((synthesize(5),), "invalid_value"),  # type: ignore[arg-type]
        ((synthesize(voice=5),), "invalid_value"),
        ((synthesize(voice={"name": 5}),), "invalid_value"),
        ((synthesize(voice={"name": "v" * 300}),), "invalid_value"),
        ((synthesize(voice={"language": "no language"}),), "invalid_value"),
        ((synthesize(text_format="html"),), "invalid_value"),
        ((chunk("one"),), "invalid_value"),
        ((END,), "invalid_value"),
        ((begin(), begin()), "invalid_value"),
        ((begin(), START), "invalid_value"),
        ((begin(), Event("synthesize-chunk", {"text": []})), "invalid_value"),
        ((begin(), *[chunk("x" * 300_000)] * 4), "text_too_long"),
        ((begin(text_format="ssml"), *[chunk("x" * 300_000)] * 4), "text_too_long"),
    ],
)
def test_what_cannot_be_spoken_is_an_error_and_the_end(events: tuple[Event, ...], code: str) -> None:
    *_, error = refused(speaker(word_wait_s=0.1), *events)
    assert (error.type, error.data["code"]) == ("error", code)


@pytest.mark.parametrize("error", [NothingToSay(), VoiceNotFound("x"), QueueFull(3)])
@pytest.mark.parametrize("events", [(synthesize(),), tuple(home_assistant("one"))])
def test_what_the_service_refuses(error: Any, events: tuple[Event, ...]) -> None:
    [told] = refused(speaker(speak_raises=error), *events)
    assert (told.type, told.data["code"]) == ("error", error.code)


def test_a_fault_in_the_midst_is_an_error_and_no_end_of_the_speech() -> None:
    told = refused(speaker(speak_breaks=ValueError("canary-in-exception")), synthesize())
    assert kinds(told)[0] == "audio-start" and kinds(told)[-1] == "error" and "audio-stop" not in kinds(told)
    assert "canary" not in str(told)


@pytest.mark.parametrize(
    "events", [(synthesize(LONG),), (begin(), chunk("one "), chunk(LONG)), tuple(home_assistant(LONG))]
)
def test_who_leaves_ends_the_work(events: tuple[Event, ...]) -> None:
    service = speaker(word_wait_s=0.01)

    async def scene(place: Place) -> None:
        async with place.client() as client:
            await client.say(*events)
            await client.hear("audio-chunk")
        assert await asyncio.to_thread(service.speech_stopped.wait, PATIENCE_S)

    play(scene, service)
    assert service.spoken < 5000


def test_who_does_not_read_is_cut_and_the_work_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SEND_S", 0.2)
    service = speaker()

    async def scene(place: Place) -> None:
        async with place.client() as client:
            await client.say(synthesize(LONG))
            await until(lambda: not place.door.inside)
        assert await asyncio.to_thread(service.speech_stopped.wait, PATIENCE_S)

    play(scene, service)
    assert 0 < service.spoken < 5000


def test_a_door_that_closes_ends_what_takes_too_long() -> None:
    service = speaker(word_wait_s=0.01)

    async def scene(place: Place) -> list[Event]:
        async with place.client() as client:
            await client.say(synthesize(LONG))
            await client.hear("audio-chunk")
            closing = asyncio.create_task(place.door.__aexit__(None, None, None))
            told = await client.hear_end()
            await closing
            return told

    *_, last = play(scene, service)
    assert (last.type, last.data["code"]) == ("error", "shutting_down")
    assert service.speech_stopped.is_set() and service.spoken < 5000


def test_nothing_of_the_text_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ask(FakeService(), synthesize("canary-text"))
    ask(FakeService(), *home_assistant("canary-text"), last="synthesize-stopped")
    assert "canary" not in caplog.text
    assert caplog.text.count("0.2 s of audio spoken") == 2


def test_events_in_any_order_are_answers_or_errors_of_ours() -> None:
    dice = random.Random(4711)
    kinds_of = [synthesize("one"), begin(), begin(text_format="ssml"), chunk("one "), END, START, SOUND, STOP]
    made = [*kinds_of, synthesize("\ud800\0\u202e"), Event("describe"), Event("ping"), Event("synthesize")]

    async def scene(place: Place) -> set[str]:
        codes = set()
        for _ in range(60):
            async with place.client() as client:
                await client.say_bytes(b"".join(encode(dice.choice(made)) for _ in range(dice.randrange(1, 8))))
                client.writer.write_eof()
                codes |= {event.data["code"] for event in await client.hear_end() if event.type == "error"}
        return codes

    assert play(scene) <= {"invalid_value", "cancelled"}  # who closes its side is taken to have gone
