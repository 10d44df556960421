"""One TCP connection as the Wyoming door sees it: events in and out, with bounds on time and memory.

Knows nothing of what the events mean. Reading goes on while an answer is awaited, so that a client that goes away is
noticed at once; a client that does not read is cut.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from talkie.errors import BadRequestBody, SessionIdle, SlowReader, TalkieError
from talkie.wire.wyoming import HINT, Event, EventReader, encode

READ_BYTES = 64 * 1024
QUEUED_EVENTS = 8
"""Read ahead and not yet dealt with; then the client's own socket waits."""
SEND_S = 30.0
LINGER_S, LINGER_BYTES = 2.0, 64 * 1024 * 1024
"""How long and how much is still read after the last word: closing at once would reset the connection, and the error
would be lost on its way."""


class Disconnected(Exception):
    """The client has gone, or sends nothing more."""


class Connection:
    """An open connection. `receive` is for one task at a time; `send` for any."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, idle_s: float) -> None:
        self._reader, self._writer, self._idle_s = reader, writer, idle_s
        self._events: asyncio.Queue[Event | Exception] = asyncio.Queue(QUEUED_EVENTS)
        self._gone: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self._receiver = asyncio.create_task(self._read())

    async def receive(self) -> Event:
        """The next event. Raises `Disconnected`, `SessionIdle`, `BadRequestBody`."""
        try:
            async with asyncio.timeout(self._idle_s):
                found = await self._events.get()
        except TimeoutError:
            raise SessionIdle(self._idle_s) from None
        if isinstance(found, Event):
            return found
        raise found

    async def gone(self) -> Exception:
        """Waits until the client will send nothing more, and says how that came, whatever has not been received."""
        return await asyncio.shield(self._gone)

    async def send(self, *events: Event) -> None:
        """Raises `SlowReader`, `Disconnected`."""
        try:
            async with asyncio.timeout(SEND_S):
                self._writer.writelines(encode(event) for event in events)
                await self._writer.drain()
        except TimeoutError:
            raise SlowReader from None
        except OSError:
            raise Disconnected from None

    async def close(self, *last: Event) -> None:
        """Say the last words, and end. Never raises, and never takes longer than it says above."""
        self._receiver.cancel()
        try:
            await asyncio.gather(self._receiver, return_exceptions=True)
            await self._say(last)
        finally:
            self._writer.transport.abort()

    async def _say(self, last: Iterable[Event]) -> None:
        with contextlib.suppress(OSError, RuntimeError):  # TimeoutError is an OSError
            async with asyncio.timeout(LINGER_S):
                self._writer.writelines(encode(event) for event in last)
                await self._writer.drain()
                self._writer.write_eof()
                left = LINGER_BYTES
                while left > 0 and (data := await self._reader.read(READ_BYTES)):
                    left -= len(data)

    async def _read(self) -> None:
        events = EventReader()
        try:
            while data := await self._reader.read(READ_BYTES):
                events.feed(data)
                while (event := events.next()) is not None:
                    await self._events.put(event)
        except TalkieError as error:  # it may still listen
            await self._events.put(error)
            return
        except OSError:
            end: Exception = Disconnected()
        else:
            cut = BadRequestBody("it ends in the middle of an event.", hint=HINT)
            end = Disconnected() if events.is_between else cut
        self._gone.set_result(end)
        await self._events.put(end)
