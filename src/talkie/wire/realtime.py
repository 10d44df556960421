"""What a client of OpenAI's realtime API says: one JSON object a message, to a command of ours.

Pure. Knows nothing of sockets or sessions that are open. Whatever else a client sends is an `InvalidValue`; the door
answers it with an `error` event that carries the client's own `event_id`.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, TypeAlias

from talkie.errors import InvalidValue

MAX_AUDIO_CHARS = 15 * 1024 * 1024
"""Of one `append`, as OpenAI has it."""
MAX_PARTS = 20_000
"""Brackets and commas of a message: what is not sound is small, and taking apart a message of nothing else is work."""
MAX_ID_CHARS = 512

UPDATE, OLDER_UPDATE = "session.update", "transcription_session.update"
APPEND, COMMIT, CLEAR = "input_audio_buffer.append", "input_audio_buffer.commit", "input_audio_buffer.clear"
TYPES = (UPDATE, OLDER_UPDATE, APPEND, COMMIT, CLEAR)
CONVERSATION = ("response.", "conversation.", "output_audio_buffer.")


class CommitEmpty(InvalidValue):
    """By OpenAI's own code, which clients look for."""

    code = "input_audio_buffer_commit_empty"

    def __init__(self, buffered_ms: float) -> None:
        super().__init__(
            "input_audio_buffer",
            f"Nothing to commit: at least 100 ms of sound are needed, and there are {max(0, buffered_ms):.0f}.",
            hint="With turn detection the server commits by itself.",
        )


@dataclass(frozen=True, slots=True)
class Message:
    """A message that can be read; `event_id` is the client's own, if it gave one."""

    type: str
    data: dict[str, Any]
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """Settings to lay over those in force; `older` are the names that the client speaks."""

    session: dict[str, Any]
    older: bool = False
    answer: str = "session.updated"


@dataclass(frozen=True, slots=True)
class Append:
    sound: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """The utterance ends here."""


@dataclass(frozen=True, slots=True)
class Clear:
    """Forget what was not committed."""


Command: TypeAlias = Update | Append | Commit | Clear


def read(said: str | bytes) -> Message:
    """Raises `InvalidValue` for anything but a JSON object with a type."""
    if isinstance(said, bytes):
        raise InvalidValue("message", "Messages are text here.", hint="Sound is sent in base64, in an `append`.")
    if said.count("{") + said.count("[") + said.count(",") > MAX_PARTS:
        raise InvalidValue("message", "The message has too many parts.")
    try:
        data = json.loads(said)
    except (ValueError, RecursionError):
        raise InvalidValue("message", "The message is not JSON.") from None
    if not isinstance(data, dict):
        raise InvalidValue("message", "The message is not a JSON object.")
    name, kind = data.get("event_id"), data.get("type")
    event_id = name[:MAX_ID_CHARS] if isinstance(name, str) else None
    return Message(kind if isinstance(kind, str) else "", data, event_id)


def command(message: Message) -> Command:
    """Raises `InvalidValue`."""
    if message.type == APPEND:
        return Append(_sound(message.data.get("audio")))
    if message.type == COMMIT:
        return Commit()
    if message.type == CLEAR:
        return Clear()
    if message.type == UPDATE:
        return _update(message.data.get("session"))
    if message.type == OLDER_UPDATE:
        given = message.data.get("session", message.data)  # both forms were documented
        return Update(_settings(given), older=True, answer="transcription_session.updated")
    if message.type.startswith(CONVERSATION):
        raise InvalidValue("type", "This server writes down what is said; it holds no conversation.", hint=_known())
    raise InvalidValue("type", "There is no such type of message.", hint=_known())


def _update(given: Any) -> Update:
    """Without a type, and without `audio`, it is the older API's."""
    settings = _settings(given)
    kind = settings.get("type")
    if kind not in (None, "transcription"):
        raise InvalidValue(
            "session.type",
            "This server writes down what is said; it holds no conversation.",
            hint='Set session.type to "transcription".',
        )
    return Update(settings, older=kind is None and "audio" not in settings)


def _settings(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise InvalidValue("session", "session is an object.")
    return given


def _sound(audio: Any) -> bytes:
    if not isinstance(audio, str):
        raise InvalidValue("audio", "audio is a text: the sound in base64.")
    if len(audio) > MAX_AUDIO_CHARS:
        raise InvalidValue("audio", "audio is at most 15 MiB a message.", hint="Send pieces of 100 ms.")
    try:
        return base64.b64decode(audio, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidValue("audio", "audio is not base64.") from None


def _known() -> str:
    return f"One of: {', '.join(TYPES)}."
