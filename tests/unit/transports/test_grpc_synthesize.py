"""`talkie.v1.Speech` as it speaks, in front of a fake service: sound and marks out, and every way to stop it."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import numpy as np
import pytest

from fakes_service import FakeService
from fakes_speech import RATE_HZ, WORD_S
from grpc_door import Opened, and_wait, bearer, code_of, in_turn, opened, refused
from http_door import run
from talkie.audio.raw import decode_samples
from talkie.errors import NothingToSay, QueueFull, TalkieError, TextTooLong, VoiceNotFound
from talkie.transports.grpc import synthesize
from talkie.transports.grpc.call import Call
from talkie.transports.keys import KeyRing, new_key, write_keys
from talkie.wire.protos.talkie.v1 import talkie_pb2 as pb

WAIT_S = 20
END = pb.StreamingSynthesizeRequest(end=pb.EndUtterance())
INTERRUPT = pb.StreamingSynthesizeRequest(interrupt=pb.Interrupt())


def speaker(service: FakeService | None = None, **more: Any) -> FakeService:
    service = service or FakeService()
    for name, value in more.items():
        assert hasattr(service, name)
        setattr(service, name, value)
    return service


def first(**fields: Any) -> pb.StreamingSynthesizeRequest:
    return pb.StreamingSynthesizeRequest(config=pb.SynthesizeRequest(**fields))


def text(words: str) -> pb.StreamingSynthesizeRequest:
    return pb.StreamingSynthesizeRequest(text=words)


async def stopped(service: FakeService) -> None:
    """Until the work has ended, however long this machine takes."""
    assert await asyncio.to_thread(service.speech_stopped.wait, WAIT_S)


async def rest(stream: Any) -> list[Any]:
    """What is still to come of a stream that is read message by message."""
    answers = []
    while (answer := await stream.read()) is not grpc.aio.EOF:
        answers.append(answer)
    return answers


def parts(answers: list[Any]) -> list[str]:
    return [str(answer.WhichOneof("part")) for answer in answers]


def test_sound_and_marks_as_they_are_made(tmp_path: Path) -> None:
    async def work() -> tuple[list[pb.SynthesizeResponse], FakeService]:
        async with opened(tmp_path) as door:
            asked = pb.SynthesizeRequest(
                text="one two", voice="de", language="en_GB", speed=1.5, generation=7, visemes=True, instructions="calm"
            )
            return [answer async for answer in door.speech.Synthesize(asked)], door.service

    answers, service = run(work())
    assert parts(answers) == ["format", "mark", "mark", "audio", "mark", "mark", "audio"]
    assert answers[0].format == pb.RawAudio(encoding=pb.ENCODING_S16LE, sample_rate_hz=RATE_HZ, channels=1)
    assert {answer.generation for answer in answers} == {7}
    sound = b"".join(answer.audio for answer in answers)
    assert len(sound) == 2 * round(2 * WORD_S * RATE_HZ) and np.frombuffer(sound, "<i2").max() > 16_000
    word, viseme = answers[4].mark, answers[5].mark
    assert (word.kind, word.text, word.start_s, word.end_s, word.estimated) == (
        pb.Mark.KIND_WORD,
        "two",
        0.2,
        0.4,
        False,
    )
    assert (viseme.kind, viseme.estimated) == (pb.Mark.KIND_VISEME, True)
    [request] = service.asked
    assert (request.text, request.voice, request.language, request.speed) == ("one two", "de", "en-gb", 1.5)
    assert (request.model, request.instructions, request.cache, request.owner) == ("auto", "calm", None, None)


@pytest.mark.parametrize("encoding", [number for number in pb.Encoding.values() if number])
def test_the_rate_and_kind_asked_for(tmp_path: Path, encoding: pb.Encoding) -> None:
    async def work() -> list[pb.SynthesizeResponse]:
        async with opened(tmp_path) as door:
            raw = pb.RawAudio(encoding=encoding, sample_rate_hz=44_100, channels=2)
            return [answer async for answer in door.speech.Synthesize(pb.SynthesizeRequest(text="one two", raw=raw))]

    answers = run(work())
    assert answers[0].format == pb.RawAudio(encoding=encoding, sample_rate_hz=44_100, channels=2)
    name = pb.Encoding.Name(encoding).removeprefix("ENCODING_").lower()
    samples = decode_samples(name, b"".join(answer.audio for answer in answers)).reshape(-1, 2)
    assert abs(len(samples) - 2 * WORD_S * 44_100) <= 2
    assert (samples[:, 0] == samples[:, 1]).all() and 0.45 < float(samples.max()) < 0.55
    crossings = int(np.sum(np.diff(np.signbit(samples[:, 0])) != 0))
    assert abs(crossings - 2 * 440 * 2 * WORD_S) < 10, "the tone has another pitch"


def test_one_message_is_never_more_than_a_client_takes(tmp_path: Path) -> None:
    async def work() -> list[pb.SynthesizeResponse]:
        async with opened(tmp_path) as door:
            raw = pb.RawAudio(encoding=pb.ENCODING_F64LE, sample_rate_hz=192_000, channels=8)
            return [answer async for answer in door.speech.Synthesize(pb.SynthesizeRequest(text="one", raw=raw))]

    sizes = [len(answer.audio) for answer in run(work()) if answer.audio]
    assert sum(sizes) == pytest.approx(WORD_S * 192_000 * 64, rel=0.01)
    assert max(sizes) <= synthesize.AUDIO_BYTES and all(size % 64 == 0 for size in sizes)


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"speed": 9}, "invalid_value", "speed"),
        ({"speed": float("nan")}, "invalid_value", "speed"),
        ({"speed": -1}, "invalid_value", "speed"),
        ({"language": "no language"}, "invalid_value", "language"),
        ({"voice": "v" * 1000}, "invalid_value", "voice"),
        ({"instructions": "v" * 10_001}, "invalid_value", "instructions"),
        ({"raw": pb.RawAudio(encoding=77)}, "invalid_value", "encoding"),  # type: ignore[arg-type]
        ({"raw": pb.RawAudio(sample_rate_hz=3)}, "bad_raw_parameters", "file"),
        ({"raw": pb.RawAudio(channels=99)}, "bad_raw_parameters", "file"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, fields: dict[str, Any], code: str, param: str) -> None:
    async def work() -> None:
        async with opened(tmp_path) as door:
            error = await refused(door.speech.Synthesize(pb.SynthesizeRequest(text="one", **fields)))
            assert (error.code(), code_of(error)) == (grpc.StatusCode.INVALID_ARGUMENT, code)
            assert dict(error.trailing_metadata())["talkie-param"] == param
            error = await refused(door.speech.StreamingSynthesize(and_wait(first(**fields))))
            assert code_of(error) == code
            assert door.service.asked == []

    run(work())


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NothingToSay(), grpc.StatusCode.INVALID_ARGUMENT),
        (VoiceNotFound("x"), grpc.StatusCode.NOT_FOUND),
        (TextTooLong(9, 8), grpc.StatusCode.INVALID_ARGUMENT),
        (QueueFull(3), grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
def test_what_the_service_refuses(tmp_path: Path, error: TalkieError, status: grpc.StatusCode) -> None:
    async def work() -> None:
        async with opened(tmp_path, speaker(speak_raises=error)) as door:
            told = await refused(door.speech.Synthesize(pb.SynthesizeRequest(text="one")))
            assert (told.code(), code_of(told)) == (status, error.code)

    run(work())


def test_a_fault_in_the_midst_is_an_error_and_not_the_end_of_the_speech(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path, speaker(speak_breaks=ValueError("canary-in-exception"))) as door:
            stream = door.speech.Synthesize(pb.SynthesizeRequest(text="one two"))
            assert parts([await stream.read() for _ in range(3)]) == ["format", "mark", "audio"]
            with pytest.raises(grpc.aio.AioRpcError) as told:
                await stream.read()
            assert told.value.code() == grpc.StatusCode.INTERNAL and "canary" not in str(told.value)

    run(work())


LONG = "word " * 5000


@pytest.mark.parametrize("way", ["cancel", "deadline", "channel"])
def test_who_leaves_ends_the_work(tmp_path: Path, way: str) -> None:
    service = speaker(word_wait_s=0.01)

    async def work() -> None:
        async with opened(tmp_path, service) as door:
            timeout = 0.5 if way == "deadline" else None
            stream = door.speech.Synthesize(pb.SynthesizeRequest(text=LONG), timeout=timeout)
            answers = aiter(stream)
            for _ in range(3):
                await anext(answers)
            if way == "cancel":
                stream.cancel()
            elif way == "channel":
                await door.channel.close()
            else:
                assert (await refused(stream)).code() == grpc.StatusCode.DEADLINE_EXCEEDED
            await stopped(service)

    run(work())
    assert 0 < service.spoken < 5000


def test_who_does_not_read_holds_the_work_back(tmp_path: Path) -> None:
    """Flow control of HTTP/2, then two pieces: an hour of speech is never made for nobody."""
    service = speaker()

    async def work() -> None:
        async with opened(tmp_path, service) as door:
            stream = door.speech.Synthesize(pb.SynthesizeRequest(text=LONG))
            await anext(aiter(stream))
            seen = -1
            while seen != service.spoken:
                seen = service.spoken
                await asyncio.sleep(0.5)
            stream.cancel()
            await stopped(service)

    run(work())
    assert 0 < service.spoken < 5000


def test_a_server_that_stops_lets_a_short_text_be_spoken(tmp_path: Path) -> None:
    service = speaker(word_wait_s=0.05)

    async def work() -> list[str]:
        async with opened(tmp_path, service) as door:
            stream = aiter(door.speech.Synthesize(pb.SynthesizeRequest(text="one two three")))
            heard = [await anext(stream)]
            closing = asyncio.create_task(door.door.__aexit__(None, None, None))
            heard += [answer async for answer in stream]
            await closing
            return parts(heard)

    assert run(work()).count("audio") == 3


def test_when_the_line_is_full_the_next_is_told_so_and_open_calls_take_no_place(tmp_path: Path) -> None:
    service = speaker(word_wait_s=0.05)

    async def work() -> None:
        async with opened(tmp_path, service, places=1) as door:
            idle = [door.speech.StreamingSynthesize(and_wait(first())) for _ in range(3)]
            long = door.speech.Synthesize(pb.SynthesizeRequest(text=LONG))
            assert (await long.read()).HasField("format")
            for call in (
                door.speech.Synthesize(pb.SynthesizeRequest(text="one")),
                door.speech.StreamingSynthesize(and_wait(first(), text("one"))),
            ):
                error = await refused(call)
                assert (error.code(), code_of(error)) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "queue_full")
            long.cancel()
            await stopped(service)
            assert not any(call.done() for call in idle)

    run(work())


# -- while the text is being written -----------------------------------------------------------------------------------


def test_a_text_is_spoken_while_it_is_written(tmp_path: Path) -> None:
    async def work() -> tuple[list[Any], FakeService]:
        async with opened(tmp_path) as door:
            messages = in_turn(first(generation=3), text("one "), text("two"), END, END, text("  "), text(" three "))
            return [answer async for answer in door.speech.StreamingSynthesize(messages)], door.service

    answers, service = run(work())
    assert parts(answers) == ["format", "mark", "audio", "mark", "audio", "done", "format", "mark", "audio", "done"]
    assert [answer.generation for answer in answers] == [3] * 6 + [4] * 4
    assert [answer.mark.text for answer in answers if answer.HasField("mark")] == ["one", "two", "three"]
    assert answers[5].done.duration_s == pytest.approx(2 * WORD_S) and answers[7].mark.start_s == 0
    assert [(request.text, request.generation) for request in service.asked] == [("", 3), ("", 4)]


def test_the_first_sentence_comes_before_the_second_is_written(tmp_path: Path) -> None:
    async def work() -> list[str]:
        async with opened(tmp_path) as door:
            stream = door.speech.StreamingSynthesize()
            await stream.write(first())
            await stream.write(text("one"))
            heard = [await stream.read() for _ in range(3)]
            await stream.write(text("two"))
            heard += [await stream.read() for _ in range(2)]
            await stream.done_writing()
            return parts([*heard, *await rest(stream)])

    assert run(work()) == ["format", "mark", "audio", "mark", "audio", "done"]


def test_who_speaks_in_between_ends_all_that_was_written(tmp_path: Path) -> None:
    service = speaker(word_wait_s=0.01)

    async def work() -> list[Any]:
        async with opened(tmp_path, service) as door:
            stream = door.speech.StreamingSynthesize()
            for message in (first(), text(LONG), END, text("never said"), END):
                await stream.write(message)
            heard = [await stream.read() for _ in range(5)]
            await stream.write(INTERRUPT)
            await stream.write(text("yes"))
            await stream.done_writing()
            return [*heard, *await rest(stream)]

    answers = run(work())
    assert 0 < service.spoken < 5000
    at = parts(answers).index("interrupted")
    assert {answer.generation for answer in answers[:at]} == {0} and answers[at].generation == 1
    heard_s = sum(len(answer.audio) for answer in answers[:at]) / 2 / RATE_HZ
    assert answers[at].interrupted.sent_s == pytest.approx(heard_s, abs=0.001)
    assert parts(answers[at + 1 :]) == ["format", "mark", "audio", "done"]
    assert {answer.generation for answer in answers[at + 1 :]} == {2} and answers[at + 2].mark.text == "yes"
    assert len(service.asked) == 2, "what waited was spoken"


def test_interruptions_with_nothing_to_interrupt_have_numbers_too(tmp_path: Path) -> None:
    async def work() -> list[Any]:
        async with opened(tmp_path) as door:
            largest = 2**32 - 1
            messages = in_turn(first(generation=largest), INTERRUPT, INTERRUPT, text("one"), END, text("two"))
            return [answer async for answer in door.speech.StreamingSynthesize(messages)]

    answers = run(work())
    numbers = [(part, answer.generation) for part, answer in zip(parts(answers), answers, strict=True)]
    interrupted, done = [n for p, n in numbers if p == "interrupted"], [n for p, n in numbers if p == "done"]
    assert interrupted == [2**32 - 1] * 2 and done == [0, 1]


def test_an_utterance_without_words_ends_nothing(tmp_path: Path) -> None:
    async def work() -> list[Any]:
        async with opened(tmp_path, speaker(speak_raises=NothingToSay())) as door:
            messages = in_turn(first(), text("…"), END, text("…"))
            return [answer async for answer in door.speech.StreamingSynthesize(messages)]

    answers = run(work())
    assert parts(answers) == ["done", "done"] and answers[0].done.duration_s == 0


def test_who_leaves_in_the_midst_of_writing_ends_the_work(tmp_path: Path) -> None:
    service = speaker(word_wait_s=0.01)

    async def work() -> None:
        async with opened(tmp_path, service) as door:
            stream = door.speech.StreamingSynthesize(and_wait(first(), text("one "), text(LONG)))
            assert (await anext(aiter(stream))).HasField("format")
            stream.cancel()
            await stopped(service)

    run(work())
    assert service.spoken < 5000


def test_an_error_arrives_though_the_client_does_not_read_yet(tmp_path: Path) -> None:
    service = speaker()

    async def work() -> None:
        async with opened(tmp_path, service) as door:
            stream = door.speech.StreamingSynthesize(timeout=WAIT_S)
            await stream.write(first())
            await stream.write(text(LONG))
            seen = -1
            while seen != service.spoken:
                seen = service.spoken
                await asyncio.sleep(0.2)
            await stream.write(first())
            await stopped(service)  # so the error has come up
            with pytest.raises(grpc.aio.AioRpcError) as told:
                await rest(stream)
            assert (told.value.code(), code_of(told.value)) == (grpc.StatusCode.INVALID_ARGUMENT, "bad_request_body")

    run(work())
    assert 0 < service.spoken < 5000


def test_who_is_cancelled_lets_the_first_message_leave() -> None:
    """Else gRPC sends the headers twice, and the status is lost."""

    class Context:
        entered, release, left = asyncio.Event(), asyncio.Event(), 0

        async def write(self, _data: bytes) -> None:
            self.entered.set()
            await self.release.wait()
            self.left += 1

    async def work() -> int:
        context = Context()
        writing = asyncio.create_task(Call(context, read_s=1).write(pb.SynthesizeResponse()))
        await context.entered.wait()
        writing.cancel()
        await asyncio.sleep(0)
        context.release.set()
        with pytest.raises(asyncio.CancelledError):
            await writing
        return context.left

    assert run(work()) == 1


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ((text("one"),), "bad_request_body"),
        ((INTERRUPT,), "bad_request_body"),
        ((first(text="one"),), "invalid_value"),
        ((first(ssml=True),), "invalid_value"),
        ((first(), first()), "bad_request_body"),
        ((first(), pb.StreamingSynthesizeRequest()), "bad_request_body"),
        ((first(), text("x" * 600_000), text("x" * 600_000)), "text_too_long"),
        ((first(), text("a " * 300_000), END, text("b " * 300_000)), "text_too_long"),
        ((first(), text(LONG), END, text("b"), END, text("c")), "queue_full"),
    ],
)
def test_what_cannot_be_spoken_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, messages: tuple[Any, ...], code: str
) -> None:
    monkeypatch.setattr(synthesize, "WAITING", 2)

    async def work() -> None:
        async with opened(tmp_path, speaker(word_wait_s=0.2), max_bytes=2_000_000) as door:
            assert code_of(await refused(door.speech.StreamingSynthesize(and_wait(*messages)))) == code

    run(work())


# -- who may, and what is told of it -----------------------------------------------------------------------------------


def keys_in(directory: Path, **scopes: str) -> tuple[KeyRing, dict[str, str]]:
    """A ring of keys with one scope each, and the keys by their names."""
    made = {name: new_key(name, [scope]) for name, scope in scopes.items()}
    write_keys(directory / "keys.toml", [stored for _, stored in made.values()])
    return KeyRing(path=directory / "keys.toml"), {name: key for name, (key, _) in made.items()}


def whole(door: Opened, who: Any, _sending: Any) -> Any:
    return door.speech.Synthesize(pb.SynthesizeRequest(text="one"), metadata=who)


def streamed(door: Opened, who: Any, sending: Any) -> Any:
    return door.speech.StreamingSynthesize(sending(first(), text("one"), END), metadata=who)


def silent(*_messages: Any) -> AsyncIterator[Any]:
    return and_wait()


@pytest.mark.parametrize("speak", [whole, streamed])
def test_a_key_must_say_that_it_may_speak(tmp_path: Path, speak: Callable[[Opened, Any, Any], Any]) -> None:
    ring, keys = keys_in(tmp_path, radio="speak", ears="transcribe", master="admin")

    async def work() -> None:
        async with opened(tmp_path, keys=ring) as door:
            assert code_of(await refused(speak(door, bearer(keys["ears"]), silent))) == "scope_missing"
            assert code_of(await refused(speak(door, (), silent))) == "key_missing"
            assert door.service.asked == []
            for name in ("radio", "master"):
                answers = [answer async for answer in speak(door, bearer(keys[name]), in_turn)]
                assert parts(answers)[:3] == ["format", "mark", "audio"]
            assert [request.owner for request in door.service.asked] == ["radio", None]

    run(work())


def test_nothing_of_the_text_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def work() -> None:
        async with opened(tmp_path) as door:
            async for _ in door.speech.Synthesize(pb.SynthesizeRequest(text="canary-text", instructions="canary-how")):
                pass
            async for _ in door.speech.StreamingSynthesize(in_turn(first(), text("canary-text"))):
                pass

    run(work())
    assert "canary" not in caplog.text
    lines = [record.getMessage() for record in caplog.records if record.name == "talkie.grpc"]
    assert len(lines) == 2 and all("OK" in line and "0.2 s of audio" in line for line in lines)


def test_any_messages_of_any_kind_leave_a_server_that_speaks(tmp_path: Path) -> None:
    """Messages made up of valid and of random bytes, in any order: an answer or an error of ours, and never a fault."""
    dice = random.Random(4711)
    kinds = [first(), text("one"), text("\u202e\0two"), END, INTERRUPT, pb.StreamingSynthesizeRequest()]

    async def any_messages() -> AsyncIterator[bytes]:
        for _ in range(dice.randrange(1, 12)):
            made = dice.choice(kinds).SerializeToString()
            yield made if dice.random() < 0.8 else dice.randbytes(dice.randrange(40))

    async def work() -> None:
        async with opened(tmp_path) as door:
            for method in ("Synthesize", "StreamingSynthesize") * 20:
                call = door.channel.stream_stream(f"/talkie.v1.Speech/{method}")(any_messages(), timeout=WAIT_S)
                try:
                    async for _ in call:
                        pass
                except grpc.aio.AioRpcError as error:
                    assert code_of(error) in ("bad_request_body", "invalid_value", "") and error.code() not in (
                        grpc.StatusCode.UNKNOWN,
                        grpc.StatusCode.DEADLINE_EXCEEDED,
                    ), error
            answers = [answer async for answer in door.speech.Synthesize(pb.SynthesizeRequest(text="one"))]
            assert parts(answers) == ["format", "mark", "audio"]

    run(work())
