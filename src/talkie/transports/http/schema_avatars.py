"""What `/openapi.json` says of avatars, whose packs are read by hand. Data only."""

from __future__ import annotations

from typing import Any

from talkie.transports.http.schema import ERROR, ERRORS, json_answer
from talkie.wire.avatars import MAX_NAME

_AVATAR: dict[str, Any] = {
    "type": "object",
    "required": ["id", "object", "title", "kind", "width", "height", "fps"],
    "properties": {
        "id": {"type": "string"},
        "object": {"const": "video.avatar"},
        "title": {"type": "string"},
        "kind": {"enum": ["drawn", "pictures", "neural", ""], "description": "Empty where it is not known."},
        "width": {"type": "integer"},
        "height": {"type": "integer"},
        "fps": {"type": "number"},
        "licence": {"type": "string"},
        "moods": {"type": "array", "items": {"type": "string"}},
        "size_bytes": {"type": "integer"},
        "source": {"enum": ["built-in", "added"]},
        "picture": {"type": "string", "description": "Where it is seen at rest."},
        "problem": {"type": "string", "description": "Why it cannot be shown."},
    },
}
_AVATARS: dict[str, Any] = {
    "type": "object",
    "required": ["object", "data"],
    "properties": {"object": {"const": "list"}, "data": {"type": "array", "items": _AVATAR}},
}
_DELETED: dict[str, Any] = {
    "type": "object",
    "required": ["id", "object", "deleted"],
    "properties": {"id": {"type": "string"}, "object": {"type": "string"}, "deleted": {"type": "boolean"}},
}
_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["pack"],
    "properties": {
        "pack": {"type": "string", "format": "binary", "description": "A zip of a pack; `file` too."},
        "name": {"type": "string", "maxLength": MAX_NAME, "description": "None: as the pack says."},
    },
}


def avatars_operation() -> dict[str, Any]:
    return {
        "tags": ["video"],
        "summary": "The avatars that can be shown",
        "description": "The built-in one first; of those that were added, what the key that asks may see.",
        "operation_id": "avatars",
        "responses": {200: json_answer("All avatars", _AVATARS), **ERRORS},
    }


def add_avatar_operation() -> dict[str, Any]:
    return {
        "tags": ["video"],
        "summary": "Add an avatar pack",
        "description": "The pack is checked whole before it is kept; the first fault is told, and how many there "
        "are besides. The avatar belongs to the key that added it.",
        "operation_id": "add_avatar",
        "responses": {
            201: json_answer("The avatar", _AVATAR),
            **ERRORS,
            408: json_answer("The body stood still", ERROR),
            409: json_answer("There is an avatar of that name", ERROR),
            413: json_answer("The pack is too large", ERROR),
            507: json_answer("The server's disk is full", ERROR),
        },
        "openapi_extra": {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}},
    }


def avatar_operation() -> dict[str, Any]:
    return {
        "tags": ["video"],
        "summary": "One avatar",
        "operation_id": "avatar",
        "responses": {200: json_answer("The avatar", _AVATAR), **ERRORS},
    }


def picture_operation() -> dict[str, Any]:
    picture = {
        "description": "The avatar at rest",
        "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
    }
    return {
        "tags": ["video"],
        "summary": "An avatar at rest, as a picture",
        "operation_id": "avatar_picture",
        "responses": {200: picture, **ERRORS},
    }


def remove_avatar_operation() -> dict[str, Any]:
    return {
        "tags": ["video"],
        "summary": "Remove an avatar that was added",
        "operation_id": "remove_avatar",
        "responses": {200: json_answer("It is gone", _DELETED), **ERRORS},
    }
