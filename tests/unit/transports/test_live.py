"""The bridge between the event loop and a live session."""

from __future__ import annotations

import asyncio

import pytest

from fakes_live import FakeLiveService
from talkie.errors import EngineFailed, QueueFull
from talkie.runtime.requests import LiveRequest
from talkie.transports.live import PIECE_BYTES, open_line
from talkie.types import LiveFinal, LivePartial, SpeechStarted, SpeechStopped


def test_sound_goes_in_and_events_come_out_until_the_end() -> None:
    service = FakeLiveService()

    async def talk() -> list[str]:
        async with open_line(service, LiveRequest(), door="test", owner="me") as line:
            await line.send(bytes(3 * PIECE_BYTES + 2))
            line.commit()
            await line.send(bytes(320))
            line.finish()
            return [type(event).__name__ async for event in line.events()]

    told = asyncio.run(talk())
    one = [SpeechStarted.__name__, *[LivePartial.__name__] * 2, SpeechStopped.__name__, LiveFinal.__name__]
    assert told == one * 2
    [session] = service.sessions
    assert len(session.heard) == 3 * PIECE_BYTES + 322
    assert session.closed.is_set()
    assert service.opened == [("test", "me", "")]


def test_a_sender_waits_for_room() -> None:
    service = FakeLiveService()

    async def talk() -> int:
        async with open_line(service, LiveRequest(), door="test") as line:
            service.sessions[0].full = 2
            await line.send(bytes(640))
            return len(service.sessions[0].heard)

    assert asyncio.run(talk()) == 640


def test_an_error_comes_after_what_was_told_before_it() -> None:
    service = FakeLiveService(error=EngineFailed("fake", "it broke"))

    async def talk() -> list[str]:
        told = []
        async with open_line(service, LiveRequest(), door="test") as line:
            await line.send(bytes(640))
            line.finish()
            with pytest.raises(EngineFailed):
                async for event in line.events():
                    told += [type(event).__name__]
            with pytest.raises(EngineFailed):
                await line.send(bytes(640))
        return told

    assert asyncio.run(talk()) == ["SpeechStarted", "LivePartial", "LivePartial"]
    assert service.sessions[0].closed.is_set()


def test_a_session_that_is_refused_says_why() -> None:
    async def talk() -> None:
        async with open_line(FakeLiveService(refuses=QueueFull(3)), LiveRequest(), door="test"):
            raise AssertionError("it was opened")

    with pytest.raises(QueueFull):
        asyncio.run(talk())
