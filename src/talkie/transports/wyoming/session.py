"""The conversation on one Wyoming connection: what is asked, the utterances that are heard, the texts that are spoken.

An utterance goes from `audio-start` to `audio-stop`; its transcript is everything said between them, and leaves in
chunks as sentences end. Knows nothing of bytes, addresses or engines.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from talkie.errors import AudioTooLong, Cancelled, InvalidValue, SessionEnded, TalkieError
from talkie.transports.live import LiveLine, LiveService, open_line
from talkie.transports.speech import SpeakService
from talkie.transports.wyoming.connection import Connection, Disconnected
from talkie.transports.wyoming.speak import Spoken
from talkie.types import LiveFinal
from talkie.wire import wyoming_events as words
from talkie.wire import wyoming_speech as speech
from talkie.wire.wyoming import Event

log = logging.getLogger("talkie.wyoming")

DOOR = "wyoming"


class TalkService(LiveService, SpeakService, Protocol):
    """What a conversation needs of the service."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """What every conversation needs. `info` answers `describe`; `max_audio_s` bounds one utterance."""

    service: TalkService
    info: Callable[[], Awaitable[Event]]
    max_audio_s: float


class Conversation:
    """`run` it until it raises what ended it. `client` labels its sessions in lists."""

    def __init__(self, hearing: Hearing, connection: Connection, client: str = "") -> None:
        self._hearing, self._connection, self._client = hearing, connection, client
        self._wish = words.Wish()
        self.is_at_work = False

    async def run(self) -> None:
        """Raises `Disconnected` when the client goes, and the errors of `talkie.errors`."""
        while True:
            event = await self._connection.receive()
            if event.type in (words.AUDIO_START, words.AUDIO_CHUNK):
                await self._hear(event)
            elif event.type == words.AUDIO_STOP:  # nothing was said
                await self._connection.send(*_Said("").end())
            elif event.type in (speech.SYNTHESIZE, speech.SYNTHESIZE_START):
                await self._speak(event)
            else:
                await self.answer(event)

    async def answer(self, event: Event) -> None:
        """What may come at any time. Events of other services are none of ours."""
        if event.type == words.TRANSCRIBE:  # of the next utterance on
            self._wish = words.wish(event.data)
        elif event.type == words.DESCRIBE:
            await self._connection.send(await self._hearing.info())
        elif event.type == words.PING:
            await self._connection.send(words.pong(event.data))
        elif event.type in speech.ASKED:
            raise InvalidValue(event.type, f"There is no place for {event.type} here.", hint=speech.HINT)

    async def _hear(self, first: Event) -> None:
        """One utterance; `first` is its start, or its first sound where the client leaves the start out."""
        utterance = _Utterance(self, self._hearing, self._connection, first, self._wish)
        request = self._wish.request(utterance.raw)
        with self._working(utterance, "heard"):
            async with open_line(self._hearing.service, request, door=DOOR, client=self._client) as line:
                await self._connection.send(*await utterance.run(line))

    async def _speak(self, event: Event) -> None:
        """One text: the whole of it, or the start of one that is being written."""
        request = speech.speak_request(event.data)
        spoken = Spoken(self._hearing.service, self._connection, self.answer)
        with self._working(spoken, "spoken"):
            await (spoken.whole(request) if event.type == speech.SYNTHESIZE else spoken.streamed(request))

    @contextlib.contextmanager
    def _working(self, work: _Utterance | Spoken, what: str) -> Iterator[None]:
        """One line of the log, however it ends."""
        began, outcome = time.monotonic(), "failed"
        self.is_at_work = True
        try:
            yield
            outcome = "ok"
        except Disconnected:  # who has gone wants no answer, and what was still to be done is not
            outcome = Cancelled.code
            raise Cancelled from None
        except TalkieError as error:
            outcome = error.code
            raise
        finally:
            self.is_at_work = False
            _report(outcome, what, time.monotonic() - began, work.seconds)


class _Utterance:
    """Sound to a session and its sentences back, at the same time."""

    def __init__(
        self, conversation: Conversation, hearing: Hearing, connection: Connection, first: Event, wish: words.Wish
    ) -> None:
        self.raw = words.sound_format(first.data)
        self._conversation, self._hearing, self._connection, self._first = conversation, hearing, connection, first
        self._said = _Said(wish.language or "")
        self._bytes = 0
        self._stopped = False

    @property
    def seconds(self) -> float:
        return self._bytes / self.raw.frame_bytes / self.raw.sample_rate

    async def run(self, line: LiveLine) -> list[Event]:
        """Hears it to its end; the last events of the answer. Raises what came in between."""
        try:
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(self._watch())
                tasks.create_task(self._feed(line))
                await self._tell(line)
                if not self._stopped:
                    raise SessionEnded
                watching.cancel()
        except BaseExceptionGroup as several:
            raise _first(several) from None
        return self._said.end()

    async def _watch(self) -> None:
        """Nothing else would notice that the client goes while its answer is awaited."""
        raise await self._connection.gone()

    async def _feed(self, line: LiveLine) -> None:
        event = self._first
        while event.type != words.AUDIO_STOP:
            if event.type == words.AUDIO_CHUNK:
                self._count(event)
                await line.send(event.payload)
            elif event.type != words.AUDIO_START:
                await self._conversation.answer(event)
            elif event is not self._first:
                raise InvalidValue("audio-start", "An audio-start came before the audio-stop of the last.")
            event = await self._connection.receive()
        self._stopped = True
        line.finish()

    def _count(self, event: Event) -> None:
        if event is not self._first and "rate" in event.data and words.sound_format(event.data) != self.raw:
            raise InvalidValue("audio-chunk", "An audio-chunk has another format than the audio-start.")
        self._bytes += len(event.payload)
        if self.seconds > self._hearing.max_audio_s:
            raise AudioTooLong(self._hearing.max_audio_s)

    async def _tell(self, line: LiveLine) -> None:
        async for event in line.events():
            if isinstance(event, LiveFinal) and event.transcript.text:
                await self._connection.send(*self._said.add(event.transcript.text, event.transcript.language))


class _Said:
    """The text of an utterance as it grows, and the events that tell it."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._texts: list[str] = []

    def add(self, text: str, language: str) -> list[Event]:
        """A sentence more: its chunk, and before the first of them the start."""
        self._texts.append(text)
        if len(self._texts) > 1:
            return [words.transcript_chunk(text, first=False)]
        self._language = self._language or language
        return [words.transcript_start(self._language), words.transcript_chunk(text, first=True)]

    def end(self) -> list[Event]:
        """The whole text; empty where nothing was said."""
        start = [] if self._texts else [words.transcript_start(self._language)]
        return [*start, words.transcript(self._texts, self._language), words.transcript_stop()]


def _first(several: BaseExceptionGroup[BaseException]) -> BaseException:
    """One of the errors of tasks that ended together: the others are its consequence."""
    error: BaseException = several
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _report(outcome: str, what: str, took_s: float, audio_s: float) -> None:
    facts = {"door": DOOR, "outcome": outcome, "ms": round(took_s * 1000), "audio_s": round(audio_s, 2), "work": what}
    log.info("wyoming %s %d ms %.1f s of audio %s", outcome, facts["ms"], audio_s, what, extra={"facts": facts})
