"""What `/openapi.json` says of speech and voices, whose bodies are read by hand. Data only."""

from __future__ import annotations

from typing import Any

from talkie.audio.encoders import FORMATS, MEDIA_TYPES
from talkie.transports.http.schema import ERROR, ERRORS, json_answer
from talkie.wire.speech import MAX_INSTRUCTIONS, MAX_NAME, STREAM_FORMATS
from talkie.wire.speech_fields import MAX_SPEED, MIN_SPEED

_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_VOICE_ID: dict[str, Any] = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
SPEECH_FIELDS: dict[str, Any] = {
    "input": {"type": "string", "description": "The text, or SSML when it begins with <speak."},
    "model": {"type": "string", "maxLength": MAX_NAME, "description": "What speaks; none: the best that is here."},
    "voice": {
        "anyOf": [{"type": "string", "maxLength": MAX_NAME}, _VOICE_ID],
        "description": "An id of /v1/audio/voices, or one of OpenAI's names.",
    },
    "response_format": {"type": "string", "enum": list(FORMATS), "default": "mp3"},
    "speed": {"type": "number", "minimum": MIN_SPEED, "maximum": MAX_SPEED, "default": 1.0},
    "instructions": {
        "type": "string",
        "maxLength": MAX_INSTRUCTIONS,
        "description": "How it should sound, for models that can be told.",
    },
    "stream_format": {"type": "string", "enum": list(STREAM_FORMATS), "default": "audio"},
    "language": {"type": "string", "description": "`en`, `en-GB`, `english`; none: that of the voice or the text."},
    "ssml": {"type": "boolean", "description": "The text is SSML."},
    "visemes": {"type": "boolean", "description": "Marks of mouth shapes as well (stream_format sse)."},
    "align": {"type": "boolean", "description": "Word times by our own recogniser where the voice gives none."},
    "cache": {"type": "boolean", "description": "Whether the speech may be kept for the next time."},
}
_SPEECH: dict[str, Any] = {"type": "object", "required": ["input"], "properties": SPEECH_FIELDS}
_VOICE: dict[str, Any] = {
    "type": "object",
    "required": ["id", "name", "object"],
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string"},
        "object": {"const": "audio.voice"},
        "languages": {"type": "array", "items": {"type": "string"}},
        "model": {"type": "string"},
        "engine": {"type": "string"},
        "cloned": {"type": "boolean"},
        "created_at": {"type": "integer"},
        "type": {"const": "audio_sample"},
    },
}
_VOICES: dict[str, Any] = {
    "type": "object",
    "required": ["object", "voices", "data"],
    "properties": {
        "object": {"const": "list"},
        "voices": {"type": "array", "items": _VOICE},
        "data": {"type": "array", "items": _VOICE},
    },
}
_DELETED: dict[str, Any] = {
    "type": "object",
    "required": ["id", "object", "deleted"],
    "properties": {"id": {"type": "string"}, "object": {"type": "string"}, "deleted": {"type": "boolean"}},
}
_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["audio_sample", "name", "consent"],
    "properties": {
        "audio_sample": {"type": "string", "format": "binary", "description": "3 to 30 s of one voice; `file` too."},
        "name": {"type": "string", "minLength": 1, "maxLength": 64},
        "consent": {"type": "string", "description": "`yes`: the person whose voice it is has agreed."},
        "language": {"type": "string", "default": "en"},
    },
}
_BODY_ERRORS = {
    408: json_answer("The body stood still", ERROR),
    413: json_answer("The body or the text is too long", ERROR),
    507: json_answer("The server's disk is full", ERROR),
}


def speech_operation() -> dict[str, Any]:
    """Arguments of the route that speaks: its summary, its body and its answers."""
    audio = dict.fromkeys(MEDIA_TYPES.values(), _BINARY)
    good = {
        "description": "The speech while it is made, in the format asked for, or as events",
        "content": {**audio, "text/event-stream": {"schema": {"type": "string"}}},
    }
    return {
        "tags": ["audio"],
        "summary": "Text to speech",
        "description": "OpenAI's call of the same name. Unknown fields are ignored.",
        "operation_id": "speak",
        "responses": {200: good, **ERRORS, **_BODY_ERRORS},
        "openapi_extra": {"requestBody": {"required": True, "content": {"application/json": {"schema": _SPEECH}}}},
    }


def voices_operation() -> dict[str, Any]:
    return {
        "tags": ["audio"],
        "summary": "The voices that can be asked for",
        "description": "Of voices made from recordings, those of the key that asks.",
        "operation_id": "voices",
        "responses": {200: json_answer("All voices, twice, for clients differ in where they look", _VOICES), **ERRORS},
    }


def make_voice_operation() -> dict[str, Any]:
    return {
        "tags": ["audio"],
        "summary": "Make a voice from a recording",
        "description": "OpenAI's call of the same name. The voice belongs to the key that made it.",
        "operation_id": "make_voice",
        "responses": {
            200: json_answer("The voice", _VOICE),
            **ERRORS,
            **_BODY_ERRORS,
            409: json_answer("There is a voice of that name", ERROR),
        },
        "openapi_extra": {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}},
    }


def remove_voice_operation() -> dict[str, Any]:
    return {
        "tags": ["audio"],
        "summary": "Remove a voice made from a recording",
        "operation_id": "remove_voice",
        "responses": {200: json_answer("It is gone", _DELETED), **ERRORS},
    }
