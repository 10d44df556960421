"""What no well-meaning client sends: always the protocol's error, and a live server afterwards."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from fakes_service import FakeService
from grpc_door import CLEAR, COMMIT, Opened, and_wait, code_of, config, in_turn, opened, refused, sound
from http_door import run
from talkie.transports.grpc import server as servers
from talkie.wire.protos.talkie.v1 import talkie_pb2 as pb

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
END_STREAM, END_HEADERS = 1, 4
RECOGNIZE = "/talkie.v1.Speech/Recognize"
SPEECH = "/talkie.v1.Speech/"


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """A frame of HTTP/2 (RFC 9113, section 4.1)."""
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name: bytes, value: bytes) -> bytes:
    """A header, new name, not indexed, no Huffman code (RFC 7541, section 6.2.2)."""
    assert len(name) < 127
    assert len(value) < 127
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def headers(path: bytes = RECOGNIZE.encode(), **more: bytes) -> bytes:
    block = literal(b":method", b"POST") + literal(b":scheme", b"http") + literal(b":path", path)
    block += literal(b":authority", b"localhost") + literal(b"te", b"trailers")
    block += literal(b"content-type", b"application/grpc")
    return block + b"".join(literal(name.encode(), value) for name, value in more.items())


def message(data: bytes, length: int | None = None, compressed: int = 0) -> bytes:
    """A message as gRPC frames it."""
    return bytes([compressed]) + struct.pack(">I", len(data) if length is None else length) + data


def call(path: bytes, *data: bytes, end: bool = True) -> bytes:
    body = b"".join(frame(DATA, 0, 1, piece) for piece in data)
    return PREFACE + frame(SETTINGS, 0, 0, b"") + frame(HEADERS, END_HEADERS, 1, headers(path)) + body + (
        frame(DATA, END_STREAM, 1, b"") if end else b""
    )  # fmt: skip


async def say(door: Opened, data: bytes) -> bytes:
    """All that a connection answers to bytes; the connection is half-closed after them."""
    reader, writer = await asyncio.open_connection("127.0.0.1", door.door.port)
    try:
        writer.write(data)
        await writer.drain()
        writer.write_eof()
        async with asyncio.timeout(15):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def is_alive(door: Opened) -> None:
    """A new client is served."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{door.door.port}", [("grpc.use_local_subchannel_pool", 1)]) as ch:
        answer = await ch.unary_unary(RECOGNIZE, response_deserializer=pb.RecognizeResponse.FromString)(
            pb.RecognizeRequest(audio=b"x").SerializeToString()
        )
    assert answer.transcript.text.startswith("hello")


def test_bytes_that_are_no_http2(tmp_path: Path) -> None:
    dice = random.Random(4711)

    async def work() -> None:
        async with opened(tmp_path) as door:
            for data in (
                b"",
                b"\0" * 100,
                b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                PREFACE[:10],
                PREFACE + b"\xff" * 200,
                PREFACE + frame(SETTINGS, 0, 0, b"\0\4" + b"\xff" * 4),
                PREFACE + frame(SETTINGS, 0, 0, b"") + frame(HEADERS, END_HEADERS, 1, b"\xff" * 50),
                *(dice.randbytes(dice.randrange(1, 2000)) for _ in range(30)),
                *(PREFACE + frame(SETTINGS, 0, 0, b"") + dice.randbytes(dice.randrange(1, 500)) for _ in range(30)),
            ):
                await say(door, data)
            await is_alive(door)

    run(work())


async def ending(stream: Any) -> grpc.StatusCode:
    """How a stream ended, all of it read."""
    async for _ in stream:
        pass
    return await stream.code()


