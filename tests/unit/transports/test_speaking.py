"""The bridge from a service that speaks to the event loop: in order, bounded, ended by whoever has enough of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import aclosing
from typing import Any

import numpy as np
import pytest

from fakes_speech import FakeSpeakService
from http_door import run
from talkie.errors import NothingToSay, TextTooLong
from talkie.runtime.cancel import CancelToken
from talkie.runtime.speech import SpeakRequest
from talkie.transports import speaking as bridge
from talkie.transports.speaking import AHEAD, SpokenLine, Writing, speaking
from talkie.types import SpeechChunk

WAIT_S = 20
PIECE = SpeechChunk(np.zeros(100, np.float32), 16_000)


class Made(FakeSpeakService):
    """Speaks what `make` gives, and says when it has ended."""

    def __init__(self, make: Callable[[CancelToken, Iterable[str]], Iterator[SpeechChunk]]) -> None:
        super().__init__()
        self.make, self.made = make, 0
        self.ended = threading.Event()

    def speak(
        self, request: SpeakRequest, cancel: CancelToken | None = None, *, pieces: Iterable[str] | None = None
    ) -> Iterator[SpeechChunk]:
        try:
            for chunk in self.make(cancel or CancelToken(), pieces or ()):
                self.made += 1
                yield chunk
        finally:
            self.ended.set()


def endless(cancel: CancelToken, _pieces: Iterable[str]) -> Iterator[SpeechChunk]:
    while True:
        cancel.check()
        yield PIECE


def words(_cancel: CancelToken, pieces: Iterable[str]) -> Iterator[SpeechChunk]:
    for number, _ in enumerate(pieces):
        yield SpeechChunk(PIECE.samples, 16_000, generation=number)


async def all_of(line: SpokenLine) -> list[SpeechChunk]:
    return [chunk async for chunk in line.chunks()]


def test_in_order_to_the_end() -> None:
    async def work() -> list[str]:
        async with speaking(FakeSpeakService(), SpeakRequest("one two three")) as line:
            return [chunk.marks[0].text for chunk in await all_of(line)]

    assert run(work()) == ["one", "two", "three"]


def test_an_error_of_the_service_is_the_readers() -> None:
    async def work() -> None:
        async with speaking(FakeSpeakService(speak_raises=NothingToSay()), SpeakRequest("")) as line:
            with pytest.raises(NothingToSay):
                await all_of(line)

    run(work())


def test_no_more_is_made_than_is_read_and_a_little() -> None:
    service = Made(endless)

    async def work() -> None:
        async with speaking(service, SpeakRequest("")) as line, aclosing(line.chunks()) as chunks:  # type: ignore[type-var]
            for read in range(1, 20):
                await anext(chunks)
                await asyncio.sleep(0.01)
                assert service.made <= read + AHEAD + 1
        assert service.ended.is_set()

    run(work())


@pytest.mark.parametrize("reads", [0, 1, 5])
def test_leaving_ends_the_work(reads: int) -> None:
    service = Made(endless)

    async def work() -> None:
        async with speaking(service, SpeakRequest("")) as line, aclosing(line.chunks()) as chunks:  # type: ignore[type-var]
            for _ in range(reads):
                await anext(chunks)

    run(work())
    assert service.ended.is_set()


def test_stopping_ends_the_reader_without_an_error() -> None:
    service = Made(endless)

    async def work() -> int:
        heard = 0
        async with speaking(service, SpeakRequest("")) as line:
            async for _ in line.chunks():
                heard += 1
                if heard == 3:
                    line.stop()
        return heard

    assert run(work()) == 3 and service.ended.is_set()


def test_stopping_wakes_a_reader_that_waits() -> None:
    service = Made(words)

    async def work() -> list[SpeechChunk]:
        writing = Writing()
        async with speaking(service, SpeakRequest(""), writing) as line:
            reading = asyncio.create_task(all_of(line))
            writing.write("one")
            await asyncio.sleep(0)
            line.stop()
            return await reading

    assert len(run(work())) <= 1 and service.ended.is_set()


def test_who_is_cancelled_leaves_nothing_at_work() -> None:
    service = Made(endless)

    async def work() -> None:
        async def read() -> None:
            async with speaking(service, SpeakRequest("")) as line:
                async for _ in line.chunks():
                    await asyncio.sleep(0.01)

        reading = asyncio.create_task(read())
        while not service.made:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    run(work())
    assert service.ended.is_set()


def test_a_service_that_does_not_look_at_its_token_is_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bridge, "STUCK_S", 0.05)
    free = threading.Event()

    def stuck(_cancel: CancelToken, _pieces: Iterable[str]) -> Iterator[SpeechChunk]:
        yield PIECE
        free.wait(WAIT_S)

    service = Made(stuck)

    async def work() -> None:
        async with speaking(service, SpeakRequest("")) as line, aclosing(line.chunks()) as chunks:  # type: ignore[type-var]
            await anext(chunks)
        assert not service.ended.is_set()

    run(work())  # the loop is closed now, and the thread has nobody left to tell
    free.set()
    assert service.ended.wait(WAIT_S)


def test_a_text_is_read_while_it_is_written() -> None:
    async def work() -> int:
        writing = Writing()
        async with speaking(Made(words), SpeakRequest(""), writing) as line, aclosing(line.chunks()) as chunks:  # type: ignore[type-var]
            for number in range(50):
                writing.write("word ")
                assert (await anext(chunks)).generation == number
            writing.write("")  # nothing, and not the end
            writing.write("last")
            writing.end()
            return len([chunk async for chunk in chunks])

    assert run(work()) == 1


def test_a_text_that_is_closed_ends_at_once_whatever_waits() -> None:
    writing = Writing()
    for _ in range(10):
        writing.write("word")
    writing.close()
    assert list(writing) == []


def test_a_text_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "WRITTEN_CHARACTERS", 10)
    writing = Writing()
    writing.write("12345")
    writing.write("67890")
    with pytest.raises(TextTooLong):
        writing.write("1")


def test_many_texts_leave_no_threads() -> None:
    async def one(number: int) -> None:
        service: Any = Made(endless) if number % 2 else FakeSpeakService()
        async with speaking(service, SpeakRequest("one two")) as line, aclosing(line.chunks()) as chunks:  # type: ignore[type-var]
            await anext(chunks)

    async def work() -> None:
        for _ in range(10):
            await asyncio.gather(*map(one, range(20)))

    before = threading.active_count()
    run(work())
    for thread in threading.enumerate():
        if thread.name == "speak":
            thread.join(WAIT_S)
    assert threading.active_count() <= before
