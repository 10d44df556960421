"""`talkie.v1.Speech` in front of a fake service: what comes out, and how it ends when something goes wrong."""

from __future__ import annotations

import asyncio
import io
import logging
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from fakes_service import FakeService
from grpc_door import CLEAR, COMMIT, SECOND, and_wait, code_of, config, in_turn, opened, refused, sound
from http_door import run
from talkie.audio.formats import RawFormat
from talkie.errors import ModelNotFound, SessionLagging, TooManySessions, UnsupportedByModel
from talkie.runtime import metrics
from talkie.transports.grpc import call as calls
from talkie.types import LiveNotice, Notice
from talkie.wire.protos.talkie.v1 import talkie_pb2 as pb

WAIT_S = 20


def test_a_recording_and_its_transcript(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as door:
            asked = pb.RecognitionConfig(words=True, language="en-US", hotwords="Talkie", preset="fast")
            answer = await door.speech.Recognize(pb.RecognizeRequest(config=asked, audio=b"sound", temperature=0.5))
            heard = answer.transcript
            assert heard.text == "hello there general"
            assert [word.text for word in heard.segments[0].words] == ["hello", "there"]
            assert (heard.language, heard.model, heard.duration_s) == ("en", "fake-en", 2.0)
            data, request = door.service.seen[0]
            assert data == b"sound"
            assert (request.language, request.hotwords, request.preset) == ("en", "Talkie", "fast")
            assert (request.temperature, request.vad, request.filters, request.raw) == (0.5, True, True, None)

    run(work())
    assert [*tmp_path.iterdir()] == []


def test_raw_sound_is_read_as_the_request_says(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as door:
            raw = pb.RawAudio(encoding=pb.ENCODING_MULAW, sample_rate_hz=8000, channels=2)
            asked = pb.RecognitionConfig(raw=raw, filters=False, task=pb.TASK_TRANSLATE)
            await door.speech.Recognize(pb.RecognizeRequest(config=asked, audio=b"sound", vad=False))
            request = door.service.seen[0][1]
            assert request.raw == RawFormat(8000, 2, "mulaw")
            assert (request.vad, request.filters, request.task) == (False, False, "translate")

    run(work())


@pytest.mark.parametrize(
    ("asked", "code", "param"),
    [
        (pb.RecognizeRequest(temperature=3), "invalid_value", "temperature"),
        (pb.RecognizeRequest(temperature=float("nan")), "invalid_value", "temperature"),
        (pb.RecognizeRequest(config=pb.RecognitionConfig(language="klingon")), "invalid_value", "language"),
        (pb.RecognizeRequest(config=pb.RecognitionConfig(preset="x")), "invalid_value", "preset"),
        (pb.RecognizeRequest(config=pb.RecognitionConfig(task=77)), "invalid_value", "task"),
        (pb.RecognizeRequest(config=pb.RecognitionConfig(raw=pb.RawAudio())), "bad_raw_parameters", "file"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, asked: pb.RecognizeRequest, code: str, param: str) -> None:
    async def work() -> None:
        async with opened(tmp_path) as door:
            error = await refused(door.speech.Recognize(asked))
            assert (error.code(), code_of(error)) == (grpc.StatusCode.INVALID_ARGUMENT, code)
            assert dict(error.trailing_metadata())["talkie-param"] == param
            assert door.service.seen == []

    run(work())


@pytest.mark.parametrize(
    ("raises", "status", "code"),
    [
        (ModelNotFound("héron"), grpc.StatusCode.NOT_FOUND, "model_not_found"),
        (UnsupportedByModel("words", "No."), grpc.StatusCode.INVALID_ARGUMENT, "unsupported_by_model"),
        (ValueError("canary-in-exception"), grpc.StatusCode.INTERNAL, "internal_error"),
    ],
)
def test_what_the_service_raises(tmp_path: Path, raises: Exception, status: grpc.StatusCode, code: str) -> None:
    async def work() -> None:
        async with opened(tmp_path, FakeService(raises=raises)) as door:
            error = await refused(door.speech.Recognize(pb.RecognizeRequest(audio=b"sound")))
            assert (error.code(), code_of(error)) == (status, code)
            assert "canary" not in f"{error.details()}{error.trailing_metadata()}{error.debug_error_string()}"

    run(work())


def test_when_the_line_is_full_the_next_is_told_so(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path, FakeService(hangs=True), places=1) as door:
            first = door.speech.Recognize(pb.RecognizeRequest(audio=b"1"))
            await asyncio.to_thread(door.service.started.wait, WAIT_S)
            error = await refused(door.speech.Recognize(pb.RecognizeRequest(audio=b"2")))
            assert (error.code(), code_of(error)) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "queue_full")
            assert dict(error.trailing_metadata())["retry-after"] == "1"
            first.cancel()
            assert await asyncio.to_thread(door.service.cancelled.wait, WAIT_S)

    run(work())


def test_a_client_that_goes_stops_its_work(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path, FakeService(hangs=True)) as door:
            call = door.speech.Recognize(pb.RecognizeRequest(audio=b"1"))
            await asyncio.to_thread(door.service.started.wait, WAIT_S)
            call.cancel()
            assert await asyncio.to_thread(door.service.cancelled.wait, WAIT_S)

    run(work())


def test_a_deadline_stops_the_work(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path, FakeService(hangs=True)) as door:
            error = await refused(door.speech.Recognize(pb.RecognizeRequest(audio=b"1"), timeout=0.3))
            assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            assert await asyncio.to_thread(door.service.cancelled.wait, WAIT_S)
            stream = door.speech.StreamingRecognize(endless(), timeout=0.3)
            assert (await refused(stream)).code() is grpc.StatusCode.DEADLINE_EXCEEDED
            assert await asyncio.to_thread(door.service.sessions[0].closed.wait, WAIT_S)

    run(work())


def endless() -> AsyncIterator[pb.StreamingRecognizeRequest]:
    return and_wait(config(), sound())


async def kinds_of(stream: Any) -> list[str | None]:
    return [answer.WhichOneof("event") async for answer in stream]


def test_a_session_from_first_to_last(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as door:
            messages = in_turn(config(client_label="desk"), sound(), COMMIT, sound(), sound())
            answers = [answer async for answer in door.speech.StreamingRecognize(messages)]
            kinds = [answer.WhichOneof("event") for answer in answers]
            utterance = ["speech_started", "partial", "partial", "speech_stopped", "final"]
            assert kinds == ["ready", *utterance, *utterance]
            assert answers[0].ready.session_id == "live_fake"
            assert (answers[3].partial.committed, answers[3].partial.tentative) == ("hello", "there general")
            assert answers[4].speech_stopped.by_client
            assert not answers[9].speech_stopped.by_client
            texts = [answer.final.transcript.text for answer in answers if answer.HasField("final")]
            assert texts == ["hello there general", "good bye"]
            session = door.service.sessions[0]
            assert bytes(session.heard) == SECOND * 3
            assert session.closed.is_set()
            assert door.service.opened == [("grpc", "", "desk")]

    run(work())


def test_what_a_session_is_asked_for(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as door:
            turns = pb.Turns(threshold=0.3, silence_ms=900, padding_ms=100)
            inner = pb.RecognitionConfig(language="english", prompt="p", hotwords="h", words=True, filters=False)
            inner.raw.CopyFrom(pb.RawAudio(sample_rate_hz=48_000, encoding=pb.ENCODING_F32LE, channels=2))
            first = config(config=inner, partials=False, turns=turns)
            answers = [a.WhichOneof("event") async for a in door.speech.StreamingRecognize(in_turn(first, sound()))]
            assert "partial" not in answers
            second = config(manual_turns=True, turns=turns)
            _ = [a async for a in door.speech.StreamingRecognize(in_turn(second))]
            asked, manual = (session.requests[0] for session in door.service.sessions)
            assert asked.raw == RawFormat(48_000, 2, "f32le")
            assert (asked.language, asked.prompt, asked.hotwords, asked.words) == ("en", "p", "h", True)
            assert (asked.partials, asked.filters) == (False, False)
            assert asked.turns is not None
            assert (asked.turns.silence_ms, asked.turns.padding_ms) == (900, 100)
            assert manual.turns is None

    run(work())


def test_sound_that_is_forgotten(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as door:
            stream = door.speech.StreamingRecognize(in_turn(config(), sound(), CLEAR))
            assert [a async for a in stream][-1].WhichOneof("event") != "final"
            assert door.service.sessions[0].cleared == 1

    run(work())


@pytest.mark.parametrize("piece_bytes", [7, 4096, 200_000])
def test_a_wav_stream_says_itself_how_it_is_to_be_read(tmp_path: Path, piece_bytes: int) -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(range(256)) * 4)
    data = file.getvalue()
    pieces = [sound(data[at : at + piece_bytes]) for at in range(0, len(data), piece_bytes)]

    async def work() -> None:
        async with opened(tmp_path) as door:
            stream = door.speech.StreamingRecognize(in_turn(config(config=pb.RecognitionConfig()), *pieces))
            assert [a async for a in stream][-1].final.transcript.text == "hello there general"
            session = door.service.sessions[0]
            assert session.requests[0].raw == RawFormat(8000, 2, "s16le")
            assert bytes(session.heard) == bytes(range(256)) * 4

    run(work())


def test_without_a_header_it_is_sound_at_16_khz(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as door:
            for messages in ((), (sound(b"RI"),), (sound(b"\1\2\3\4"), COMMIT), (COMMIT,)):
                stream = door.speech.StreamingRecognize(in_turn(config(config=pb.RecognitionConfig()), *messages))
                assert (await kinds_of(stream))[0] == "ready"
                assert door.service.sessions[-1].requests[0].raw == RawFormat(16_000)
            heard = [bytes(session.heard) for session in door.service.sessions]
            assert heard == [b"", b"RI", b"\1\2\3\4", b""]

    run(work())


def test_a_sender_waits_where_the_session_has_no_room(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as door:
            stream = door.speech.StreamingRecognize(in_turn(config(), *[sound()] * 5))
            assert (await anext(aiter(stream))).HasField("ready")
            door.service.sessions[0].full = 3
            assert [a async for a in stream][-1].HasField("final")
            assert len(door.service.sessions[0].heard) == 5 * len(SECOND)

    run(work())


def test_leaving_closes_the_session(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as door:
            stream = door.speech.StreamingRecognize(endless())
            assert (await anext(aiter(stream))).HasField("ready")
            stream.cancel()
            assert await asyncio.to_thread(door.service.sessions[0].closed.wait, WAIT_S)

    run(work())


def test_the_error_of_a_session_ends_the_call_after_what_it_had_to_say(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as door:
            stream = door.speech.StreamingRecognize(endless())
            told = [(await anext(aiter(stream))).WhichOneof("event") for _ in range(4)]
            assert told == ["ready", "speech_started", "partial", "partial"]
            session = door.service.sessions[0]
            session._say(LiveNotice(Notice("partials_paused", "Wait.")))
            session.fail(SessionLagging(31))
            assert (await anext(aiter(stream))).notice.code == "partials_paused"
            error = await refused(stream)
            assert (error.code(), code_of(error)) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "session_lagging")
            assert session.closed.is_set()

    run(work())


def test_a_session_that_cannot_be_opened(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as door:
            door.service.refuses = TooManySessions(64)
            error = await refused(door.speech.StreamingRecognize(and_wait(config())))
            assert (error.code(), code_of(error)) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "too_many_sessions")

    run(work())


def test_a_reader_that_stands_still_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the answers of no window of HTTP/2 more than the first, so the server cannot send."""
    monkeypatch.setattr(calls, "SEND_S", 0.2)

    async def work() -> None:
        async with opened(tmp_path) as door:
            stream = door.speech.StreamingRecognize(endless())
            assert (await anext(aiter(stream))).HasField("ready")
            session = door.service.sessions[0]
            for _ in range(2000):
                session._say(LiveNotice(Notice("news", "x" * 10_000)))
            assert await asyncio.to_thread(session.closed.wait, WAIT_S)
            error = await refused(stream)
            assert (error.code(), code_of(error)) == (grpc.StatusCode.DEADLINE_EXCEEDED, "slow_reader")

    run(work())


def test_one_line_a_call_and_nothing_personal_in_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "talkie.grpc")

    async def work() -> None:
        async with opened(tmp_path) as door:
            asked = pb.RecognitionConfig(prompt="canary-prompt", model="canary-model")
            await door.speech.Recognize(
                pb.RecognizeRequest(config=asked, audio=b"canary"), metadata=(("canary-name", "canary-value"),)
            )
            _ = [a async for a in door.speech.StreamingRecognize(in_turn(config(client_label="canary"), sound()))]
            await refused(door.channel.stream_stream("/canary.Service/Canary")(and_wait()))

    metrics.count()
    labels = {"method": "/talkie.v1.Speech/Recognize", "code": "OK"}
    before = metrics.REGISTRY.get_sample_value("talkie_grpc_calls_total", labels) or 0.0
    run(work())
    lines = [record.message for record in caplog.records if record.name == "talkie.grpc" and "gRPC /" in record.message]
    assert "canary" not in caplog.text
    assert lines[0].startswith("gRPC /talkie.v1.Speech/Recognize OK")
    assert lines[0].endswith("2.0 s of audio")
    assert lines[1].startswith("gRPC /talkie.v1.Speech/StreamingRecognize OK")
    assert lines[1].endswith("1.0 s of audio")
    assert "gRPC (none) UNIMPLEMENTED" in caplog.text
    assert metrics.REGISTRY.get_sample_value("talkie_grpc_calls_total", labels) == before + 1
    assert "canary" not in metrics.render().decode()
