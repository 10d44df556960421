"""The bridge from a request to the service: a blocking generator on a thread, its events on the event loop.

Knows nothing of forms or formats. When nobody waits any more (the client has gone, the server stops) the work is
cancelled and the generator closed; between the two stands a bounded queue, so a slow reader slows its own work only,
and one that stands still is given up.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import CancelledError as FutureCancelled
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from talkie.errors import Cancelled, QueueFull, ShuttingDown
from talkie.runtime.cancel import CancelToken
from talkie.types import Progress, Segment, Transcript, TranscriptEvent

if TYPE_CHECKING:
    from starlette.requests import Request

QUEUE_EVENTS = 256
STUCK_S = 5.0
"""How long a server that stops waits for a thread that does not look at its token."""
Start: TypeAlias = Callable[[CancelToken], Iterator[TranscriptEvent]]
Heard: TypeAlias = Segment | Transcript

T = TypeVar("T")


class Gate:
    """How many requests may be inside at once, those that upload and wait included; `close` lets in no more."""

    def __init__(self, limit: int) -> None:
        self._limit = max(1, limit)
        self._inside = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.closed = False

    def close(self) -> None:
        self.closed = True

    async def empty(self) -> None:
        """Wait until nobody is inside, for as long as a thread may take to notice that it was cancelled."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STUCK_S):
                await self._idle.wait()

    @contextlib.contextmanager
    def enter(self) -> Iterator[None]:
        if self.closed:
            raise ShuttingDown
        if self._inside >= self._limit:
            raise QueueFull(self._inside)
        self._inside += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._idle.set()


@dataclass(frozen=True, slots=True)
class _End:
    """The generator is through; `error` says how."""

    error: BaseException | None = None


async def to_end(work: Callable[[], T]) -> T:
    """The work in a thread, to its end even when nobody waits: its upload must not be closed under it."""
    doing = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        await asyncio.wait([doing])
        raise


@contextlib.asynccontextmanager
async def working(start: Start, patience_s: float) -> AsyncIterator[AsyncIterator[Heard]]:
    """Segments, then the transcript, of what `start` hears."""
    async with threaded(lambda cancel: _heard(start(cancel)), patience_s) as heard:
        yield heard


def _heard(events: Iterator[TranscriptEvent]) -> Iterator[Heard]:
    with contextlib.closing(events):  # type: ignore[type-var]
        for event in events:
            if not isinstance(event, Progress):
                yield event


@contextlib.asynccontextmanager
async def threaded(
    start: Callable[[CancelToken], Iterator[T]], patience_s: float, ahead: int = QUEUE_EVENTS
) -> AsyncIterator[AsyncIterator[T]]:
    """What the work yields that `start` begins on a thread of its own; it may be `ahead` of its reader by so many.

    Leaving the block cancels what is still going on and waits for the thread, so that the file it reads can be closed.
    """
    cancel = CancelToken()
    events: asyncio.Queue[T | _End] = asyncio.Queue(ahead)
    ended = asyncio.Event()
    worker = _Worker(start, cancel, events, ended, patience_s)
    threading.Thread(target=worker.run, name="request", daemon=True).start()
    stream = _read(events)
    try:
        yield stream
    finally:
        cancel.cancel()
        await _drain(events, ended)


async def _read(events: asyncio.Queue[T | _End]) -> AsyncIterator[T]:
    while not isinstance(event := await events.get(), _End):
        yield event
    if event.error is not None:
        raise event.error


async def _drain(events: asyncio.Queue[T | _End], ended: asyncio.Event) -> None:
    """Until the thread is through; it looks at its token between its steps. When we are cancelled, not for ever."""
    cancelled_at: float | None = None
    while not ended.is_set() and (cancelled_at is None or time.monotonic() < cancelled_at + STUCK_S):
        while not events.empty():
            events.get_nowait()
        try:
            async with asyncio.timeout(0.05):
                await ended.wait()
        except TimeoutError:
            continue
        except asyncio.CancelledError:
            cancelled_at = cancelled_at or time.monotonic()
    if cancelled_at is not None:
        raise asyncio.CancelledError


class _Worker(Generic[T]):
    """The thread's side: it may block, and touches the event loop only through its thread-safe doors."""

    def __init__(
        self,
        start: Callable[[CancelToken], Iterator[T]],
        cancel: CancelToken,
        events: asyncio.Queue[T | _End],
        ended: asyncio.Event,
        patience_s: float,
    ) -> None:
        self._start, self._cancel, self._events, self._ended = start, cancel, events, ended
        self._patience_s = patience_s
        self._loop = asyncio.get_running_loop()

    def run(self) -> None:
        end = _End()
        try:
            with contextlib.closing(self._start(self._cancel)) as work:  # type: ignore[type-var]
                for event in work:
                    self._put(event)
        except BaseException as error:
            end = _End(error)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            try:
                self._put(end)
            except Cancelled as error:
                self._loop.call_soon_threadsafe(self._cut, _End(error))
            self._loop.call_soon_threadsafe(self._ended.set)

    def _cut(self, end: _End) -> None:
        """The reader stood still for too long: what it has not read ends in an error, should it ever go on."""
        if self._events.full():
            self._events.get_nowait()
        self._events.put_nowait(end)

    def _put(self, event: T | _End) -> None:
        if self._cancel.cancelled:
            raise Cancelled
        putting = asyncio.run_coroutine_threadsafe(self._events.put(event), self._loop)
        try:
            putting.result(self._patience_s)
        except (FutureTimeout, FutureCancelled):
            putting.cancel()
            self._cancel.cancel()
            raise Cancelled from None


@contextlib.asynccontextmanager
async def while_connected(request: Request) -> AsyncIterator[None]:
    """The block runs only while the client is there; when it goes, the block is left by `Cancelled`.

    The body must have been read: all that can still come is the end of the connection.
    """
    gone = False
    task = asyncio.current_task()
    assert task is not None

    async def watch() -> None:
        nonlocal gone
        while (await request.receive())["type"] != "http.disconnect":
            pass
        gone = True
        task.cancel()

    watcher = asyncio.ensure_future(watch())
    try:
        yield
    except asyncio.CancelledError:
        if not gone or task.uncancel() > 0:
            raise
        raise Cancelled from None
    finally:
        watcher.cancel()
