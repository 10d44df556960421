"""`nvidia.riva.tts.RivaSpeechSynthesis`, for programs written for Riva. Imported only where its stubs are.

The steps of each method; what is in a message is for `wire.riva_tts`, the work for the service.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from riva.client.proto import riva_tts_pb2 as rtts

from talkie.audio.encoders import Encoder, open_encoder
from talkie.audio.raw_speech import RawSpeech, cut
from talkie.audio.resample import StreamResampler
from talkie.errors import InvalidValue, ModelNotFound
from talkie.transports.grpc.call import Call
from talkie.transports.grpc.methods import Methods
from talkie.transports.grpc.synthesize import AUDIO_BYTES, TEXT_S
from talkie.transports.http.work import Gate
from talkie.transports.speaking import SpokenLine, speaking
from talkie.transports.speech import SpeakService
from talkie.types import SpeechChunk
from talkie.wire import riva_tts as riva

SERVICE = rtts.DESCRIPTOR.services_by_name["RivaSpeechSynthesis"]
WHOLE_BYTES = 64 * 1024 * 1024
"""Of an answer in one message, which is gathered in memory: twelve minutes at 44.1 kHz."""


class RivaSpeech:
    """Handlers over `service`; each gets the call after the key was checked. `gate` bounds those inside."""

    def __init__(self, service: SpeakService, gate: Gate) -> None:
        self._service, self._gate = service, gate

    def open(self, methods: Methods) -> None:
        methods.open(SERVICE, "Synthesize", self.synthesize, scope="speak")
        methods.open(SERVICE, "SynthesizeOnline", self.synthesize_online, scope="speak")
        methods.open(SERVICE, "GetRivaSynthesisConfig", self.config, scope="speak")

    async def synthesize(self, call: Call) -> None:
        with self._gate.enter():
            message = await call.first(rtts.SynthesizeSpeechRequest)
            sound, whole, words = _Sound(riva.sound(message)), bytearray(), []
            call.warn(riva.warnings(message))
            async with self._spoken(call, message) as line:
                async for chunk in line.chunks():
                    whole += sound.feed(chunk)
                    words += riva.words(message, chunk.marks)
                    if len(whole) > WHOLE_BYTES:
                        raise InvalidValue("text", "This is too long for one message.", hint="Use SynthesizeOnline.")
            whole += sound.finish()
        call.audio_s = sound.seconds
        await call.write(riva.response(bytes(whole), message, words))

    async def synthesize_online(self, call: Call) -> None:
        """Every message is a text, spoken when those before it are; all of them give one stream of sound."""
        message: rtts.SynthesizeSpeechRequest | None = await call.first(rtts.SynthesizeSpeechRequest)
        assert message is not None
        online = _Online(call, message)
        call.warn(riva.warnings(message))
        try:
            while message is not None:
                online.begin(message)
                with self._gate.enter():  # between texts the call has no place inside: it may be open for long
                    async with self._spoken(call, message) as line:
                        async for chunk in line.chunks():
                            await online.tell(chunk)
                message = await call.read(rtts.SynthesizeSpeechRequest, TEXT_S)
            await online.finish()
        finally:
            call.audio_s = online.sound.seconds

    async def config(self, call: Call) -> None:
        asked = await call.first(rtts.RivaSynthesisConfigRequest)
        cards = await asyncio.to_thread(self._service.voices, call.owner_or_all)
        answer = riva.config_response(cards, asked.model_name)
        if asked.model_name and not answer.model_config:
            raise ModelNotFound(asked.model_name[:80])
        await call.write(answer)

    @contextlib.asynccontextmanager
    async def _spoken(self, call: Call, message: rtts.SynthesizeSpeechRequest) -> AsyncIterator[SpokenLine]:
        cards = await asyncio.to_thread(self._service.voices, call.owner_or_all)
        async with speaking(self._service, riva.speak_request(message, cards, call.owner_or_all)) as line:
            yield line


class _Online:
    """The answer to a stream of texts: one stream of sound, and word times that run on from text to text."""

    def __init__(self, call: Call, first: rtts.SynthesizeSpeechRequest) -> None:
        self._call, self._text, self._wanted = call, first, riva.sound(first)
        self._words: list[rtts.WordTiming] = []
        self._began_s = 0.0
        self.sound = _Sound(self._wanted)

    def begin(self, text: rtts.SynthesizeSpeechRequest) -> None:
        """Raises `InvalidValue` where the sound would be another."""
        if riva.sound(text) != self._wanted:
            raise InvalidValue("encoding", "Encoding and rate stay what they are in the first message.")
        self._text, self._began_s = text, self.sound.seconds

    async def tell(self, chunk: SpeechChunk) -> None:
        self._words += riva.words(self._text, chunk.marks, self._began_s)
        await self._send(self.sound.feed(chunk))

    async def finish(self) -> None:
        await self._send(self.sound.finish())
        if self._words:
            await self._call.write(riva.response(b"", self._text, self._words))

    async def _send(self, audio: bytes) -> None:
        for piece in cut(audio, 2, AUDIO_BYTES):
            words, self._words = self._words, []
            await self._call.write(riva.response(piece, self._text, words))


class _Sound:
    """Pieces to bytes, as the client wants them; `seconds` of speech have come. What a file format keeps back comes at
    the end."""

    def __init__(self, wanted: riva.RivaSound) -> None:
        self._wanted = wanted
        self._pcm: RawSpeech | None = None
        self._file: tuple[StreamResampler, Encoder] | None = None
        self.seconds = 0.0

    def feed(self, chunk: SpeechChunk) -> bytes:
        self.seconds += len(chunk.samples) / chunk.sample_rate
        if self._wanted.file is None:
            self._pcm = self._pcm or RawSpeech(self._wanted.raw(chunk.sample_rate))
            return self._pcm.feed(chunk.samples, chunk.sample_rate)
        if self._file is None:
            rate = self._wanted.raw(chunk.sample_rate).sample_rate
            self._file = StreamResampler(rate), open_encoder(self._wanted.file, rate)
        resampler, encoder = self._file
        return encoder.feed(resampler.feed(chunk.samples, chunk.sample_rate))

    def finish(self) -> bytes:
        if self._pcm is not None:
            return self._pcm.finish()
        if self._file is not None:
            resampler, encoder = self._file
            return encoder.feed(resampler.finish()) + encoder.finish()
        return b""
