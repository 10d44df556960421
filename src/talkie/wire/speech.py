"""OpenAI's call for speech: its JSON body to what Talkie understands, and the events of an answer in pieces.

Pure. A field that is not known is ignored, as OpenAI's own server does; a known one with a wrong value is an
`InvalidValue` that names it. `language`, `ssml`, `visemes`, `align` and `cache` are Talkie's own.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from talkie.audio.encoders import FORMATS, SpeechFormat
from talkie.errors import BadRequestBody, InvalidValue
from talkie.runtime.speech import SpeakRequest
from talkie.types import Mark
from talkie.wire.fields import FALSE, TRUE
from talkie.wire.openai import event
from talkie.wire.speech_fields import MAX_SPEED, MIN_SPEED, spoken_language

STREAM_FORMATS = ("audio", "sse")
MAX_NAME, MAX_INSTRUCTIONS = 256, 10_000

T = TypeVar("T", bound=str)


@dataclass(frozen=True, slots=True)
class SpeechCall:
    """What is asked of the service, and how the answer is to look."""

    request: SpeakRequest
    response_format: SpeechFormat = "mp3"
    sse: bool = False


def parse_speech(body: bytes, owner: str | None = None) -> SpeechCall:
    """Raises `BadRequestBody` for what is no JSON object, `InvalidValue` for a field that cannot be."""
    fields = Body(json_object(body))
    request = SpeakRequest(
        text=fields.required("input"),
        model=fields.text("model", MAX_NAME) or "auto",
        voice=fields.voice(),
        language=fields.language(),
        speed=fields.number("speed", MIN_SPEED, MAX_SPEED, 1.0),
        ssml=bool(fields.flag("ssml")),
        instructions=fields.text("instructions", MAX_INSTRUCTIONS),
        visemes=bool(fields.flag("visemes")),
        align=bool(fields.flag("align")),
        cache=fields.flag("cache"),
        owner=owner,
    )
    name = fields.choice("response_format", FORMATS, "mp3")
    return SpeechCall(request, name, fields.choice("stream_format", STREAM_FORMATS, "audio") == "sse")


def audio_event(data: bytes) -> bytes:
    return event({"type": "speech.audio.delta", "audio": base64.b64encode(data).decode("ascii")})


def marks_event(marks: Iterable[Mark]) -> bytes:
    """An event of Talkie's own, before the sound in which the marks begin; other clients pass it over."""
    return event({"type": "speech.audio.marks", "marks": [_mark(mark) for mark in marks]})


def spoken_event(duration_s: float) -> bytes:
    """The last. OpenAI bills tokens; here are none, but clients want to read three numbers."""
    usage = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0, "seconds": round(duration_s, 3)}
    return event({"type": "speech.audio.done", "usage": usage})


def _mark(mark: Mark) -> dict[str, Any]:
    return {
        "kind": mark.kind,
        "text": mark.text,
        "start": round(float(mark.start_s), 4),
        "end": round(float(mark.end_s), 4),
        "estimated": mark.estimated,
    }


def json_object(body: bytes) -> dict[str, Any]:
    """Raises `BadRequestBody` for anything else."""
    try:
        found = json.loads(body.decode("utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise _not_json("it is not well-formed JSON.") from None
    if not isinstance(found, dict):
        raise _not_json("it is not a JSON object.")
    return found


def _not_json(why: str) -> BadRequestBody:
    return BadRequestBody(why, hint='Send JSON: {"input": "Hello there.", "voice": "alloy"}.')


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


class Body:
    """The fields of the object. None counts as left out, and numbers may come as text, as some clients send them."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def required(self, name: str) -> str:
        if self._values.get(name) is None:
            raise InvalidValue(name, f"{name} is missing: the text to be spoken.")
        return self.text(name)

    def text(self, name: str, limit: int | None = None) -> str:
        return _text(name, self._values.get(name), limit)

    def voice(self) -> str:
        """A name, or an object with an `id`, as OpenAI's voices made from recordings are named."""
        value = self._values.get("voice")
        return _text("voice", value.get("id") if isinstance(value, dict) else value, MAX_NAME).strip()

    def language(self) -> str | None:
        return spoken_language(self.text("language", MAX_NAME))

    def choice(self, name: str, allowed: tuple[T, ...], default: T) -> T:
        value = self.text(name).strip().lower() or default
        if value not in allowed:
            shown = repr(value[:40])
            raise InvalidValue(name, f"{name} cannot be {shown}.", hint=f"One of: {', '.join(allowed)}.")
        return value

    def flag(self, name: str) -> bool | None:
        value = self._values.get(name)
        if value is None or isinstance(value, bool):
            return value
        word = str(value).strip().lower() if isinstance(value, str | int) else "?"
        if word not in TRUE | FALSE:
            raise InvalidValue(name, f"{name} is true or false.")
        return word in TRUE if word else None

    def number(self, name: str, low: float, high: float, default: float) -> float:
        value = self._values.get(name)
        if value is None or value == "":
            return default
        try:
            number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
        except (ValueError, OverflowError):
            number = None
        if number is None:
            raise InvalidValue(name, f"{name} is a number.")
        if not low <= number <= high:  # NaN fails this as well
            raise InvalidValue(name, f"{name} is {low:g} to {high:g}.")
        return number


def _text(name: str, value: Any, limit: int | None = None) -> str:
    """Half a character (a lone surrogate, where a client cut its text) is shown as one that is missing."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidValue(name, f"{name} is a text.")
    if limit is not None and len(value) > limit:
        raise InvalidValue(name, f"{name} has {len(value)} characters; {limit} are the most.")
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
