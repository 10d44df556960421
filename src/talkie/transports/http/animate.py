"""`/v1/video/avatars/{name}/animate`: a recording or a text in, a talking face out while it is made.

Knows the order of the steps and nothing of what is in them: `wire` reads the fields, `faces` makes the pieces, `work`
runs it off the event loop. What is refused is refused by its status, before the first byte; what breaks later cuts the
connection. Who leaves ends the work.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from functools import partial
from typing import IO

from fastapi import FastAPI, Request
from starlette.responses import Response

from talkie.errors import Cancelled, TalkieError
from talkie.transports.faces import Filmed, filmed, stills
from talkie.transports.http import edge
from talkie.transports.http.access import open_route
from talkie.transports.http.body import read_body
from talkie.transports.http.callers import owner_seen
from talkie.transports.http.door import Door, door_of
from talkie.transports.http.errors import error_response
from talkie.transports.http.held import HeldStream
from talkie.transports.http.mjpeg import as_parts
from talkie.transports.http.pieces import counted, first_pieces
from talkie.transports.http.schema_video import animate_operation
from talkie.transports.http.speech import MAX_BODY_BYTES, BrokenOff
from talkie.transports.http.upload import AUDIO_TYPES, receive_upload
from talkie.transports.http.work import threaded, while_connected
from talkie.wire.video import MEDIA_TYPES, AnimateCall, avatar_name, parse_form_call, parse_text_call

log = logging.getLogger("talkie.http")

PATH = "/v1/video/avatars/{name}/animate"
SCOPE = "animate"
UPLOAD_TYPES = ("multipart/", *AUDIO_TYPES)
AHEAD = 8
"""Pieces, of half a second at most, or single pictures, that are made before a reader takes them."""


def add_animate(app: FastAPI) -> None:
    open_route(app, "POST", PATH, animate, scope=SCOPE, **animate_operation())


async def animate(request: Request, name: str) -> Response:
    """Everything opened for the request stays open until its answer is out, and is closed in every case."""
    door = door_of(request)
    avatar_name(name)  # before anything is taken in for it
    async with AsyncExitStack() as stack:
        stack.enter_context(door.gate.enter())
        try:
            call, recording = await _asked(request, door, name, stack)
            make = stills if call.response_format == "mjpeg" else filmed
            work = threaded(partial(make, door.service, call, recording), edge.SEND_S, AHEAD)
            pieces = await stack.enter_async_context(work)
            async with while_connected(request):
                first = await first_pieces(pieces, lambda piece: piece.data)
        except Cancelled as error:
            return error_response(error)  # nobody reads it; the log says 499
        told = counted(request, first, pieces)
        body = as_parts(told) if call.response_format == "mjpeg" else _data(told)
        return HeldStream(_unbroken(body), stack.pop_all(), MEDIA_TYPES[call.response_format])


async def _asked(
    request: Request, door: Door, name: str, stack: AsyncExitStack
) -> tuple[AnimateCall, IO[bytes] | None]:
    """The call and the recording, which is on disk and stays open with the stack; None where a text is to be spoken."""
    owner = owner_seen(request)
    if not request.headers.get("content-type", "").lower().startswith(UPLOAD_TYPES):
        body = await read_body(request, MAX_BODY_BYTES, door.uploads.idle_s)
        return await asyncio.to_thread(parse_text_call, body, name, owner), None
    upload = await stack.enter_async_context(receive_upload(request, door.uploads, needed=False))
    call = parse_form_call(upload.fields, name, owner, recording=upload.has_file)
    return call, upload.file if upload.has_file else None


async def _data(pieces: AsyncGenerator[Filmed, None]) -> AsyncGenerator[bytes, None]:
    async for piece in pieces:
        if piece.data:
            yield piece.data


async def _unbroken(body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(body):
        try:
            async for data in body:
                yield data
        except TalkieError as error:
            log.warning("A face broke off: %s", error.code)
            raise BrokenOff from None
