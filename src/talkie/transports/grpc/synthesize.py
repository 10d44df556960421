"""`Synthesize` and `StreamingSynthesize` of `talkie.v1`: the steps. What is in a message is for `wire.grpc_speech`.

Knows nothing of voices or engines. Marks leave before the audio in which they begin.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeAlias

from talkie.audio.raw_speech import RawSpeech, cut
from talkie.errors import NothingToSay, QueueFull, TextTooLong
from talkie.transports.grpc.call import Call
from talkie.transports.grpc.methods import Methods
from talkie.transports.http.work import Gate
from talkie.transports.speaking import WRITTEN_CHARACTERS, SpokenLine, Writing, speaking
from talkie.transports.speech import SpeakService
from talkie.wire.grpc_speech import (
    MAX_GENERATION,
    Sign,
    SpeechCall,
    mark,
    raw_audio,
    speech_call,
    streaming_call,
    written,
)
from talkie.wire.protos.talkie.v1 import talkie_pb2 as pb

SERVICE = pb.DESCRIPTOR.services_by_name["Speech"]
AUDIO_BYTES = 32 * 1024
WAITING = 256
"""Utterances that were begun and are not yet spoken, of one call."""
TEXT_S = 300.0
"""A client that writes nothing for so long, while its call is open, is given up."""
Tell: TypeAlias = Callable[..., Awaitable[None]]


class Synthesis:
    """Handlers over `service`; each gets the call after the key was checked. `gate` bounds those inside."""

    def __init__(self, service: SpeakService, gate: Gate) -> None:
        self._service, self._gate = service, gate

    def open(self, methods: Methods) -> None:
        methods.open(SERVICE, "Synthesize", self.synthesize, scope="speak")
        methods.open(SERVICE, "StreamingSynthesize", self.streaming_synthesize, scope="speak")

    async def synthesize(self, call: Call) -> None:
        with self._gate.enter():
            asked = speech_call(await call.first(pb.SynthesizeRequest), call.owner_or_all)
            voicing = _Voicing(asked, partial(_tell, call, pb.SynthesizeResponse))
            try:
                async with speaking(self._service, asked.request) as line:
                    await voicing.run(line)
            finally:
                call.audio_s = voicing.sent_s

    async def streaming_synthesize(self, call: Call) -> None:
        """A call may be open for hours: it has a place inside only while an utterance is being spoken."""
        asked = streaming_call(await call.first(pb.StreamingSynthesizeRequest), call.owner_or_all)
        talk = _Talk(self._service, self._gate, call, asked)
        try:
            await talk.run()
        finally:
            call.audio_s = talk.spoken_s


async def _tell(call: Call, kind: type[Any], generation: int, **part: Any) -> None:
    await call.write(kind(generation=generation & MAX_GENERATION, **part))


class _Voicing:
    """One utterance on its way to the client. `sent_s` is how much of its audio has left."""

    def __init__(self, asked: SpeechCall, tell: Tell) -> None:
        self._asked, self._tell = asked, partial(tell, asked.request.generation)
        self._frame_bytes, self._rate, self._bytes = 1, 1, 0

    @property
    def sent_s(self) -> float:
        return self._bytes / self._frame_bytes / self._rate

    async def run(self, line: SpokenLine) -> None:
        """Until it is spoken, or stopped."""
        sound: RawSpeech | None = None
        async for chunk in line.chunks():
            if sound is None:
                sound = await self._begin(chunk.sample_rate)
            for item in chunk.marks:
                if not line.stopped:
                    await self._tell(mark=mark(item))
            await self._send(sound.feed(chunk.samples, chunk.sample_rate), line)
        if sound is not None:
            await self._send(sound.finish(), line)

    async def _begin(self, voice_rate: int) -> RawSpeech:
        raw = self._asked.raw(voice_rate)
        self._frame_bytes, self._rate = raw.frame_bytes, raw.sample_rate
        await self._tell(format=raw_audio(raw))
        return RawSpeech(raw)

    async def _send(self, audio: bytes, line: SpokenLine) -> None:
        for piece in cut(audio, self._frame_bytes, AUDIO_BYTES):
            if line.stopped:
                return
            await self._tell(audio=piece)
            self._bytes += len(piece)


@dataclass(eq=False)
class _Utterance:
    """One that was begun. `line` is there once it is its turn."""

    generation: int
    writing: Writing = field(default_factory=Writing)
    line: SpokenLine | None = None
    unwanted: bool = False

    def drop(self) -> None:
        self.unwanted = True
        self.writing.close()
        if self.line is not None:
            self.line.stop()


@dataclass(frozen=True)
class _Interrupted:
    generation: int


class _Talk:
    """Utterances of one call, each spoken when those before it are. One task reads, so that an interruption is heard
    while audio leaves; the other speaks."""

    def __init__(self, service: SpeakService, gate: Gate, call: Call, asked: SpeechCall) -> None:
        self._service, self._gate, self._call, self._asked = service, gate, call, asked
        self._tell = partial(_tell, call, pb.StreamingSynthesizeResponse)
        self._open: deque[_Utterance] = deque()
        self._turns: asyncio.Queue[_Utterance | _Interrupted | None] = asyncio.Queue()
        self._next = asked.request.generation
        self._cut_s = self.spoken_s = 0.0

    async def run(self) -> None:
        """Until all that was written is spoken. Raises the error of whichever task fails first."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read())
                tasks.create_task(self._speak())
        except BaseExceptionGroup as group:
            error: BaseException = group
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            raise error from None

    async def _read(self) -> None:
        current: _Utterance | None = None
        while (message := await self._call.read(pb.StreamingSynthesizeRequest, TEXT_S)) is not None:
            said = written(message)
            if said is Sign.INTERRUPT:
                current = None
                self._interrupt()
            elif said is Sign.END:
                _end(current)
                current = None
            elif isinstance(said, str) and (current or said.strip()):
                current = current or self._begun()
                current.writing.write(said)
                self._check_room()
        _end(current)
        self._turns.put_nowait(None)

    def _begun(self) -> _Utterance:
        if len(self._open) >= WAITING:
            raise QueueFull(WAITING)
        utterance = _Utterance(self._next)
        self._next += 1
        self._open.append(utterance)
        self._turns.put_nowait(utterance)
        return utterance

    def _interrupt(self) -> None:
        """All that was begun is no longer wanted; what comes next has a number of its own even if nothing was."""
        for utterance in self._open:
            utterance.drop()
        last = max(self._next - 1, self._asked.request.generation)
        self._next = last + 1
        self._turns.put_nowait(_Interrupted(last))

    def _check_room(self) -> None:
        characters = sum(utterance.writing.characters for utterance in self._open)
        if characters > WRITTEN_CHARACTERS:
            raise TextTooLong(characters, WRITTEN_CHARACTERS)

    async def _speak(self) -> None:
        while (turn := await self._turns.get()) is not None:
            if isinstance(turn, _Interrupted):
                await self._tell(turn.generation, interrupted=pb.Interrupted(sent_s=round(self._cut_s, 3)))
                self._cut_s = 0.0
                continue
            if not turn.unwanted:
                await self._say(turn)
            self._open.remove(turn)

    async def _say(self, utterance: _Utterance) -> None:
        asked = replace(self._asked, request=replace(self._asked.request, generation=utterance.generation))
        voicing = _Voicing(asked, self._tell)
        try:
            with self._gate.enter():
                async with speaking(self._service, asked.request, utterance.writing) as line:
                    utterance.line = line
                    await voicing.run(line)
        except NothingToSay:  # one utterance without words is no reason to end a conversation
            pass
        finally:
            self.spoken_s += voicing.sent_s
        if utterance.unwanted:
            self._cut_s = voicing.sent_s
        else:
            done = pb.UtteranceDone(duration_s=round(voicing.sent_s, 3))
            await self._tell(utterance.generation, done=done)


def _end(utterance: _Utterance | None) -> None:
    if utterance is not None:
        utterance.writing.end()
