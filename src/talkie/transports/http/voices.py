"""`/v1/audio/voices`: the voices that can be asked for, and those made from recordings.

A voice made from a recording belongs to the key that made it: others are told that there is no such voice. `admin` sees
and removes all.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from functools import partial

from fastapi import FastAPI, Request
from starlette.responses import Response

from talkie.errors import Cancelled, VoiceNotFound
from talkie.transports.http.access import open_route
from talkie.transports.http.callers import owner_name, owner_seen
from talkie.transports.http.door import door_of
from talkie.transports.http.errors import error_response
from talkie.transports.http.schema_speech import make_voice_operation, remove_voice_operation, voices_operation
from talkie.transports.http.upload import receive_upload
from talkie.transports.http.work import to_end
from talkie.wire.openai import JSON, to_json
from talkie.wire.voices import RECORDING_FIELDS, parse_voice, voice_deleted, voice_list, voice_made

PATH = "/v1/audio/voices"
SCOPE = "speak"
MAX_RECORDING_BYTES = 32_000_000
"""More than half a minute of any sound; whatever the limit of uploads is."""
MAX_ID = 256


def add_voices(app: FastAPI) -> None:
    open_route(app, "GET", PATH, list_voices, scope=SCOPE, **voices_operation())
    open_route(app, "POST", PATH, make_voice, scope=SCOPE, **make_voice_operation())
    open_route(app, "DELETE", f"{PATH}/{{voice_id}}", remove_voice, scope=SCOPE, **remove_voice_operation())


async def list_voices(request: Request) -> Response:
    voices = await asyncio.to_thread(door_of(request).service.voices, owner_seen(request))
    return _json(voice_list(voices))


async def make_voice(request: Request) -> Response:
    door = door_of(request)
    limits = replace(door.uploads, max_bytes=min(door.uploads.max_bytes, MAX_RECORDING_BYTES))
    with door.gate.enter():
        try:
            async with receive_upload(request, limits, RECORDING_FIELDS) as upload:
                call = parse_voice(upload.fields)
                add = partial(door.service.add_voice, call.name, upload.file)
                card = await to_end(
                    partial(add, language=call.language, owner=owner_name(request), consent=call.consent)
                )
        except Cancelled as error:
            return error_response(error)
    return _json(voice_made(card, time.time()))


async def remove_voice(request: Request, voice_id: str) -> Response:
    if len(voice_id) > MAX_ID:
        raise VoiceNotFound(voice_id)
    remove = door_of(request).service.remove_voice
    await asyncio.to_thread(partial(remove, voice_id, owner=owner_seen(request)))
    return _json(voice_deleted(voice_id))


def _json(value: object) -> Response:
    return Response(to_json(value), media_type=JSON)
