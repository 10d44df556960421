"""Unmodified clients see the built-in face of a running server: `httpx`, `websockets` and `grpcio`."""

from __future__ import annotations

import asyncio
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import grpc
import httpx
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from face_guest import FaceGuest, decoded, face_guest
from grpc_server import BEARER, KEY
from http_door import run
from ports import free_port
from server_fixtures import speech_wav
from server_process import ServerProcess, running_server
from talkie.wire.face_protocol import AUDIO, VIDEO
from talkie.wire.protos.talkie.v1 import talkie_pb2 as pb
from talkie.wire.protos.talkie.v1.talkie_pb2_grpc import SpeechStub

pytestmark = pytest.mark.xdist_group("faces")
HEADERS = {"Authorization": BEARER}
SIDE = 128
TEXT = "Good morning."


@dataclass
class Doors:
    server: ServerProcess
    grpc_port: int

    def animate(self, **request: object) -> httpx.Response:
        url = f"{self.server.url}/v1/video/avatars/talkie/animate"
        return httpx.post(url, headers=HEADERS, timeout=60, **request)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    port = free_port()
    flags = ("--workers", "1", "--threads", "1", "--grpc-port", str(port))
    with running_server(tmp_path_factory.mktemp("home"), *flags, env={"TALKIE_API_KEY": KEY}) as server:
        yield Doors(server, port)


def film(data: bytes) -> tuple[list[np.ndarray], float]:
    """The pictures, and seconds of sound that is not silence."""
    with av.open(io.BytesIO(data)) as container:
        pictures = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    with av.open(io.BytesIO(data)) as container:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert np.abs(sound).max() > 0.05
    return pictures, len(sound) / 48_000


