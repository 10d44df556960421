"""`Animate` of `talkie.v1`: the steps. What is in a message is for `wire.grpc_video`, the work for the service.

Knows nothing of faces. A client that is gone, or reads nothing for long, ends the work.
"""

from __future__ import annotations

import contextlib
from functools import partial
from typing import IO, Any

from talkie.audio.encode import to_pcm16
from talkie.errors import NothingToSay
from talkie.transports.faces import end_of, filmed, moving
from talkie.transports.grpc.call import SEND_S, Call
from talkie.transports.grpc.methods import Methods
from talkie.transports.http.door import SpeechService
from talkie.transports.http.upload import Spool, UploadLimits
from talkie.transports.http.work import Gate, threaded
from talkie.types import FaceChunk
from talkie.wire.grpc_speech import mark
from talkie.wire.grpc_video import (
    PIECE_BYTES,
    animate_call,
    answer_generation,
    film_format,
    frame_messages,
    frames_format,
    output,
)
from talkie.wire.protos.talkie.v1 import talkie_pb2 as pb
from talkie.wire.video import AnimateCall

SERVICE = pb.DESCRIPTOR.services_by_name["Speech"]
AHEAD = 4
"""Pieces of at most half a second that are made before the client takes them."""


class Animation:
    """Handlers over `service`; each gets the call after the key was checked. `gate` bounds those inside."""

    def __init__(self, service: SpeechService, limits: UploadLimits, gate: Gate) -> None:
        self._service, self._limits, self._gate = service, limits, gate

    def open(self, methods: Methods) -> None:
        methods.open(SERVICE, "Animate", self.animate, scope="animate")

    async def animate(self, call: Call) -> None:
        with self._gate.enter():
            message = await call.first(pb.AnimateRequest)
            asked, frames = animate_call(message, call.owner_or_all), output(message) is None
            with Spool(self._limits) if asked.spoken is None else contextlib.nullcontext() as spool:
                recording: IO[bytes] | None = None
                if spool is not None:
                    spool.put(message.audio)
                    await spool.flush()
                    spool.file.seek(0)
                    recording = spool.file
                del message
                await (self._frames if frames else self._film)(call, asked, recording)

    async def _film(self, call: Call, asked: AnimateCall, recording: IO[bytes] | None) -> None:
        tell = partial(_tell, call, answer_generation(asked))
        begun = False
        async with threaded(partial(filmed, self._service, asked, recording), SEND_S, AHEAD) as pieces:
            async for piece in pieces:
                if not begun:
                    await tell(format=film_format(asked.response_format))
                    begun = True
                for at in range(0, len(piece.data), PIECE_BYTES):
                    await tell(video=piece.data[at : at + PIECE_BYTES])
                call.audio_s = piece.end_s

    async def _frames(self, call: Call, asked: AnimateCall, recording: IO[bytes] | None) -> None:
        tell = partial(_tell, call, answer_generation(asked))
        waiting: list[FaceChunk] = []
        async with threaded(partial(moving, self._service, asked, recording), SEND_S, 1) as chunks:
            async for chunk in chunks:
                waiting.append(chunk)
                if call.audio_s is None and not chunk.frames:
                    continue  # the first picture says how large they are
                if call.audio_s is None:
                    await tell(format=frames_format(chunk))
                for item in waiting:
                    await _tell_chunk(tell, item)
                waiting.clear()
                call.audio_s = end_of(chunk)
        if call.audio_s is None:
            raise NothingToSay


async def _tell(call: Call, generation: int, **part: Any) -> None:
    await call.write(pb.AnimateResponse(generation=generation, **part))


async def _tell_chunk(tell: Any, chunk: FaceChunk) -> None:
    for item in chunk.marks:
        await tell(mark=mark(item))
    for frame in chunk.frames:
        for stretch in frame_messages(frame, chunk.fps):
            await tell(frame=stretch)
    audio = to_pcm16(chunk.samples).tobytes()
    for at in range(0, len(audio), PIECE_BYTES):
        await tell(audio=audio[at : at + PIECE_BYTES])
