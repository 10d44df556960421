"""`Animate` of `talkie.v1` in front of a service that is made up: films, pictures, refusals, and who stops it."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import av
import grpc
import numpy as np
import pytest

from fakes_face import RATE_HZ
from fakes_service import FakeService
from grpc_door import bearer, code_of, opened, refused
from http_door import run
from talkie.errors import EngineFailed, TalkieError, VideoFailed
from talkie.transports.keys import KeyRing, new_key, write_keys
from talkie.types import VideoFrame
from talkie.wire.grpc_video import PIECE_BYTES, frame_messages
from talkie.wire.protos.talkie.v1 import talkie_pb2 as pb

WAIT_S = 20
FRAMES, WEBM = pb.AnimateRequest.OUTPUT_FRAMES, pb.AnimateRequest.OUTPUT_WEBM


def animated(directory: Path, service: FakeService | None = None, **fields: Any) -> list[pb.AnimateResponse]:
    async def work() -> list[pb.AnimateResponse]:
        async with opened(directory, service) as door:
            return [answer async for answer in door.speech.Animate(pb.AnimateRequest(**fields))]

    return run(work())


def refusal(directory: Path, service: FakeService | None = None, **fields: Any) -> tuple[grpc.StatusCode, str]:
    async def work() -> tuple[grpc.StatusCode, str]:
        async with opened(directory, service) as door:
            error = await refused(door.speech.Animate(pb.AnimateRequest(**fields)))
            assert "canary" not in f"{error.details()}{error.trailing_metadata()}"
            return error.code(), code_of(error)

    return run(work())


@pytest.mark.parametrize(("output", "kind"), [(0, "video/mp4"), (WEBM, "video/webm")])
def test_a_film_of_a_text(tmp_path: Path, output: int, kind: str) -> None:
    service = FakeService()
    answers = animated(
        tmp_path, service, text="one two three", output=output, width=96, mood="calm", generation=7, avatar="talkie"
    )
    assert answers[0].format.media_type == kind and {answer.generation for answer in answers} == {7}
    assert {str(answer.WhichOneof("part")) for answer in answers[1:]} == {"video"}
    with av.open(io.BytesIO(b"".join(answer.video for answer in answers))) as film:
        assert sum(1 for _ in film.decode(video=0)) == 15
    asked = service.shown[-1]
    assert (asked.avatar, asked.width, asked.mood, asked.generation) == ("talkie", 96, "calm", 7)


def test_pictures_of_a_recording_with_their_sound(tmp_path: Path) -> None:
    service = FakeService()
    raw = pb.RawAudio(sample_rate_hz=8000)
    answers = animated(tmp_path, service, audio=bytes(400), raw=raw, output=FRAMES)
    shape = answers[0].format
    assert (shape.width, shape.height, shape.fps, shape.audio.sample_rate_hz) == (64, 64, 25.0, RATE_HZ)
    assert service.shown[-1].raw is not None and service.shown[-1].raw.sample_rate == 8000
    frames = [answer.frame for answer in answers if answer.WhichOneof("part") == "frame"]
    assert [frame.index for frame in frames] == list(range(10)) and frames[5].at_s == pytest.approx(0.2)
    levels = [np.frombuffer(frame.rgb, np.uint8).mean() for frame in frames]
    assert all(len(frame.rgb) == 64 * 64 * 3 for frame in frames) and levels[0] < 10 < 200 < levels[6]
    sound = np.frombuffer(b"".join(answer.audio for answer in answers), "<i2")
    assert len(sound) == round(0.4 * RATE_HZ) and list(tmp_path.iterdir()) == []


def test_marks_come_before_their_sound(tmp_path: Path) -> None:
    answers = animated(tmp_path, text="one two", output=FRAMES)
    parts = [str(answer.WhichOneof("part")) for answer in answers]
    assert parts == ["format", *(["mark", *["frame"] * 5, "audio"] * 2)]
    assert [answer.mark.text for answer in answers if answer.HasField("mark")] == ["one", "two"]


def test_a_large_picture_comes_in_stretches_and_red_is_red() -> None:
    image = np.zeros((1080, 1920, 3), np.uint8)
    image[..., 2] = 200
    image[-1, :, 1] = 99
    parts = list(frame_messages(VideoFrame(image, 3), 25.0))
    assert len(parts) > 1 and all(len(part.rgb) <= PIECE_BYTES for part in parts)
    assert [part.first_row for part in parts] == [n * parts[1].first_row for n in range(len(parts))]
    whole = np.frombuffer(b"".join(part.rgb for part in parts), np.uint8).reshape(1080, 1920, 3)
    assert (whole == image[..., ::-1]).all() and whole[0, 0, 0] == 200


def test_a_picture_that_no_client_would_take_in_one_message(tmp_path: Path) -> None:
    answers = animated(tmp_path, text="one", output=FRAMES, width=1920, height=1080)
    stretches = [answer.frame for answer in answers if answer.WhichOneof("part") == "frame"]
    first = [frame for frame in stretches if frame.index == 0]
    assert sum(len(frame.rgb) for frame in first) == 1920 * 1080 * 3 > 4 * 1024 * 1024 and len(first) == 6


async def refusals(directory: Path, service: FakeService, *asked: pb.AnimateRequest) -> list[tuple[Any, str]]:
    async with opened(directory, service) as door:
        errors = [await refused(door.speech.Animate(message)) for message in asked]
        return [(error.code(), code_of(error)) for error in errors]


def test_what_cannot_be(tmp_path: Path) -> None:
    wrong = [
        pb.AnimateRequest(),
        pb.AnimateRequest(text="one", output=9),  # type: ignore[arg-type]
        pb.AnimateRequest(text="one", width=5),
        pb.AnimateRequest(text="one", height=9000),
        pb.AnimateRequest(text="one", speed=9),
        pb.AnimateRequest(text="one", mood="m" * 65),
        pb.AnimateRequest(audio=b"x", raw=pb.RawAudio(encoding=99, sample_rate_hz=8000)),  # type: ignore[arg-type]
    ]
    told = run(refusals(tmp_path, FakeService(), *wrong))
    assert told == [(grpc.StatusCode.INVALID_ARGUMENT, "invalid_value")] * len(wrong)


def test_names_that_are_none(tmp_path: Path) -> None:
    service = FakeService()
    names = ["nobody", "../../etc/passwd", "/etc", "a\\b", "x" * 500, ".", "a\nb"]
    told = run(refusals(tmp_path, service, *(pb.AnimateRequest(text="one", avatar=name) for name in names)))
    assert told == [(grpc.StatusCode.NOT_FOUND, "avatar_not_found")] * len(names)
    assert [asked.avatar for asked in service.shown] == ["nobody"]


@pytest.mark.parametrize(
    ("error", "status"),
    [(EngineFailed("face", "it broke"), grpc.StatusCode.INTERNAL), (VideoFailed("odd"), grpc.StatusCode.INTERNAL)],
)
def test_what_fails_has_a_status(tmp_path: Path, error: TalkieError, status: grpc.StatusCode) -> None:
    before, after = FakeService(), FakeService()
    before.face_raises, after.face_breaks = error, error
    assert refusal(tmp_path, before, text="canary") == (status, error.code)
    assert refusal(tmp_path, after, text="canary", output=FRAMES) == (status, error.code)


def test_a_recording_that_is_too_large(tmp_path: Path) -> None:
    assert refusal(tmp_path, audio=bytes(200_000))[1] == "audio_too_large"


@pytest.mark.parametrize("output", [0, FRAMES])
def test_cancelling_stops_the_work(tmp_path: Path, output: int) -> None:
    service = FakeService()
    service.chunk_wait_s = 0.01

    async def work() -> None:
        async with opened(tmp_path, service) as door:
            call = door.speech.Animate(pb.AnimateRequest(text="word " * 10_000, output=output))
            await call.read()
            call.cancel()
            assert await asyncio.to_thread(service.face_stopped.wait, WAIT_S)

    run(work())


def test_keys_their_scopes_and_their_avatars(tmp_path: Path) -> None:
    scopes = {"mine": ["animate"], "theirs": ["animate"], "deaf": ["speak"]}
    made = {name: new_key(name, given) for name, given in scopes.items()}
    write_keys(tmp_path / "keys.toml", [stored for _, stored in made.values()])
    service = FakeService()
    service.add_avatar(io.BytesIO(b"zip"), name="anna", owner="mine")

    async def asked(door: Any, key: str) -> str:
        metadata = bearer(made[key][0]) if key else ()
        try:
            async for _ in door.speech.Animate(pb.AnimateRequest(text="one", avatar="anna"), metadata=metadata):
                pass
        except grpc.aio.AioRpcError as error:
            return code_of(error)
        return "shown"

    async def work() -> list[str]:
        async with opened(tmp_path / "uploads", service, keys=KeyRing(path=tmp_path / "keys.toml")) as door:
            return [await asked(door, key) for key in ("mine", "theirs", "deaf", "")]

    assert run(work()) == ["shown", "avatar_not_found", "scope_missing", "key_missing"]