def moved(pictures: list[np.ndarray]) -> float:
    """How much the most moved quarter of the picture's lower half (the mouth is in it) differs from the first."""
    lower = np.stack([picture[SIDE // 2 :].astype(np.int16) for picture in pictures])
    return float(np.abs(lower - lower[0]).max(axis=0).mean())


def test_a_text_as_a_film_over_http(doors: Doors) -> None:
    answer = doors.animate(json={"input": TEXT, "width": SIDE, "height": SIDE, "mood": "still"})
    assert answer.status_code == 200, answer.text
    pictures, sound_s = film(answer.content)
    assert pictures[0].shape == (SIDE, SIDE, 3) and len(pictures) / 25 == pytest.approx(sound_s, abs=0.1)
    assert moved(pictures) > 0.5


def test_a_recording_as_a_film_over_http(doors: Doors) -> None:
    answer = doors.animate(files={"file": speech_wav("one two")}, data={"width": str(SIDE), "mood": "still"})
    assert answer.status_code == 200, answer.text
    assert moved(film(answer.content)[0]) > 0.5


def test_what_is_no_recording(doors: Doors) -> None:
    answer = doors.animate(files={"file": b"no sound at all"})
    assert answer.status_code == 400 and answer.json()["error"]["code"] == "undecodable_audio"
    assert doors.animate(json={"input": " "}).status_code == 400


def test_a_live_face_over_a_socket(doors: Doors) -> None:
    async def conversation() -> FaceGuest:
        address = doors.server.url.removeprefix("http://")
        query = f"?width={SIDE}&height={SIDE}&mood=still"
        async with face_guest(address, query=query, additional_headers=HEADERS) as guest:
            await guest.until_packet(lambda packet: packet.kind == VIDEO)
            await guest.say("text", text=TEXT)
            await guest.until("utterance.done")
            await guest.say("text", text="This one is very long, and nobody will ever hear the whole of it. " * 20)
            started = await guest.until("utterance.started")
            await guest.until("words")
            await guest.say("shown", at_s=started["at_s"] + 0.2)
            await guest.say("interrupt")
            await guest.until("interrupted")
            place = len(guest.packets)
            await guest.until_packet(lambda packet: packet.kind == VIDEO and packet.generation == 0)
            assert {packet.generation for packet in guest.packets[place:]} == {0}
            return guest

    guest = run(conversation())
    words = [word["text"] for event in guest.events if event["type"] == "words" for word in event["words"]]
    assert [word.strip(".,").lower() for word in words[:2]] == ["good", "morning"]
    spoken = [packet for packet in guest.packets if packet.generation == 1]
    sound = np.frombuffer(b"".join(packet.data for packet in spoken if packet.kind == AUDIO), "<i2")
    assert np.abs(sound).max() > 1500 and len(sound) == 1920 * sum(packet.kind == VIDEO for packet in spoken)
    pictures = decoded(guest.pictures[: guest.pictures.index(spoken[-1]) + 1], "h264")
    assert moved(pictures) > 0.5
    stopped = guest.events[-1]
    assert stopped["generation"] == 2 and 0 < stopped["shown_s"] <= 0.25


def test_a_live_face_is_a_session_like_others(doors: Doors) -> None:
    async def conversation() -> FaceGuest:
        address = doors.server.url.removeprefix("http://")
        async with face_guest(address, query="?width=64", additional_headers=HEADERS) as guest:
            created = await guest.until("session.created")
            listed = await asyncio.to_thread(doors.server.get, "/v1/sessions", headers=HEADERS)
            assert created["id"] in listed.text
            path = f"{doors.server.url}/v1/sessions/{created['id']}"
            ended = await asyncio.to_thread(httpx.delete, path, headers=HEADERS, timeout=30)
            assert ended.status_code == 200
            with pytest.raises(ConnectionClosed):
                while True:
                    await guest.next()
            return guest

    guest = run(conversation())
    assert guest.events[-1]["error"]["code"] == "session_ended" and guest.socket.close_code == 1008


def test_a_film_and_pictures_over_grpc(doors: Doors) -> None:
    asked = {"text": TEXT, "width": SIDE, "height": SIDE, "mood": "still"}
    with grpc.insecure_channel(f"127.0.0.1:{doors.grpc_port}") as channel:
        stub, key = SpeechStub(channel), [("authorization", BEARER)]
        encoded = list(stub.Animate(pb.AnimateRequest(**asked), metadata=key))  # type: ignore[arg-type]
        asked["output"] = pb.AnimateRequest.OUTPUT_FRAMES
        plain = list(stub.Animate(pb.AnimateRequest(**asked), metadata=key))  # type: ignore[arg-type]
        with pytest.raises(grpc.RpcError) as refused:
            list(stub.Animate(pb.AnimateRequest(text="x", avatar="nobody"), metadata=key))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    pictures, _ = film(b"".join(answer.video for answer in encoded))
    frames = [
        np.frombuffer(answer.frame.rgb, np.uint8).reshape(SIDE, SIDE, 3)[..., ::-1]
        for answer in plain
        if answer.HasField("frame")
    ]
    assert len(frames) == len(pictures) and moved(frames) > 0.5
    assert float(np.abs(frames[0].astype(int) - pictures[0]).mean()) < 6  # the same picture, but for the encoder
    samples = sum(len(answer.audio) for answer in plain) / 2
    assert samples / plain[0].format.audio.sample_rate_hz == pytest.approx(len(frames) / 25, abs=0.05)
    assert {answer.mark.text.strip(".").lower() for answer in plain if answer.HasField("mark")} >= {"good", "morning"}


def test_the_program_of_the_guide(doors: Doors, tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "grpc.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    [program] = [block for block in blocks if "target, spoken, key = sys.argv" in block]
    command = [sys.executable, "-c", program, f"127.0.0.1:{doors.grpc_port}", TEXT, KEY]
    subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=tmp_path)
    pictures, _ = film((tmp_path / "face.mp4").read_bytes())
    assert pictures[0].shape == (256, 256, 3)
