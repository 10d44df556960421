"""`/v1/audio/speech`: a text in, speech out while it is made, as one stream of bytes or as events.

Knows the order of the steps and nothing of what is in them: `wire` reads the body and writes the events, `spoken` makes
the pieces, `work` runs it off the event loop. What is refused is refused by its status, before the first byte; what
breaks later cuts the connection, or is the last event.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from functools import partial

from fastapi import FastAPI, Request
from starlette.responses import Response

from talkie.audio.encoders import MEDIA_TYPES
from talkie.errors import Cancelled, TalkieError
from talkie.transports.http import edge
from talkie.transports.http.access import open_route
from talkie.transports.http.body import read_body
from talkie.transports.http.callers import owner_seen
from talkie.transports.http.door import door_of
from talkie.transports.http.errors import INTERNAL, error_response, log_fault, words_of
from talkie.transports.http.held import HeldStream
from talkie.transports.http.pieces import counted, first_pieces
from talkie.transports.http.schema_speech import speech_operation
from talkie.transports.http.spoken import Spoken, spoken
from talkie.transports.http.work import threaded, while_connected
from talkie.wire.openai import EVENT_STREAM, event
from talkie.wire.speech import SpeechCall, audio_event, marks_event, parse_speech, spoken_event

log = logging.getLogger("talkie.http")

PATH = "/v1/audio/speech"
SCOPE = "speak"
MAX_BODY_BYTES = 8_000_000
AHEAD = 32
"""Pieces that are made before a reader takes them: eight seconds of speech."""


def add_speech(app: FastAPI) -> None:
    open_route(app, "POST", PATH, speak, scope=SCOPE, **speech_operation())


async def speak(request: Request) -> Response:
    """Everything opened for the request stays open until its answer is out, and is closed in every case."""
    door = door_of(request)
    async with AsyncExitStack() as stack:
        stack.enter_context(door.gate.enter())
        try:
            body = await read_body(request, MAX_BODY_BYTES, door.uploads.idle_s)
            call = await asyncio.to_thread(parse_speech, body, owner_seen(request))
            work = threaded(partial(spoken, door.service, call), edge.SEND_S, AHEAD)
            pieces = await stack.enter_async_context(work)
            async with while_connected(request):
                first = await first_pieces(pieces, lambda piece: piece.end_s)
        except Cancelled as error:
            return error_response(error)  # nobody reads it; the log says 499
        return _answer(call, counted(request, first, pieces), stack.pop_all())


def _answer(call: SpeechCall, pieces: AsyncGenerator[Spoken, None], held: AsyncExitStack) -> Response:
    if call.sse:
        return HeldStream(_events(pieces), held, EVENT_STREAM)
    return HeldStream(_audio(pieces), held, MEDIA_TYPES[call.response_format])


async def _audio(pieces: AsyncGenerator[Spoken, None]) -> AsyncGenerator[bytes, None]:
    try:
        async for piece in pieces:
            if piece.data:
                yield piece.data
    except TalkieError as error:
        log.warning("Speech broke off: %s", error.code)
        raise BrokenOff from None


async def _events(pieces: AsyncGenerator[Spoken, None]) -> AsyncGenerator[bytes, None]:
    end_s = 0.0
    try:
        async for piece in pieces:
            end_s = piece.end_s
            if piece.marks:
                yield marks_event(piece.marks)
            if piece.data:
                yield audio_event(piece.data)
        yield spoken_event(end_s)
    except TalkieError as error:
        log.warning("Speech broke off: %s", error.code)
        yield event(words_of(error).body())
    except Exception as error:
        log_fault(error)
        yield event(INTERNAL.body())


class BrokenOff(Exception):
    """Half an answer is out: the connection is cut, so that nobody takes it for whole."""
