"""The bridge from a service that speaks to a socket: a blocking generator on a thread, its pieces on the event loop.

Knows nothing of protocols. A reader that is slow holds the work back; leaving the block, or `stop`, ends it at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from talkie.errors import TextTooLong
from talkie.runtime.cancel import POLL_S, CancelToken
from talkie.transports.http.work import STUCK_S

if TYPE_CHECKING:
    from talkie.runtime.speech import SpeakRequest
    from talkie.transports.speech import SpeakService
    from talkie.types import SpeechChunk

AHEAD = 2
"""Pieces made and not yet read; each may be seconds long."""
WRITTEN_CHARACTERS = 1_000_000
"""Of one utterance, spoken or not: a bound on memory, above every bound that the service has."""


class Writing:
    """A text that is still being written. One task writes and a thread reads; neither waits for the other to be done.

    Nothing holds a writer back, for the next thing it says may be that all of this is no longer wanted.
    """

    def __init__(self) -> None:
        self._pieces: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._closed = False
        self.characters = 0

    def write(self, text: str) -> None:
        """Raises `TextTooLong`."""
        self.characters += len(text)
        if self.characters > WRITTEN_CHARACTERS:
            raise TextTooLong(self.characters, WRITTEN_CHARACTERS)
        if text:
            self._pieces.put(text)

    def end(self) -> None:
        """No more will come: what there is shall be spoken to its end."""
        self._pieces.put("")

    def close(self) -> None:
        """Nobody wants it any more. Harmless a second time."""
        self._closed = True
        self._pieces.put("")

    def __iter__(self) -> Iterator[str]:
        while (piece := self._pieces.get()) and not self._closed:
            yield piece


@dataclass(frozen=True, slots=True)
class _End:
    """The generator is through; `error` says how."""

    error: BaseException | None = None


class SpokenLine:
    """What is being spoken, as a coroutine sees it. One task reads `chunks`; `stop` is for any task."""

    def __init__(self, service: SpeakService, request: SpeakRequest, writing: Writing | None = None) -> None:
        self._service, self._request, self._writing = service, request, writing
        self._cancel = CancelToken()
        self._loop = asyncio.get_running_loop()
        self._told: asyncio.Queue[SpeechChunk | _End] = asyncio.Queue()
        self._room = threading.Semaphore(AHEAD)
        self._over = asyncio.Event()
        self.stopped = False

    async def chunks(self) -> AsyncIterator[SpeechChunk]:
        """Until all is spoken, or `stop`. Raises the errors of the service, those of the request before any piece."""
        while not isinstance(item := await self._told.get(), _End):
            if self.stopped:
                return
            yield item
            self._room.release()
        if item.error is not None and not self.stopped:
            raise item.error

    def stop(self) -> None:
        """It is no longer wanted. The reader ends without an error."""
        self.stopped = True
        self._give_up()
        self._told.put_nowait(_End())

    def start(self) -> None:
        threading.Thread(target=self._run, name="speak", daemon=True).start()

    async def close(self) -> None:
        """The work ends; waits for the thread, though not for ever."""
        self._give_up()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STUCK_S):
                await self._over.wait()

    def _give_up(self) -> None:
        self._cancel.cancel()
        if self._writing is not None:
            self._writing.close()

    def _run(self) -> None:
        end = _End()
        try:
            spoken = self._service.speak(self._request, self._cancel, pieces=self._writing)
            with contextlib.closing(spoken):  # type: ignore[type-var]
                for chunk in spoken:
                    self._put(chunk)
        except BaseException as error:
            end = _End(error)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            self._loop.call_soon_threadsafe(self._told.put_nowait, end)
            self._loop.call_soon_threadsafe(self._over.set)

    def _put(self, chunk: SpeechChunk) -> None:
        while not self._room.acquire(timeout=POLL_S):
            self._cancel.check()
        self._cancel.check()
        self._loop.call_soon_threadsafe(self._told.put_nowait, chunk)


@contextlib.asynccontextmanager
async def speaking(
    service: SpeakService, request: SpeakRequest, writing: Writing | None = None
) -> AsyncIterator[SpokenLine]:
    """A text being spoken for as long as the block runs: `request.text`, or what is being written."""
    line = SpokenLine(service, request, writing)
    line.start()
    try:
        yield line
    finally:
        await line.close()
