"""`/v1/sessions`: who is being listened to now, and how one is ended.

A session belongs to the key that opened it: others are told that there is no such session. `admin` sees and ends all.
"""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import Response

from talkie.errors import SessionNotFound
from talkie.transports.http.access import CALLER, open_route
from talkie.transports.http.door import door_of
from talkie.transports.http.schema import ERRORS, json_answer
from talkie.transports.keys import Caller
from talkie.wire.openai import JSON, to_json
from talkie.wire.sessions import session_deleted, session_list

PATH = "/v1/sessions"
SCOPE = "transcribe"
MAX_ID = 64

SESSION: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "object": {"type": "string", "const": "session"},
        "kind": {"type": "string", "enum": ["hearing", "face"]},
        "door": {"type": "string", "description": "How it came in: realtime, listen, grpc, riva, wyoming, page …"},
        "model": {"type": "string", "description": "What hears; of a face, its avatar."},
        "state": {"type": "string", "enum": ["loading", "listening", "finishing", "idle", "speaking"]},
        "seconds_heard": {"type": "number"},
        "lag_s": {"type": "number", "description": "Seconds that it is behind its speaker."},
        "started": {"type": "integer", "description": "Unix time."},
        "client": {"type": "string", "description": "What the client calls itself."},
    },
}
SESSIONS: dict[str, Any] = {
    "type": "object",
    "properties": {"object": {"type": "string", "const": "list"}, "data": {"type": "array", "items": SESSION}},
}
DELETED: dict[str, Any] = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "object": {"type": "string"}, "deleted": {"type": "boolean"}},
}


def add_sessions(app: FastAPI) -> None:
    open_route(
        app,
        "GET",
        PATH,
        list_sessions,
        scope=SCOPE,
        tags=["sessions"],
        summary="The live sessions that are open",
        description="Those of the key that asks; of all keys, for one with the scope `admin`.",
        responses={200: json_answer("Live sessions, the oldest first", SESSIONS), **ERRORS},
    )
    open_route(
        app,
        "DELETE",
        f"{PATH}/{{session_id}}",
        end_session,
        scope=SCOPE,
        tags=["sessions"],
        summary="End a live session",
        description="Its client is told the error `session_ended`.",
        responses={200: json_answer("It was ended", DELETED), **ERRORS},
    )


async def list_sessions(request: Request) -> Response:
    service = door_of(request).service
    return _json(session_list(await asyncio.to_thread(service.live_sessions, _owner(request))))


async def end_session(request: Request, session_id: str) -> Response:
    if len(session_id) > MAX_ID:
        raise SessionNotFound
    await asyncio.to_thread(door_of(request).service.end_session, session_id, _owner(request))
    return _json(session_deleted(session_id))


def _owner(request: Request) -> str | None:
    """Whose sessions the caller may see: None, everybody's."""
    caller = request.scope[CALLER]
    assert isinstance(caller, Caller)
    return None if caller.may("admin") else caller.name


def _json(value: object) -> Response:
    return Response(to_json(value), media_type=JSON)
