"""A live session over a gRPC stream: sound in, events out, until both have ended or one has failed.

Knows nothing of protocols: what a message means is for whoever calls. Two tasks, as `transports/live.py` has it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import TypeAlias, TypeVar

from google.protobuf.message import Message

from talkie.audio.formats import RawFormat
from talkie.errors import TalkieError
from talkie.transports.grpc.call import Call
from talkie.transports.live import LiveLine
from talkie.types import LiveEvent
from talkie.wire.grpc_requests import Mark
from talkie.wire.wav_stream import WavStream

M = TypeVar("M", bound=Message)
Tell: TypeAlias = Callable[[LiveEvent], Message | None]
"""The message for an event; None where the protocol has none."""


class Sound:
    """What a client says after its configuration: bytes and marks, in order. With `sniff`, a WAV header at the front
    is taken off and says how the rest is to be read."""

    def __init__(self, call: Call, kind: type[M], said: Callable[[M], bytes | Mark], *, sniff: bool) -> None:
        self._call, self._kind, self._said = call, kind, said
        self._wav = WavStream() if sniff else None
        self._ahead: list[bytes | Mark] = []
        self._ended = False
        self.heard_bytes = 0

    async def raw(self) -> RawFormat | None:
        """How the sound is to be read, by its header; reads as far as it has to. None: it has no header."""
        if self._wav is None:
            return None
        while not self._wav.decided and not any(isinstance(item, Mark) for item in self._ahead):
            item = await self._next()
            if item is None:
                break
            self._ahead.append(item)
        if not self._wav.decided:
            self._ahead.insert(0, self._wav.finish())
        return self._wav.raw

    async def items(self) -> AsyncIterator[bytes | Mark]:
        """All of it, until the client half-closes."""
        ahead, self._ahead = self._ahead, []
        for kept in ahead:
            yield kept
        while not self._ended and (item := await self._next()) is not None:
            yield item

    def seconds(self, raw: RawFormat) -> float:
        """How much sound came."""
        return self.heard_bytes / raw.frame_bytes / raw.sample_rate

    async def _next(self) -> bytes | Mark | None:
        message = await self._call.read(self._kind)
        if message is None:
            self._ended = True
            return None
        item = self._said(message)
        if isinstance(item, bytes):
            item = self._wav.feed(item) if self._wav else item
            self.heard_bytes += len(item)
        return item


async def converse(call: Call, line: LiveLine, sound: Sound, tell: Tell) -> None:
    """Until the session has ended. Raises its error, or that of the first task to fail."""
    try:
        async with asyncio.TaskGroup() as tasks:
            listener = tasks.create_task(_hear(line, sound))
            await _tell(call, line, tell)
            listener.cancel()
    except BaseExceptionGroup as group:
        raise _first(group) from None


async def _hear(line: LiveLine, sound: Sound) -> None:
    async with aclosing(sound.items()) as items:  # type: ignore[type-var]
        async for item in items:
            if not await _passed(line, item):
                return
    await _passed(line, None)


async def _passed(line: LiveLine, item: bytes | Mark | None) -> bool:
    """False when the session has failed: its events say so, after those that still wait."""
    try:
        if item is None:
            line.finish()
        elif item is Mark.COMMIT:
            line.commit()
        elif item is Mark.CLEAR:
            line.clear()
        elif isinstance(item, bytes):
            await line.send(item)
    except TalkieError:
        return False
    return True


async def _tell(call: Call, line: LiveLine, tell: Tell) -> None:
    async with aclosing(line.events()) as events:  # type: ignore[type-var]
        async for event in events:
            message = tell(event)
            if message is not None:
                await call.write(message)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
