"""`/v1/video/avatars`: the faces that can be shown, and packs that are added to them.

An avatar that was added belongs to the key that added it: others are told that there is no such avatar. `admin` sees
and removes all.
"""

from __future__ import annotations

import asyncio
from functools import partial

from fastapi import FastAPI, Request
from starlette.responses import Response

from talkie.errors import AudioTooLarge, AvatarNotFound, Cancelled
from talkie.transports.http.access import open_route
from talkie.transports.http.callers import owner_name, owner_seen
from talkie.transports.http.door import door_of
from talkie.transports.http.errors import error_response
from talkie.transports.http.schema_avatars import (
    add_avatar_operation,
    avatar_operation,
    avatars_operation,
    picture_operation,
    remove_avatar_operation,
)
from talkie.transports.http.upload import receive_upload
from talkie.transports.http.work import to_end
from talkie.wire.avatars import MAX_NAME, PACK_FIELDS, PATH, avatar, avatar_deleted, avatar_list, parse_avatar
from talkie.wire.openai import JSON, to_json

SCOPE = "animate"
PICTURE_HEADERS = {"Cache-Control": "private, no-cache"}


def add_avatars(app: FastAPI) -> None:
    one = f"{PATH}/{{name}}"
    open_route(app, "GET", PATH, list_avatars, scope=SCOPE, **avatars_operation())
    open_route(app, "POST", PATH, add_avatar, scope=SCOPE, **add_avatar_operation())
    open_route(app, "GET", one, show_avatar, scope=SCOPE, **avatar_operation())
    open_route(app, "DELETE", one, remove_avatar, scope=SCOPE, **remove_avatar_operation())
    open_route(app, "GET", f"{one}/picture", show_picture, scope=SCOPE, **picture_operation())


async def list_avatars(request: Request) -> Response:
    cards = await asyncio.to_thread(door_of(request).service.avatars, owner_seen(request))
    return _json(avatar_list(cards))


async def add_avatar(request: Request) -> Response:
    door = door_of(request)
    with door.gate.enter():
        try:
            async with receive_upload(request, door.uploads, PACK_FIELDS) as upload:
                name = parse_avatar(upload.fields)
                add = partial(door.service.add_avatar, upload.file, name=name, owner=owner_name(request))
                card = await to_end(add)
        except Cancelled as error:
            return error_response(error)
        except AudioTooLarge as error:
            error.hint = "Raise the setting max_upload_mb, or use `talkie avatar add PACK` on the server's machine."
            raise
    return _json(avatar(card), 201)


async def show_avatar(request: Request, name: str) -> Response:
    _check(name)
    cards = await asyncio.to_thread(door_of(request).service.avatars, owner_seen(request))
    found = next((card for card in cards if card.name == name), None)
    if found is None:
        raise AvatarNotFound(name)
    return _json(avatar(found))


async def show_picture(request: Request, name: str) -> Response:
    """At rest, as a JPEG."""
    from talkie.video.jpeg import jpeg

    _check(name)
    service, owner = door_of(request).service, owner_seen(request)
    image = await asyncio.to_thread(lambda: jpeg(service.avatar_picture(name, owner=owner)))
    return Response(image, media_type="image/jpeg", headers=PICTURE_HEADERS)


async def remove_avatar(request: Request, name: str) -> Response:
    _check(name)
    remove = door_of(request).service.remove_avatar
    await asyncio.to_thread(partial(remove, name, owner=owner_seen(request)))
    return _json(avatar_deleted(name))


def _check(name: str) -> None:
    if not 0 < len(name) <= MAX_NAME:
        raise AvatarNotFound(name)


def _json(value: object, status: int = 200) -> Response:
    return Response(to_json(value), status, media_type=JSON)
