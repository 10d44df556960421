"""A call for a talking face: the fields of its form, its JSON or its address to what Talkie understands.

Pure. The fields that say how a text is spoken are those of `/v1/audio/speech`; a recording takes their place. Fields
that are not known are ignored, a known one with a wrong value is an `InvalidValue` that names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from talkie.errors import AvatarNotFound, InvalidValue
from talkie.runtime.face import FaceRequest
from talkie.runtime.speech import SpeakRequest
from talkie.wire.fields import Fields, raw_format
from talkie.wire.speech import MAX_INSTRUCTIONS, MAX_NAME, Body, json_object
from talkie.wire.speech_fields import MAX_SPEED, MIN_SPEED

VideoFormat: TypeAlias = Literal["mp4", "webm", "mjpeg"]
VIDEO_FORMATS: tuple[VideoFormat, ...] = get_args(VideoFormat)
BOUNDARY = "talkie-frame"
MEDIA_TYPES: dict[VideoFormat, str] = {
    "mp4": "video/mp4",
    "webm": "video/webm",
    "mjpeg": f"multipart/x-mixed-replace; boundary={BOUNDARY}",
}
MIN_SIDE, MAX_SIDE = 32, 2160
"""Of a picture that is asked for; 0 stands for the avatar's own."""
MAX_MOOD, MAX_AVATAR = 64, 128
SIDES = ("width", "height")


@dataclass(frozen=True, slots=True)
class AnimateCall:
    """What is asked of the service, and how the answer is to look. `spoken` None: the recording that came is shown."""

    face: FaceRequest
    spoken: SpeakRequest | None = None
    response_format: VideoFormat = "mp4"


def parse_text_call(body: bytes, avatar: str, owner: str | None = None) -> AnimateCall:
    """A text, as JSON. Raises `BadRequestBody`, `InvalidValue`, `AvatarNotFound`."""
    return _text_call(json_object(body), avatar, owner)


def parse_form_call(
    pairs: Iterable[tuple[str, str]], avatar: str, owner: str | None = None, *, recording: bool
) -> AnimateCall:
    """A form, or the parameters beside a bare recording. Raises as `parse_text_call` does."""
    pairs = list(pairs)
    values = {name.strip(): value for name, value in pairs}
    if not recording:
        if not values.get("input"):
            hint = "Send a recording in the part `file`, or a text in the field `input`."
            raise InvalidValue("file", "There is neither a recording nor a text.", hint=hint)
        return _text_call(values, avatar, owner)
    if values.get("input"):
        raise InvalidValue("input", "There is a recording and a text.", hint="Send one of them.")
    body, raw = Body(values), raw_format(Fields(pairs))
    return AnimateCall(face_request(body, avatar, owner, raw=raw), None, _format(body))


def avatar_name(name: str) -> str:
    """As the address has it. Nothing that could never be one goes further. Raises `AvatarNotFound`."""
    if not 0 < len(name) <= MAX_AVATAR or not name.isprintable() or name.startswith(".") or set(name) & {"/", "\\"}:
        raise AvatarNotFound(name)
    return name


def face_request(body: Body, avatar: str, owner: str | None, **more: Any) -> FaceRequest:
    """Raises `InvalidValue`, `AvatarNotFound`."""
    width, height = (side(name, body.number(name, 0, MAX_SIDE, 0)) for name in SIDES)
    mood = body.text("mood", MAX_MOOD).strip()
    return FaceRequest(avatar_name(avatar), width, height, mood, owner=owner, **more)


def side(name: str, value: float) -> int:
    """Pixels of a picture that is asked for. Raises `InvalidValue`."""
    if value and not MIN_SIDE <= value <= MAX_SIDE:
        raise InvalidValue(name, f"{name} is {MIN_SIDE} to {MAX_SIDE}, or 0 for the avatar's own.")
    if value != int(value):
        raise InvalidValue(name, f"{name} is a whole number.")
    return int(value)


def speak_request(body: Body, text: str, owner: str | None) -> SpeakRequest:
    """How a text is spoken. Raises `InvalidValue`."""
    return SpeakRequest(
        text=text,
        model=body.text("model", MAX_NAME) or "auto",
        voice=body.voice(),
        language=body.language(),
        speed=body.number("speed", MIN_SPEED, MAX_SPEED, 1.0),
        ssml=bool(body.flag("ssml")),
        instructions=body.text("instructions", MAX_INSTRUCTIONS),
        cache=body.flag("cache"),
        owner=owner,
    )


def _text_call(values: Mapping[str, Any], avatar: str, owner: str | None) -> AnimateCall:
    body = Body(dict(values))
    spoken = speak_request(body, body.required("input"), owner)
    return AnimateCall(face_request(body, avatar, owner), spoken, _format(body))


def _format(body: Body) -> VideoFormat:
    return body.choice("response_format", VIDEO_FORMATS, "mp4")
