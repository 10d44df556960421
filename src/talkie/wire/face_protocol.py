"""What a client of a live face asks and sends, and the binary messages that it is sent.

Pure. A binary message of the server is a header of 24 bytes, big-endian, and one encoded piece: a picture as an access
unit, or sound. Times are session time. Unknown parameters are ignored; what is known and wrong is an `InvalidValue`.
Knows nothing of sockets: a data channel speaks the same.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias, get_args

from talkie.errors import InvalidValue
from talkie.runtime.face import FaceRequest
from talkie.runtime.speech import SpeakRequest
from talkie.wire.speech import Body
from talkie.wire.video import face_request, speak_request

VideoCodec: TypeAlias = Literal["h264", "vp8"]
AudioCodec: TypeAlias = Literal["pcm16", "opus"]
VIDEO_CODECS: tuple[VideoCodec, ...] = get_args(VideoCodec)
AUDIO_CODECS: tuple[AudioCodec, ...] = get_args(AudioCodec)
MICROPHONE_HZ = 16_000
MAX_MESSAGE_CHARS = 200_000
HEADER = struct.Struct(">BBHIIqI")
"""kind, flags, 0, generation, index, pts in microseconds (signed), duration in microseconds."""
VIDEO, AUDIO = 1, 2
KEY, FIRST = 1, 2
"""Flags: a picture that needs no other; the first of its utterance."""
_SPOKEN = ("model", "voice", "language", "speed", "instructions")


@dataclass(frozen=True, slots=True)
class LiveFaceCall:
    """The address of a live face, read."""

    face: FaceRequest
    spoken: SpeakRequest
    video: VideoCodec = "h264"
    audio: AudioCodec = "pcm16"


@dataclass(frozen=True, slots=True)
class Packet:
    """One binary message to the client."""

    kind: int
    generation: int
    index: int
    pts_us: int
    duration_us: int
    data: bytes = field(repr=False)
    key: bool = True
    first: bool = False


@dataclass(frozen=True, slots=True)
class Say:
    """Speak this now, and no longer what was being spoken."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Append:
    """More of a text that is being written."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class End:
    """The text that was being written is whole."""


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Say no more."""


@dataclass(frozen=True, slots=True)
class ShownUntil:
    """The viewer has seen up to here."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Update:
    """How later utterances are spoken: the fields that change."""

    session: dict[str, Any] = field(repr=False)


Command: TypeAlias = Say | Append | End | Interrupt | ShownUntil | Update
_NAMES = ("text", "text.append", "text.end", "interrupt", "shown", "session.update")


def parse_address(pairs: Iterable[tuple[str, str]], avatar: str, owner: str | None) -> LiveFaceCall:
    """The parameters of the address. Raises `InvalidValue`, `AvatarNotFound`."""
    body = Body({name.strip(): value for name, value in pairs})
    spoken = replace(speak_request(body, "", owner), ssml=False)
    video, audio = body.choice("video", VIDEO_CODECS, "h264"), body.choice("audio", AUDIO_CODECS, "pcm16")
    return LiveFaceCall(face_request(body, avatar, owner), spoken, video, audio)


def parse_command(said: str) -> Command:
    """A text message. Raises `InvalidValue`."""
    if len(said) > MAX_MESSAGE_CHARS:
        raise _not_understood(f"A message is longer than {MAX_MESSAGE_CHARS} characters.")
    try:
        message: Any = json.loads(said, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise _not_understood("A text message is not JSON.") from None
    kind = message.get("type") if isinstance(message, dict) else None
    if not isinstance(kind, str):
        raise _not_understood("A text message has no type.")
    if kind in ("text", "text.append"):
        return (Say if kind == "text" else Append)(Body(message).text("text"))
    if kind == "shown":
        return ShownUntil(_seconds(message.get("at_s")))
    if kind == "session.update":
        return Update(_session(message.get("session")))
    if kind in ("text.end", "interrupt"):
        return End() if kind == "text.end" else Interrupt()
    raise _not_understood(f"There is no message of the type {kind[:40]!r}.")


def changed(spoken: SpeakRequest, update: Update) -> SpeakRequest:
    """The fields that the update names, and the others as they were. Raises `InvalidValue`."""
    asked = speak_request(Body(update.session), "", spoken.owner)
    return replace(spoken, **{name: getattr(asked, name) for name in _SPOKEN if name in update.session})


def session_of(spoken: SpeakRequest) -> dict[str, Any]:
    """What `session.updated` shows."""
    return {name: getattr(spoken, name) for name in _SPOKEN}


def to_binary(packet: Packet) -> bytes:
    flags = KEY * packet.key | FIRST * packet.first
    head = HEADER.pack(
        packet.kind, flags, 0, packet.generation, packet.index, packet.pts_us, packet.duration_us
    )  # fmt: skip
    return head + packet.data


def read_binary(message: bytes) -> Packet:
    """For clients. Raises `ValueError`."""
    if len(message) < HEADER.size:
        raise ValueError("a message is shorter than its header")
    kind, flags, _, generation, index, pts_us, duration_us = HEADER.unpack_from(message)
    data = message[HEADER.size :]
    return Packet(kind, generation, index, pts_us, duration_us, data, bool(flags & KEY), bool(flags & FIRST))


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise InvalidValue("at_s", "at_s is a number of seconds.")
    return float(value)


def _session(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidValue("session", "session is an object.", hint=f"Its fields are: {', '.join(_SPOKEN)}.")
    return value


def _no_number(name: str) -> float:
    raise ValueError(name)


def _not_understood(why: str) -> InvalidValue:
    example = 'Microphone sound goes in binary messages; text is like {"type": "text", "text": "Hello"}'
    return InvalidValue("type", why, hint=f"{example}: {', '.join(_NAMES)}.")
