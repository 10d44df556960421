"""What `/openapi.json` says of bodies and answers that are read and written by hand. Data only."""

from __future__ import annotations

from typing import Any

from talkie.engines.base import PRESETS
from talkie.runtime.requests import MAX_TEMPERATURE
from talkie.wire.fields import GRANULARITIES, RAW_ENCODINGS, RESPONSE_FORMATS

ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": "string"},
                "hint": {"type": "string"},
            },
        }
    },
}
MODEL: dict[str, Any] = {
    "type": "object",
    "required": ["id", "object", "created", "owned_by"],
    "properties": {
        "id": {"type": "string"},
        "object": {"const": "model"},
        "created": {"type": "integer"},
        "owned_by": {"type": "string"},
        "kind": {"enum": ["recognizer", "synthesizer"]},
        "engine": {"type": "string"},
        "languages": {"type": "array", "items": {"type": "string"}},
        "size_bytes": {"type": "integer"},
        "loaded": {"type": "boolean"},
    },
}
MODEL_LIST: dict[str, Any] = {
    "type": "object",
    "required": ["object", "data"],
    "properties": {"object": {"const": "list"}, "data": {"type": "array", "items": MODEL}},
}
_TRANSCRIPT: dict[str, Any] = {
    "type": "object",
    "required": ["text"],
    "properties": {
        "text": {"type": "string"},
        "language": {"type": "string"},
        "duration": {"type": "number"},
        "segments": {"type": "array", "items": {"type": "object"}},
        "words": {"type": "array", "items": {"type": "object"}},
        "usage": {"type": "object"},
        "warnings": {"type": "array", "items": {"type": "object"}},
        "dropped": {"type": "array", "items": {"type": "object"}},
    },
}


def json_answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


ERRORS: dict[int | str, dict[str, Any]] = {
    400: json_answer("A value is missing or cannot be", ERROR),
    401: json_answer("No key, or an unknown one", ERROR),
    403: json_answer("Not allowed: scope, Origin or Host", ERROR),
    404: json_answer("Nothing of that name", ERROR),
    429: json_answer("Too many wrong keys", ERROR),
    500: json_answer("A fault in the server", ERROR),
    503: json_answer("Busy, starting or stopping: see Retry-After", ERROR),
}

_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "The recording, in any common format."},
        "model": {"type": "string", "description": "A model's name; without it the server's own choice."},
        "language": {
            "type": "string",
            "description": "Spoken language: `en`, `en-US`, `english`; empty: find out.",
        },
        "prompt": {"type": "string", "maxLength": 10_000, "description": "Words that are likely, for spelling."},
        "hotwords": {"type": "string", "maxLength": 10_000, "description": "Words to prefer."},
        "response_format": {"type": "string", "enum": list(RESPONSE_FORMATS), "default": "json"},
        "temperature": {"type": "number", "minimum": 0, "maximum": MAX_TEMPERATURE},
        "timestamp_granularities[]": {
            "type": "array",
            "items": {"type": "string", "enum": list(GRANULARITIES)},
            "description": "`word` adds words with times to verbose_json.",
        },
        "stream": {"type": "boolean", "default": False, "description": "Server-sent events as it is heard."},
        "preset": {"type": "string", "enum": list(PRESETS), "description": "How carefully to decode."},
        "vad": {"type": "boolean", "default": True, "description": "Look for speech first."},
        "filters": {"type": "boolean", "default": True, "description": "Take out what was not said."},
        "sample_rate": {"type": "integer", "description": "The file is raw PCM of this rate (Hz)."},
        "channels": {"type": "integer", "description": "Channels of raw PCM; 1 by default."},
        "encoding": {"type": "string", "enum": list(RAW_ENCODINGS), "description": "Samples of raw PCM."},
    },
}


def transcription_operation(task: str) -> dict[str, Any]:
    """Arguments of a route that hears: its summary, its form and its answers."""
    summary = "Speech to text" if task == "transcribe" else "Speech in any language to English text"
    good = {
        "description": "The transcript, in the format asked for",
        "content": {
            "application/json": {"schema": _TRANSCRIPT},
            "text/plain": {"schema": {"type": "string"}},
            "application/x-subrip": {"schema": {"type": "string"}},
            "text/vtt": {"schema": {"type": "string"}},
            "text/event-stream": {"schema": {"type": "string"}},
        },
    }
    more = {
        408: json_answer("The upload stood still", ERROR),
        413: json_answer("The recording is too large or too long", ERROR),
        507: json_answer("The server's disk is full", ERROR),
    }
    return {
        "tags": ["audio"],
        "summary": summary,
        "description": "OpenAI's call of the same name. Unknown fields are ignored.",
        "operation_id": task,
        "responses": {200: good, **ERRORS, **more},
        "openapi_extra": {
            "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}},
        },
    }
