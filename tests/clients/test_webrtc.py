"""The face as a call, asked by aiortc from another process: what is said is seen and heard, and nothing stays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, MediaStreamTrack

from server_process import ServerProcess, running_server

PATH = "/v1/video/avatars/talkie/webrtc"
PATIENCE_S = 60
pytestmark = pytest.mark.xdist_group("webrtc")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running_server(tmp_path_factory.mktemp("home"), fake="plain") as running:
        yield running


@dataclass
class Caller:
    """One end of a call. `levels` are the loudness of each 20 ms, `greys` the brightness of each picture, both with
    their times in seconds."""

    peer: RTCPeerConnection
    channel: RTCDataChannel
    events: list[dict[str, Any]] = field(default_factory=list)
    levels: list[tuple[float, float]] = field(default_factory=list)
    greys: list[tuple[float, float]] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def send(self, **message: Any) -> None:
        self.channel.send(json.dumps(message))

    async def until(self, so: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not so():
                self.news.clear()
                await self.news.wait()

    async def event(self, kind: str) -> dict[str, Any]:
        await self.until(lambda: any(event["type"] == kind for event in self.events))
        return next(event for event in self.events if event["type"] == kind)

    async def watch(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame: Any = await track.recv()
            except MediaStreamError:
                return
            values = frame.to_ndarray()
            if track.kind == "audio":
                self.levels.append((frame.time, float(np.abs(values).max()) / 32768))
            else:
                self.greys.append((frame.time, float(values[: frame.height].mean())))
            self.news.set()


@asynccontextmanager
async def calling(url: str, *, microphone: MediaStreamTrack | None = None, **options: Any) -> AsyncIterator[Caller]:
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    caller = Caller(peer, peer.createDataChannel("talkie"))
    watching: list[asyncio.Task[None]] = []
    peer.on("track", lambda track: watching.append(asyncio.ensure_future(caller.watch(track))))

    def heard(message: str) -> None:
        caller.events.append(json.loads(message))
        caller.news.set()

    caller.channel.on("message", heard)
    caller.channel.on("close", caller.closed.set)
    peer.addTransceiver("video", direction="recvonly")
    peer.addTransceiver(microphone or "audio", direction="sendrecv" if microphone else "recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
        body = {"sdp": peer.localDescription.sdp, "type": "offer", **options}
        answer = await http.post(url + PATH, json=body)
    assert answer.status_code == 201, answer.text
    caller.answer = answer.json()
    assert answer.headers["location"] == f"{PATH}/{caller.answer['id']}"
    await peer.setRemoteDescription(RTCSessionDescription(caller.answer["sdp"], "answer"))
    try:
        yield caller
    finally:
        await peer.close()
        await asyncio.gather(*watching)


def test_a_text_is_seen_and_heard_at_once_and_can_be_interrupted(server: ServerProcess) -> None:
    async def call() -> Caller:
        async with calling(server.url, voice="alloy", speed=1.5) as caller:
            created = await caller.event("session.created")
            assert (created["id"], created["width"], created["fps"]) == (caller.answer["id"], 64, 25.0)
            caller.send(type="text", text="one two three")
            await caller.event("utterance.done")
            await caller.until(lambda: len(caller.greys) > 0 and caller.greys[-1][1] < 40)
            caller.send(type="text", text="word " * 100)
            await caller.until(lambda: len([e for e in caller.events if e["type"] == "words"]) > 4)
            caller.send(type="interrupt")
            await caller.event("interrupted")
            caller.send(type="nonsense")
            await caller.event("error")
            return caller

    caller = asyncio.run(call())
    told = [event["type"] for event in caller.events]
    assert told[:5] == ["session.created", "utterance.started", "words", "words", "words"]
    assert told[5] == "utterance.done" and told[-2:] == ["interrupted", "error"]
    stopped = caller.events[-2]
    assert stopped["generation"] == 2 and 0.19 < stopped["shown_s"] < 20
    assert stopped["text"].split() == ["word"] * len(stopped["text"].split())
    assert max(level for _, level in caller.levels) > 0.3
    bright = [at for at, grey in caller.greys if grey > 60]
    loud = [at for at, level in caller.levels if level > 0.1]
    assert abs(bright[0] - loud[0]) <= 0.08  # one clock: times of both count from the same tick


def test_a_microphone_takes_the_turn_and_hanging_up_ends_the_call(server: ServerProcess) -> None:
    async def call() -> tuple[Caller, list[int]]:
        async with calling(server.url, microphone=AudioStreamTrack()) as caller:
            await caller.event("session.created")
            caller.send(type="text", text="word " * 100)
            await caller.event("interrupted")  # by whoever speaks into the microphone
            address = f"{server.url}{PATH}/{caller.answer['id']}"
            async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
                ended = [(await http.delete(address)).status_code, (await http.delete(address)).status_code]
            async with asyncio.timeout(PATIENCE_S):
                await caller.closed.wait()
            return caller, ended

    caller, ended = asyncio.run(call())
    assert ended == [200, 404]
    assert [event["generation"] for event in caller.events if event["type"] == "interrupted"] == [1]


def test_plain_sdp_is_answered_as_such(server: ServerProcess) -> None:
    """As WHEP has it, and without sound or a data channel."""

    async def call() -> tuple[httpx.Response, str]:
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        seen: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()
        peer.on("track", seen.set_result)
        peer.addTransceiver("video", direction="recvonly")
        await peer.setLocalDescription(await peer.createOffer())
        async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
            headers = {"Content-Type": "application/sdp"}
            sdp = peer.localDescription.sdp
            answer = await http.post(f"{server.url}{PATH}?voice=alloy", content=sdp, headers=headers)
            await peer.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
            async with asyncio.timeout(PATIENCE_S):
                frame: Any = await (await seen).recv()
            ended = await http.delete(server.url + answer.headers["location"])
        await peer.close()
        assert ended.status_code == 200
        return answer, f"{frame.width}x{frame.height}"

    answer, size = asyncio.run(call())
    assert (answer.status_code, answer.headers["content-type"]) == (201, "application/sdp")
    assert "m=audio" not in answer.text and size == "64x64"
