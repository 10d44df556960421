"""`nvidia.riva.asr.RivaSpeechRecognition`, for programs written for Riva. Imported only where its stubs are.

The steps of each method; what is in a message is for `wire.riva`, the work for the service.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

from riva.client.proto import riva_asr_pb2 as rasr

from talkie.errors import ModelNotFound
from talkie.transports.grpc.call import Call
from talkie.transports.grpc.methods import Methods
from talkie.transports.grpc.recordings import Recordings
from talkie.transports.grpc.streams import Sound, converse
from talkie.transports.http.door import SpeechService
from talkie.transports.live import open_line
from talkie.wire import riva

DOOR = "riva"
SERVICE = rasr.DESCRIPTOR.services_by_name["RivaSpeechRecognition"]


class Riva:
    """Handlers over `service`; each gets the call after the key was checked."""

    def __init__(self, service: SpeechService, recordings: Recordings) -> None:
        self._service, self._recordings = service, recordings

    def open(self, methods: Methods) -> None:
        methods.open(SERVICE, "Recognize", self.recognize, scope="transcribe")
        methods.open(SERVICE, "StreamingRecognize", self.streaming_recognize, scope="transcribe")
        methods.open(SERVICE, "GetRivaSpeechRecognitionConfig", self.config, scope="models:read")

    async def recognize(self, call: Call) -> None:
        with self._recordings.gate.enter():
            message = await call.first(rasr.RecognizeRequest)
            request, audio = riva.recognize_request(message), message.audio
            message.ClearField("audio")
            call.warn(riva.warnings(message.config))
            heard = await self._recordings.hear(audio, request)
        call.audio_s = heard.duration_s
        await call.write(riva.recognize_response(heard, message))

    async def streaming_recognize(self, call: Call) -> None:
        asked = riva.live_call(await call.first(rasr.StreamingRecognizeRequest))
        call.warn(asked.warnings)
        sound = Sound(call, rasr.StreamingRecognizeRequest, riva.said, sniff=asked.sniff)
        raw = await sound.raw() or asked.request.raw
        request = replace(asked.request, raw=raw)
        try:
            async with open_line(self._service, request, door=DOOR, owner=call.owner) as line:
                await converse(call, line, sound, partial(riva.live_response, words=request.words))
        finally:
            call.audio_s = sound.seconds(raw)

    async def config(self, call: Call) -> None:
        asked = await call.first(rasr.RivaSpeechRecognitionConfigRequest)
        answer = riva.config_response(await asyncio.to_thread(self._service.models), asked.model_name)
        if asked.model_name and not answer.model_config:
            raise ModelNotFound(asked.model_name[:80])
        await call.write(answer)
