"""What `/openapi.json` says of talking faces, whose bodies are read by hand. Data only."""

from __future__ import annotations

from typing import Any

from talkie.transports.http.schema import ERROR, ERRORS, json_answer
from talkie.transports.http.schema_speech import SPEECH_FIELDS
from talkie.wire.video import MAX_MOOD, MAX_SIDE, MEDIA_TYPES, VIDEO_FORMATS

_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_SIDE: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": MAX_SIDE, "default": 0}
_PICTURE: dict[str, Any] = {
    "response_format": {
        "type": "string",
        "enum": list(VIDEO_FORMATS),
        "default": "mp4",
        "description": "mp4 in fragments as it is made; mjpeg is paced in real time and has no sound.",
    },
    "width": {**_SIDE, "description": "0: the avatar's own, or in proportion to height."},
    "height": {**_SIDE, "description": "0: the avatar's own, or in proportion to width."},
    "mood": {"type": "string", "maxLength": MAX_MOOD, "description": "One of the avatar's moods."},
}
_SPOKEN = ("input", "model", "voice", "language", "speed", "ssml", "instructions", "cache")
_TEXT: dict[str, Any] = {
    "type": "object",
    "required": ["input"],
    "properties": {**{name: SPEECH_FIELDS[name] for name in _SPOKEN}, **_PICTURE},
}
_FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "A recording; or a text in `input`."},
        **_TEXT["properties"],
        "sample_rate": {"type": "integer", "description": "The file is raw PCM of this rate."},
        "channels": {"type": "integer", "default": 1},
        "encoding": {"type": "string", "default": "s16le"},
    },
}


def animate_operation() -> dict[str, Any]:
    """Arguments of the route that animates: its summary, its body and its answers."""
    kinds = {kind.partition(";")[0]: _BINARY for kind in MEDIA_TYPES.values()}
    body = {"application/json": {"schema": _TEXT}, "multipart/form-data": {"schema": _FORM}}
    return {
        "tags": ["video"],
        "summary": "A recording or a text spoken by a face",
        "description": "The answer is sent while it is made. Unknown fields are ignored.",
        "operation_id": "animate",
        "responses": {
            200: {"description": "Picture and sound while they are made", "content": kinds},
            **ERRORS,
            404: json_answer("There is no such avatar, or voice", ERROR),
            408: json_answer("The body stood still", ERROR),
            413: json_answer("The body, the recording or the text is too long", ERROR),
            507: json_answer("The server's disk is full", ERROR),
        },
        "openapi_extra": {"requestBody": {"required": True, "content": body}},
    }
