"""Calls in front of a service without faces: what offers may hold, who may hang up, and that nothing stays."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from fakes_face import FakeFaceSession
from fakes_service import FakeService
from http_door import ask, client, make_app, run
from talkie.errors import AvatarNotFound, InvalidValue, SessionEnded, TooManySessions
from talkie.transports.http.webrtc import calls_of
from talkie.transports.keys import KeyRing
from talkie.transports.webrtc.offer import MAX_CANDIDATES, safe_offer

PATH = "/v1/video/avatars/talkie/webrtc"
OFFER = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=candidate:1 1 udp 2113937151 10.9.8.7 50000 typ host generation 0
a=candidate:2 1 udp 2113939711 4dd1c1d6-d5d5.local 50001 typ host
a=candidate:3 1 tcp 1518280447 10.9.8.7 9 typ host tcptype active
a=mid:0
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
a=mid:1
"""


def addresses(sdp: str) -> list[str]:
    return [line.split()[4] + ":" + line.split()[5] for line in sdp.splitlines() if line.startswith("a=candidate:")]


@pytest.mark.parametrize(
    ("caller", "address"),
    [
        ("192.0.2.9", "192.0.2.9"),
        ("::ffff:192.0.2.9", "192.0.2.9"),
        ("fe80::1%eth0", "fe80::1"),
        ("", "127.0.0.1"),
        ("testclient", "127.0.0.1"),
    ],
)
def test_packets_go_to_the_caller_and_to_nobody_else(caller: str, address: str) -> None:
    safe = safe_offer(OFFER, caller)
    assert addresses(safe) == [f"{address}:50000", f"{address}:50001"]
    assert "10.9.8.7" not in safe and ".local" not in safe
    assert safe.index("a=candidate") < safe.index("m=application")


def test_an_offer_without_candidates_waits_for_the_caller_to_come() -> None:
    bare = re.sub(r"a=candidate.*\n", "", OFFER)
    assert addresses(safe_offer(bare, "192.0.2.9")) == ["192.0.2.9:9"]


def test_no_more_than_a_few_ports_are_tried_and_none_of_a_service() -> None:
    many = "".join(f"a=candidate:1 1 udp 1 10.0.0.1 {port} typ host\n" for port in (53, 22, *range(2000, 2100)))
    tried = addresses(safe_offer(OFFER.replace("a=mid:0\n", many), "192.0.2.9"))
    assert len(tried) == MAX_CANDIDATES
    assert not {"192.0.2.9:53", "192.0.2.9:22"} & set(tried)