@pytest.mark.parametrize(
    "path",
    [
        b"\xff\xfe\xfd",
        b"/" + b"\xc3\x28",
        b"",
        b"//",
        b"/talkie.v1.Speech",
        b"/talkie.v1.Speech/Recognize/..",
        b"/a\0b",
    ],
)
def test_paths_that_are_no_methods(tmp_path: Path, path: bytes) -> None:
    async def work() -> None:
        async with opened(tmp_path) as door:
            kept = door.speech.StreamingRecognize(and_wait(config()))
            assert (await anext(aiter(kept))).HasField("ready")
            await say(door, call(path, message(b"")))
            await is_alive(door)
            door.service.sessions[0].finish()
            assert await ending(kept) == grpc.StatusCode.OK

    run(work())


@pytest.mark.parametrize(
    "body",
    [
        message(b"", 2**32 - 1),
        message(b"abc", 10),
        message(b"abc", 1),
        message(b"abc", compressed=1),
        message(b"abc", compressed=77),
        b"\0",
        b"",
        message(b"") * 3,
    ],
)
def test_messages_that_are_framed_wrongly(tmp_path: Path, body: bytes) -> None:
    async def work() -> None:
        async with opened(tmp_path) as door:
            for path in (RECOGNIZE, SPEECH + "StreamingRecognize", "/grpc.health.v1.Health/Check"):
                for end in (True, False):
                    await say(door, call(path.encode(), body, end=end))
            await is_alive(door)

    run(work())


def test_bytes_that_are_no_message(tmp_path: Path) -> None:
    dice = random.Random(4711)

    async def work() -> None:
        async with opened(tmp_path) as door:
            for name in ("Recognize", "StreamingRecognize"):
                for data in (b"\xff" * 9, b"\x0a\xff\xff\xff\xff\x0f", *(dice.randbytes(60) for _ in range(20))):
                    stream = door.channel.stream_stream(SPEECH + name)(and_wait(b"\x0f" + data))
                    error = await refused(stream)
                    assert (error.code(), code_of(error)) == (grpc.StatusCode.INVALID_ARGUMENT, "bad_request_body")
            await is_alive(door)

    run(work())


def test_a_call_without_a_message(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as door:
            for path in (
                RECOGNIZE,
                SPEECH + "ListModels",
                SPEECH + "StreamingRecognize",
                "/grpc.health.v1.Health/Check",
                "/nvidia.riva.asr.RivaSpeechRecognition/StreamingRecognize",
            ):
                error = await refused(door.channel.stream_stream(path)(in_turn()))
                assert (error.code(), code_of(error)) == (grpc.StatusCode.INVALID_ARGUMENT, "bad_request_body"), path
            await is_alive(door)

    run(work())


@pytest.mark.parametrize(
    "messages",
    [
        (sound(),),
        (COMMIT,),
        (pb.StreamingRecognizeRequest(),),
        (config(), config()),
        (config(), sound(), config(), sound()),
        (config(), CLEAR, pb.StreamingRecognizeRequest()),
        (config(config=pb.RecognitionConfig()), config()),
    ],
)
def test_messages_in_the_wrong_order(tmp_path: Path, messages: tuple[pb.StreamingRecognizeRequest, ...]) -> None:
    async def work() -> None:
        async with opened(tmp_path) as door:
            error = await refused(door.speech.StreamingRecognize(and_wait(*messages)))
            assert (error.code(), code_of(error)) == (grpc.StatusCode.INVALID_ARGUMENT, "bad_request_body")
            assert all(session.closed.is_set() for session in door.service.sessions)
            await is_alive(door)

    run(work())


def test_a_damaged_wav_header_in_a_stream(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as door:
            first = config(config=pb.RecognitionConfig())
            bad = sound(b"RIFF\0\0\0\0WAVEdata\4\0\0\0abcd")
            error = await refused(door.speech.StreamingRecognize(and_wait(first, bad)))
            assert (error.code(), code_of(error)) == (grpc.StatusCode.INVALID_ARGUMENT, "undecodable_audio")
            assert door.service.sessions == []

    run(work())


def test_a_message_that_is_too_large(tmp_path: Path) -> None:
    """Just over is refused by us, far over by gRPC, which does not read it."""

    async def work() -> None:
        async with opened(tmp_path, max_bytes=50_000) as door:
            error = await refused(door.speech.Recognize(pb.RecognizeRequest(audio=b"x" * 50_001)))
            assert (error.code(), code_of(error)) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "audio_too_large")
            error = await refused(door.speech.Recognize(pb.RecognizeRequest(audio=b"x" * 3_000_000)))
            assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            error = await refused(door.speech.StreamingRecognize(and_wait(config(), sound(b"x" * 3_000_000))))
            assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert door.service.seen == []
            await is_alive(door)

    run(work())
    assert [*tmp_path.iterdir()] == []


def test_a_call_that_never_says_anything(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path, idle_s=0.2) as door:
            for name in ("Recognize", "StreamingRecognize"):
                error = await refused(door.channel.stream_stream(SPEECH + name)(and_wait()))
                assert (error.code(), code_of(error)) == (grpc.StatusCode.DEADLINE_EXCEEDED, "upload_timeout")

    run(work())


def test_connections_are_bounded_and_silent_ones_are_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "MAX_CONNECTIONS", 3)
    monkeypatch.setattr(servers, "HANDSHAKE_MS", 300)

    async def work() -> None:
        async with opened(tmp_path) as door:
            silent = [await asyncio.open_connection("127.0.0.1", door.door.port) for _ in range(6)]
            ends = [await asyncio.wait_for(reader.read(), 15) for reader, _ in silent]
            assert sum(end == b"" for end in ends) == 3  # the others were greeted, and cut when they said nothing
            for _, writer in silent:
                writer.close()
            await is_alive(door)

    run(work())


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 - nobody tells when a task is gone
        await asyncio.sleep(0.01)


