"""`/v1/video/avatars/{name}/webrtc`: an SDP offer in, an answer out, and from then on a face that is seen and heard.

As JSON with the session's options beside the offer, or as plain SDP (as WHEP has it) with the options in the address.
Knows nothing of aiortc.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import Response

from talkie.errors import InvalidValue, SessionNotFound
from talkie.transports.http.access import open_route
from talkie.transports.http.body import read_body
from talkie.transports.http.callers import owner_name, owner_seen
from talkie.transports.http.door import door_of
from talkie.transports.http.schema import ERRORS, json_answer
from talkie.transports.webrtc.calls import Calls, Offer, check_webrtc
from talkie.transports.webrtc.offer import safe_offer
from talkie.wire.face_protocol import LiveFaceCall, parse_address
from talkie.wire.openai import JSON, to_json
from talkie.wire.sessions import session_deleted
from talkie.wire.speech import json_object

PATH = "/v1/video/avatars/{name}/webrtc"
SCOPE = "animate"
SDP = "application/sdp"
MAX_BODY_BYTES = 128 * 1024
MAX_ID = 64
DOOR = "webrtc"

OFFER: dict[str, Any] = {
    "type": "object",
    "required": ["sdp"],
    "properties": {
        "sdp": {"type": "string", "description": "The offer: a picture, at most one sound and one data channel."},
        "type": {"type": "string", "const": "offer"},
        "voice": {"type": "string"},
        "model": {"type": "string"},
        "language": {"type": "string"},
        "speed": {"type": "number", "minimum": 0.25, "maximum": 4.0, "default": 1.0},
        "instructions": {"type": "string"},
        "mood": {"type": "string"},
        "width": {"type": "integer"},
        "height": {"type": "integer"},
    },
}
ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "The session, as `/v1/sessions` lists it."},
        "type": {"type": "string", "const": "answer"},
        "sdp": {"type": "string"},
    },
}
ENDED: dict[str, Any] = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "object": {"type": "string"}, "deleted": {"type": "boolean"}},
}


def add_webrtc(app: FastAPI) -> None:
    app.state.calls = Calls()
    open_route(
        app,
        "POST",
        PATH,
        answer,
        scope=SCOPE,
        tags=["video"],
        summary="A live face as a call",
        description="Wants the extra `webrtc`. Over the data channel `talkie` go the messages of the WebSocket.",
        responses={201: json_answer("The call is answered", ANSWER), **ERRORS},
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {JSON: {"schema": OFFER}, SDP: {"schema": {"type": "string"}}},
            }
        },
        status_code=201,
    )
    open_route(
        app,
        "DELETE",
        f"{PATH}/{{call_id}}",
        hang_up,
        scope=SCOPE,
        tags=["video"],
        summary="End a call",
        responses={200: json_answer("It was ended", ENDED), **ERRORS},
    )


def calls_of(app: FastAPI) -> Calls:
    calls = app.state.calls
    assert isinstance(calls, Calls)
    return calls


async def answer(request: Request, name: str) -> Response:
    door = door_of(request)
    with door.gate.enter():
        plain = request.headers.get("content-type", "").partition(";")[0].strip().lower() == SDP
        check_webrtc()
        body = await read_body(request, MAX_BODY_BYTES, door.uploads.idle_s)
        sdp, asked = _read(body, plain, request, name)
        caller = request.client.host if request.client else ""
        offer = Offer(safe_offer(sdp, caller), caller, owner_name(request))
        opening = partial(
            door.service.face,
            asked.spoken,
            asked.face,
            door=DOOR,
            owner=offer.owner,
            client=request.headers.get("user-agent", ""),
        )
        session = await asyncio.to_thread(opening)
        told = await calls_of(request.app).answer(session, asked, offer)
    location = {"Location": f"{request.url.path}/{session.id}"}
    if plain:
        return Response(told, 201, location, media_type=SDP)
    return Response(to_json({"id": session.id, "type": "answer", "sdp": told}), 201, location, media_type=JSON)


async def hang_up(request: Request, name: str, call_id: str) -> Response:
    if len(call_id) > MAX_ID:
        raise SessionNotFound
    await calls_of(request.app).hang_up(call_id, owner_seen(request))
    return Response(to_json(session_deleted(call_id)), media_type=JSON)


def _read(body: bytes, plain: bool, request: Request, name: str) -> tuple[str, LiveFaceCall]:
    """The offer, and what is asked beside it. Raises `BadRequestBody`, `InvalidValue`, `AvatarNotFound`."""
    pairs = request.query_params.multi_items()
    if plain:
        return _text(body), parse_address(pairs, name, owner_seen(request))
    fields = json_object(body)
    sdp = fields.pop("sdp", None)
    if not isinstance(sdp, str) or fields.pop("type", "offer") != "offer":
        raise InvalidValue("sdp", "There is no offer.", hint='Send {"type": "offer", "sdp": "v=0…"}.')
    return sdp, parse_address([*pairs, *fields.items()], name, owner_seen(request))


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise InvalidValue("sdp", "The offer is no text.") from None