@pytest.mark.parametrize(
    "offer",
    [
        "",
        "hello",
        OFFER.replace("m=video", "m=audio"),
        OFFER + "m=video 9 UDP/TLS/RTP/SAVPF 96\n",
        OFFER + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\n",
        OFFER + "m=text 9 UDP/TLS/RTP/SAVPF 96\n",
        OFFER + "a=x\n" * 1000,
        OFFER + "a=" + "x" * 70_000,
    ],
)
def test_an_offer_of_anything_else_is_refused(offer: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        safe_offer(offer, "192.0.2.9")
    assert raised.value.param == "sdp"


@pytest.mark.parametrize(
    "sdp", ["hello", OFFER, OFFER.replace("96", "banana"), OFFER.replace("a=mid:0", "a=ice-ufrag:\n")]
)
def test_an_offer_that_cannot_be_answered_leaves_no_session(tmp_path: Path, sdp: str) -> None:
    service = FakeService()
    answer = ask(make_app(tmp_path, service), "POST", PATH, json={"sdp": sdp, "type": "offer"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "sdp")
    assert [face.closed.is_set() for face in service.faces] in ([], [True])


@pytest.mark.parametrize("body", [{"type": "offer"}, {"sdp": 1}, {"sdp": OFFER, "type": "answer"}])
def test_a_body_without_an_offer_opens_nothing(tmp_path: Path, body: dict[str, Any]) -> None:
    service = FakeService()
    answer = ask(make_app(tmp_path, service), "POST", PATH, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_value")
    assert service.faces == []


def test_without_the_extra_the_answer_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiortc", None)
    answer = ask(make_app(tmp_path), "POST", PATH, json={"sdp": OFFER, "type": "offer"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "engine_unavailable")
    assert "talkie[webrtc]" in answer.json()["error"]["hint"]


@pytest.mark.parametrize(("error", "status"), [(AvatarNotFound("talkie"), 404), (TooManySessions(8), 503)])
def test_what_the_service_refuses_is_refused(tmp_path: Path, error: Any, status: int) -> None:
    service = FakeService()
    service.face_raises = error
    assert ask(make_app(tmp_path, service), "POST", PATH, json={"sdp": OFFER}).status_code == status


def test_a_key_must_allow_it(tmp_path: Path) -> None:
    app = make_app(tmp_path, keys=KeyRing("secret"))
    assert ask(app, "POST", PATH, json={"sdp": OFFER}).status_code == 401
    assert ask(app, "DELETE", f"{PATH}/face_0").status_code == 401


class Ring:
    """A caller within the same loop, connected to `session`."""

    def __init__(self, directory: Path) -> None:
        self.service = FakeService()
        self.app = make_app(directory, self.service)
        self.calls = calls_of(self.app)

    @property
    def session(self) -> FakeFaceSession:
        return self.service.faces[-1]

    async def call(self) -> RTCPeerConnection:
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        peer.createDataChannel("talkie")
        await self.connect(peer)
        return peer

    async def connect(self, peer: RTCPeerConnection) -> None:
        peer.addTransceiver("video", direction="recvonly")
        await peer.setLocalDescription(await peer.createOffer())
        async with client(self.app) as http:
            answer = await http.post(PATH, json={"sdp": peer.localDescription.sdp, "type": "offer"})
        await peer.setRemoteDescription(RTCSessionDescription(answer.json()["sdp"], "answer"))
        await until(lambda: peer.connectionState == "connected" and self.session._index > 0)

    async def delete(self) -> httpx.Response:
        async with client(self.app) as http:
            return await http.delete(f"{PATH}/{self.session.id}")


async def until(so: Callable[[], bool]) -> None:
    while not so():  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.01)


async def hang_up(ring: Ring, peer: RTCPeerConnection) -> None:
    await peer.close()


async def delete(ring: Ring, peer: RTCPeerConnection) -> None:
    assert (await ring.delete()).status_code == 200


async def end_session(ring: Ring, peer: RTCPeerConnection) -> None:
    ring.session.ended = SessionEnded()


async def stop_server(ring: Ring, peer: RTCPeerConnection) -> None:
    await ring.calls.close()


@pytest.mark.parametrize("end", [hang_up, delete, end_session, stop_server])
def test_however_a_call_ends_nothing_is_left(tmp_path: Path, end: Callable[[Ring, RTCPeerConnection], Any]) -> None:
    async def call() -> None:
        ring = Ring(tmp_path)
        before = asyncio.all_tasks()
        peer = await ring.call()
        assert len(ring.calls) == 1
        await end(ring, peer)
        await until(lambda: ring.session.closed.is_set() and len(ring.calls) == 0)
        await peer.close()
        await until(lambda: asyncio.all_tasks() <= before)

    run(call())


@pytest.mark.parametrize(("text", "before"), [("one two three", ["utterance.done"]), ("", [])])
def test_a_server_that_stops_lets_the_face_finish_and_says_why(tmp_path: Path, text: str, before: list[str]) -> None:
    async def call() -> list[str]:
        ring, told = Ring(tmp_path), []
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        channel = peer.createDataChannel("talkie")
        channel.on("message", lambda message: told.append(json.loads(message)))
        await ring.connect(peer)
        await until(lambda: len(told) > 0)
        if text:
            channel.send(json.dumps({"type": "text", "text": text}))
            await until(lambda: any(event["type"] == "words" for event in told))
        await ring.calls.close()
        await until(lambda: any(event["type"] == "error" for event in told))
        await peer.close()
        assert ring.session.closed.is_set() and len(ring.calls) == 0
        assert told[-1]["error"]["code"] == "shutting_down"
        return [event["type"] for event in told if event["type"] in ("utterance.done", "error")]

    assert run(call()) == [*before, "error"]


def test_a_call_may_be_ended_by_its_own_key_only(tmp_path: Path) -> None:
    from talkie.errors import SessionNotFound

    async def call() -> None:
        ring = Ring(tmp_path)
        peer = await ring.call()
        with pytest.raises(SessionNotFound):
            await ring.calls.hang_up(ring.session.id, "somebody else")
        assert not ring.session.closed.is_set()
        await ring.calls.hang_up(ring.session.id, "")
        assert ring.session.closed.is_set()
        await peer.close()

    run(call())
