"""Texts spoken on one Wyoming connection: whole ones, and those that are still being written.

A client that streams sends a text in chunks, then the whole of it once more for servers that cannot stream: that one is
not spoken. Knows nothing of bytes, addresses or engines.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeAlias

from talkie.audio.encode import to_pcm16
from talkie.audio.raw_speech import cut
from talkie.errors import InvalidValue, TextTooLong
from talkie.runtime.speech import SpeakRequest
from talkie.transports.speaking import WRITTEN_CHARACTERS, SpokenLine, Writing, speaking
from talkie.transports.speech import SpeakService
from talkie.transports.wyoming.connection import Connection
from talkie.wire import wyoming_events as words
from talkie.wire import wyoming_speech as speech
from talkie.wire.wyoming import Event

PIECE_BYTES = 8192
"""A fifth of a second, so that a player may begin and a client that reads slowly is no reason to wait long."""
Answer: TypeAlias = Callable[[Event], Awaitable[None]]


class Spoken:
    """One text. `answer` is for events that may come at any time; `seconds` is how much of it was sent."""

    def __init__(self, service: SpeakService, connection: Connection, answer: Answer) -> None:
        self._service, self._connection, self._answer = service, connection, answer
        self.seconds = 0.0

    async def whole(self, request: SpeakRequest) -> None:
        """Raises the errors of the service, and `Disconnected` when the client goes."""
        async with speaking(self._service, request) as line:
            await self._together(self._tell(line))

    async def streamed(self, request: SpeakRequest) -> None:
        """From a `synthesize-start` to the answer to its `synthesize-stop`. Raises what `whole` raises."""
        if request.ssml:  # which cannot be spoken before its end is there
            await self.whole(replace(request, text=await self._gathered()))
        else:
            writing = Writing()
            async with speaking(self._service, request, writing) as line:
                await self._together(self._tell(line), self._read(writing))
        await self._connection.send(speech.synthesize_stopped())

    async def _together(self, *work: Coroutine[Any, Any, None]) -> None:
        """Until all of it is done, or one fails. Nothing else would notice that the client goes meanwhile."""
        try:
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(self._watch())
                for task in [tasks.create_task(one) for one in work]:
                    await task
                watching.cancel()
        except BaseExceptionGroup as several:
            error: BaseException = several
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            raise error from None

    async def _watch(self) -> None:
        raise await self._connection.gone()

    async def _tell(self, line: SpokenLine) -> None:
        rate = 0
        async for chunk in line.chunks():
            if not rate:
                rate = chunk.sample_rate
                await self._connection.send(speech.audio_start(rate))
            for piece in cut(to_pcm16(chunk.samples).tobytes(), speech.WIDTH_BYTES, PIECE_BYTES):
                await self._connection.send(speech.audio_chunk(rate, piece))
            self.seconds += len(chunk.samples) / chunk.sample_rate
        if rate:
            await self._connection.send(speech.audio_stop())

    async def _read(self, writing: Writing) -> None:
        """The text as it comes."""
        while (text := await self._next(anew=not writing.characters)) is not None:
            writing.write(text)
        writing.end()

    async def _gathered(self) -> str:
        pieces: list[str] = []
        while (text := await self._next(anew=not pieces)) is not None:
            pieces += [text] if text else []
            if sum(map(len, pieces)) > WRITTEN_CHARACTERS:
                raise TextTooLong(sum(map(len, pieces)), WRITTEN_CHARACTERS)
        return "".join(pieces)

    async def _next(self, *, anew: bool) -> str | None:
        """The next of the text; None at its end. `anew`: nothing of it has come, so that the whole is not a repeat."""
        while (event := await self._connection.receive()).type != speech.SYNTHESIZE_STOP:
            if event.type == speech.SYNTHESIZE_CHUNK or (event.type == speech.SYNTHESIZE and anew):
                return speech.text(event.data)
            if event.type == speech.SYNTHESIZE_START:
                raise InvalidValue(event.type, "A synthesize-start came before the synthesize-stop of the last.")
            if event.type in (words.AUDIO_START, words.AUDIO_CHUNK, words.AUDIO_STOP):
                raise InvalidValue(event.type, "Sound came before the synthesize-stop of a text.")
            if event.type != speech.SYNTHESIZE:
                await self._answer(event)
        return None