def test_connections_that_are_dropped_leave_nothing(tmp_path: Path) -> None:
    """Sessions of clients that vanish are closed, and no task stays."""

    async def work() -> None:
        service = FakeService(texts=("hello",))
        async with opened(tmp_path, service) as door:
            await is_alive(door)
            before = len(asyncio.all_tasks())
            first, piece = (m.SerializeToString() for m in (config(), sound()))
            path = (SPEECH + "StreamingRecognize").encode()
            data = call(path, message(first), message(piece[:9000]), end=False)
            writers = []
            for _ in range(200):
                _, writer = await asyncio.open_connection("127.0.0.1", door.door.port)
                writer.write(data)
                writers.append(writer)
            async with asyncio.timeout(20):
                await until(lambda: len(service.sessions) == 200)
                for writer in writers:
                    writer.transport.abort()
                await until(lambda: all(session.closed.is_set() for session in service.sessions))
                await until(lambda: len(asyncio.all_tasks()) <= before)
            await is_alive(door)

    run(work())


def test_riva_in_the_wrong_order(tmp_path: Path) -> None:
    rasr = pytest.importorskip("riva.client.proto.riva_asr_pb2", reason="the extra talkie[riva] is not installed")
    ask = rasr.StreamingRecognizeRequest
    first = ask(streaming_config=rasr.StreamingRecognitionConfig(interim_results=True))
    path = "/nvidia.riva.asr.RivaSpeechRecognition/StreamingRecognize"

    async def work() -> None:
        async with opened(tmp_path) as door:
            for messages in ((ask(audio_content=b"x"),), (first, first), (ask(),)):
                stream = door.channel.stream_stream(path)(and_wait(*(item.SerializeToString() for item in messages)))
                error = await refused(stream)
                assert (error.code(), code_of(error)) == (grpc.StatusCode.INVALID_ARGUMENT, "bad_request_body")
            spoken = (first, ask(audio_content=b"\0" * 32_000))
            stream = door.channel.stream_stream(path)(in_turn(*(item.SerializeToString() for item in spoken)))
            answers = [rasr.StreamingRecognizeResponse.FromString(answer) async for answer in stream]
            assert answers[-1].results[0].alternatives[0].transcript == "hello there general "
            assert door.service.opened[-1][0] == "riva"
            await is_alive(door)

    run(work())
