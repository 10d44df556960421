"""The bridge between a blocking generator and the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from http_door import run
from talkie.errors import Cancelled, QueueFull, ShuttingDown
from talkie.runtime.cancel import CancelToken
from talkie.transports.http.work import QUEUE_EVENTS, Gate, Heard, working
from talkie.types import Progress, Segment, Transcript, TranscriptEvent


class Work:
    """Yields `count` segments, then the transcript; remembers how it ended."""

    def __init__(self, count: int = 3, error: Exception | None = None) -> None:
        self.count, self.error = count, error
        self.closed = threading.Event()
        self.token: CancelToken | None = None

    def __call__(self, cancel: CancelToken) -> Iterator[TranscriptEvent]:
        self.token = cancel
        try:
            for number in range(self.count):
                yield Progress(number)
                yield Segment(str(number), number, number + 1)
            if self.error:
                raise self.error
            yield Transcript()
        finally:
            self.closed.set()


async def collect(start: Callable[[CancelToken], Iterator[TranscriptEvent]], pause_s: float = 0.0) -> list[Heard]:
    async with working(start, 0.2) as heard:
        await asyncio.sleep(pause_s)
        return [item async for item in heard]


def test_segments_and_the_transcript_come_in_order() -> None:
    *segments, last = run(collect(Work(1000)))
    assert [item.text for item in segments] == [str(number) for number in range(1000)]
    assert isinstance(last, Transcript)


def test_an_error_is_raised_where_it_is_read() -> None:
    work = Work(error=ValueError("x"))
    with pytest.raises(ValueError, match="x"):
        run(collect(work))
    assert work.closed.is_set()


def test_who_leaves_early_ends_the_work() -> None:
    work = Work(10**9)

    async def leave() -> None:
        async with working(work, 5.0) as heard:
            await anext(heard)

    run(leave())
    assert work.closed.is_set() and work.token is not None and work.token.cancelled


def test_a_reader_that_stands_still_is_given_up() -> None:
    work = Work(10 * QUEUE_EVENTS)
    with pytest.raises(Cancelled):
        run(collect(work, pause_s=0.6))
    assert work.closed.is_set()


def test_a_gate_counts_and_closes() -> None:
    async def go() -> None:
        gate = Gate(1)
        with gate.enter():
            with pytest.raises(QueueFull), gate.enter():
                pass
            gate.close()
            waiting = asyncio.ensure_future(gate.empty())
            await asyncio.sleep(0)
            assert not waiting.done()
        await waiting
        with pytest.raises(ShuttingDown), gate.enter():
            pass

    run(go())
