"""What a call tells the browser of its times: the ticks' own, however long a picture took to encode."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, rtcrtpsender
from aiortc.rtp import RtcpSrPacket

from http_door import run
from talkie.runtime.face import LIVE_RATE_HZ, FaceTick
from talkie.transports.webrtc.one_clock import OneClock, report_ticks
from talkie.transports.webrtc.tracks import PictureTrack, SoundTrack

FPS = 25.0
SLOW_S = 0.03
SECOND = 1 << 32
REPORTS = 3


def tick(index: int) -> FaceTick:
    image = np.full((64, 64, 3), index % 200, np.uint8)
    sound = np.full(round(LIVE_RATE_HZ / FPS), 0.1, np.float32)
    return FaceTick(image, sound, index / FPS, index, 1)


def overheard(sender: RTCRtpSender) -> list[RtcpSrPacket]:
    reports: list[RtcpSrPacket] = []
    send = sender._send_rtcp

    async def listen(packets: list[Any]) -> None:
        reports.extend(packet for packet in packets if isinstance(packet, RtcpSrPacket))
        await send(packets)

    sender._send_rtcp = listen
    return reports


def slow_pictures(patch: pytest.MonkeyPatch) -> None:
    make = rtcrtpsender.get_encoder

    def slow(codec: Any) -> Any:
        encoder = make(codec)
        if codec.mimeType.startswith("video/"):
            encode = encoder.encode

            def encode_slowly(frame: Any, force_keyframe: bool = False) -> Any:
                time.sleep(SLOW_S)
                return encode(frame, force_keyframe)

            encoder.encode = encode_slowly
        return encoder

    patch.setattr(rtcrtpsender, "get_encoder", slow)


async def reported() -> tuple[OneClock, list[RtcpSrPacket], list[RtcpSrPacket]]:
    clock = OneClock()
    picture, sound = PictureTrack(FPS, clock), SoundTrack(clock)
    here, there = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    told = []
    for track in (picture, sound):
        sender = here.addTrack(track)
        report_ticks(sender, track)
        told.append(overheard(sender))
    try:
        await here.setLocalDescription(await here.createOffer())
        await there.setRemoteDescription(here.localDescription)
        await there.setLocalDescription(await there.createAnswer())
        await here.setRemoteDescription(there.localDescription)
        index, began_s = 0, time.monotonic()
        while min(len([one for one in reports if one.sender_info.packet_count]) for reports in told) < REPORTS:
            picture.put(tick(index))
            sound.put(tick(index))
            index += 1
            await asyncio.sleep(max(0.0, began_s + index / FPS - time.monotonic()))
    finally:
        await here.close()
        await there.close()
    return clock, told[0], told[1]


@pytest.mark.parametrize("kind", ["picture", "sound"])
def test_reports_are_of_the_ticks_and_not_of_when_things_were_sent(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    slow_pictures(monkeypatch)
    clock, pictures, sounds = run(reported())
    reports, hertz, step_s = (pictures, 90_000, 1 / FPS) if kind == "picture" else (sounds, LIVE_RATE_HZ, 0.02)
    told = [one.sender_info for one in reports if one.sender_info.packet_count]
    began = clock.ntp(0.0)
    assert began is not None and len(told) >= REPORTS
    for info in told:
        steps = (info.ntp_timestamp - began) / SECOND / step_s
        assert steps == pytest.approx(round(steps), abs=1e-3)
    for one, later in pairwise(told):
        wall_s = (later.ntp_timestamp - one.ntp_timestamp) / SECOND
        assert (
            wall_s == pytest.approx((later.rtp_timestamp - one.rtp_timestamp) % SECOND / hertz, abs=1e-6) and wall_s > 0
        )


def test_what_was_not_asked_for_is_as_it_was() -> None:
    clock = OneClock()
    assert clock.ntp(1.0) is None
    clock.begin(2.0)
    clock.begin(50.0)
    told = clock.ntp(3.0)
    assert told is not None
    assert abs(told / SECOND - (time.time() + 2_208_988_800) - 1.0) < 5
