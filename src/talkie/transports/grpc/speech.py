"""`talkie.v1.Speech`: the steps of each method but those that speak (`synthesize.py`) and show (`animate.py`).

What is in a message is for `wire`, the work for the service.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from talkie.transports.grpc.call import Call
from talkie.transports.grpc.methods import Methods
from talkie.transports.grpc.recordings import Recordings
from talkie.transports.grpc.streams import Sound, converse
from talkie.transports.http.door import SpeechService
from talkie.transports.live import open_line
from talkie.wire.grpc_answers import live_event, models_response, ready, recognize_response
from talkie.wire.grpc_requests import live_call, recognize_request, said
from talkie.wire.protos.talkie.v1 import talkie_pb2 as pb

DOOR = "grpc"
SERVICE = pb.DESCRIPTOR.services_by_name["Speech"]


class Speech:
    """Handlers over `service`; each gets the call after the key was checked."""

    def __init__(self, service: SpeechService, recordings: Recordings) -> None:
        self._service, self._recordings = service, recordings

    def open(self, methods: Methods) -> None:
        methods.open(SERVICE, "Recognize", self.recognize, scope="transcribe")
        methods.open(SERVICE, "StreamingRecognize", self.streaming_recognize, scope="transcribe")
        methods.open(SERVICE, "ListModels", self.list_models, scope="models:read")

    async def recognize(self, call: Call) -> None:
        with self._recordings.gate.enter():
            message = await call.first(pb.RecognizeRequest)
            request, audio = recognize_request(message), message.audio
            del message
            heard = await self._recordings.hear(audio, request)
        call.audio_s = heard.duration_s
        await call.write(recognize_response(heard))

    async def streaming_recognize(self, call: Call) -> None:
        asked = live_call(await call.first(pb.StreamingRecognizeRequest))
        sound = Sound(call, pb.StreamingRecognizeRequest, said, sniff=asked.sniff)
        raw = await sound.raw() or asked.request.raw
        request = replace(asked.request, raw=raw)
        try:
            async with open_line(self._service, request, door=DOOR, owner=call.owner, client=asked.client) as line:
                await call.write(ready(line.id))
                await converse(call, line, sound, live_event)
        finally:
            call.audio_s = sound.seconds(raw)

    async def list_models(self, call: Call) -> None:
        await call.first(pb.ListModelsRequest)
        await call.write(models_response(await asyncio.to_thread(self._service.models)))
