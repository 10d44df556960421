"""A live face on its way to a reader: what is dropped, and what may still be shown after that."""

from __future__ import annotations

import asyncio
import itertools
import threading
from typing import Any

import numpy as np
import pytest

from fakes_face import FakeFaceSession, grey
from http_door import run
from talkie.errors import SlowReader
from talkie.pipeline.faces import FaceInfo
from talkie.runtime.face import FaceTick
from talkie.runtime.speech import SpeakRequest
from talkie.transports.face_line import FaceLine
from talkie.transports.face_packets import FacePackets
from talkie.transports.face_talk import FaceTalk
from talkie.wire.face_protocol import AUDIO, VIDEO, Interrupt, Packet, Say


class Fast(FakeFaceSession):
    """Ticks as fast as they are taken, `limit` of them."""

    def __init__(self, limit: int) -> None:
        super().__init__("face_0", ahead_s=1e6)
        self.limit, self.taken = limit, threading.Event()

    def next_tick(self, timeout_s: float) -> FaceTick | None:
        if self._index >= self.limit:
            self.taken.set()
            threading.Event().wait(timeout_s)
            return None
        return super().next_tick(timeout_s)


def line_of(session: FakeFaceSession) -> FaceLine:
    packets = FacePackets(FaceInfo("talkie", "drawn", 64, 64), "h264", "pcm16")
    return FaceLine(session, packets, FaceTalk(session, SpeakRequest("")))


async def taken(line: FaceLine, count: int) -> list[Any]:
    items: list[Any] = []
    async for item in line.told():
        items.append(item)
        if len(items) == count:
            break
    return items


async def until(line: FaceLine, index: int) -> list[Any]:
    """All up to the sound of that frame."""
    items: list[Any] = []
    async for item in line.told():
        items.append(item)
        if isinstance(item, Packet) and item.kind == AUDIO and item.index == index:
            break
    return items


def test_who_reads_late_misses_pictures_and_no_sound() -> None:
    async def work() -> list[Any]:
        session = Fast(200)
        line = line_of(session)
        line.start()
        try:
            assert await asyncio.to_thread(session.taken.wait, 20)
            session.limit = 260
            return await until(line, 259)
        finally:
            await line.close()

    items = run(work())
    sound = [item.index for item in items if item.kind == AUDIO]
    pictures = [item for item in items if item.kind == VIDEO]
    assert sound == list(range(260)) and 1 <= len(pictures) < 200
    gaps = [b for a, b in itertools.pairwise(pictures) if b.index != a.index + 1]
    assert pictures[0].key and all(picture.key for picture in gaps)


def test_who_does_not_read_is_given_up() -> None:
    async def work() -> None:
        session = Fast(10_000)
        line = line_of(session)
        line.start()
        try:
            await asyncio.to_thread(line._closed.wait, 20)
            with pytest.raises(SlowReader):
                await taken(line, 10)
        finally:
            await line.close()
        assert session.closed.is_set()

    run(work())


def test_nothing_of_a_stopped_utterance_is_left_in_the_line() -> None:
    async def work() -> list[Any]:
        session = Fast(20)
        line = line_of(session)
        line.answer(line.talk.obey(Say("one two three four five six seven")))
        line.start()
        try:
            assert await asyncio.to_thread(session.taken.wait, 20)
            line.answer(line.talk.obey(Interrupt()))
            session.limit = 40
            return await until(line, 39)
        finally:
            await line.close()

    items = run(work())
    assert items[0]["type"] == "interrupted" and items[0]["generation"] == 1
    later = [item for item in items[1:] if isinstance(item, Packet)]
    assert {packet.generation for packet in later} == {0} and len(items) == 1 + len(later)
    pictures = [packet for packet in later if packet.kind == VIDEO]
    assert pictures and pictures[0].key  # those before it stood upon pictures that were never sent


def test_sound_and_picture_of_a_tick_are_at_one_time() -> None:
    packets = FacePackets(FaceInfo("talkie", "drawn", 64, 64), "vp8", "opus")
    made: list[Packet] = []
    for index in range(10):
        made += packets.of(FaceTick(grey(0.5), np.zeros(1920, np.float32), 3 + index / 25, index, 1, index == 0))
    packets.close()
    pictures = {packet.index: packet.pts_us for packet in made if packet.kind == VIDEO}
    assert pictures == {index: 3_000_000 + 40_000 * index for index in range(10)}
    sounds = [packet for packet in made if packet.kind == AUDIO]
    assert all(-2500 <= sound.pts_us - pictures[sound.index] <= 20_000 for sound in sounds) and len(sounds) == 20


def test_a_session_that_ends_well_is_the_end_of_the_line() -> None:
    class Over(Fast):
        def next_tick(self, timeout_s: float) -> FaceTick | None:
            return None if self._index >= self.limit else super().next_tick(timeout_s)

    async def work() -> list[Any]:
        line = line_of(Over(3))
        line.start()
        try:
            return [item async for item in line.told()]
        finally:
            await line.close()

    assert [item.index for item in run(work()) if item.kind == VIDEO] == [0, 1, 2]
