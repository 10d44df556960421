"""What `/v1/listen` tells: events of a live session to JSON, and back again for our own client.

Pure; times are seconds from the beginning of the session. A reader passes over types and fields that it does not know:
a newer server may say more. Knows nothing of sockets.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeAlias

from talkie.types import (
    LiveEvent,
    LiveFinal,
    LiveNotice,
    LivePartial,
    Notice,
    Segment,
    Span,
    SpeechStarted,
    SpeechStopped,
    Transcript,
    Word,
)
from talkie.wire.openai import ErrorWords, to_json


@dataclass(frozen=True, slots=True)
class Ready:
    """The first message: sound is heard from here on. `model` is empty where the server does not say."""

    session_id: str
    model: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """The last message of a session that ended well: seconds of sound that came."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error, in the server's words. Nothing comes after it."""

    words: dict[str, Any]


Told: TypeAlias = LiveEvent | Ready | Done | Refusal


def event_message(event: LiveEvent) -> dict[str, Any]:
    """An event as JSON has it. An empty final is told too: what was shown of its utterance was nothing."""
    if isinstance(event, SpeechStarted):
        return {"type": "speech_started", "utterance": event.utterance, "at": _time(event.at_s)}
    if isinstance(event, SpeechStopped):
        return {"type": "speech_stopped", "utterance": event.utterance, "at": _time(event.at_s)}
    if isinstance(event, LivePartial):
        return _partial(event)
    if isinstance(event, LiveFinal):
        return _final(event)
    return {"type": "warning", "code": event.notice.code, "message": event.notice.message}


def ready_message(session_id: str, model: str) -> dict[str, Any]:
    return {"type": "ready", "session_id": session_id, "model": model}


def done_message(seconds: float) -> dict[str, Any]:
    return {"type": "done", "seconds": _time(seconds)}


def error_message(words: ErrorWords) -> dict[str, Any]:
    return {"type": "error", **words.body()}


def to_text(message: dict[str, Any]) -> str:
    """The message on one line."""
    return to_json(message).decode()


def read_message(text: str | bytes) -> Told | None:
    """What a server said; None for what this client does not know. Raises `ValueError`."""
    try:
        message = json.loads(text)
    except RecursionError:
        raise ValueError("a message is nested without end") from None
    if not isinstance(message, dict):
        raise ValueError("a message is not an object")  # noqa: TRY004 - what a server sent, not what a caller passed
    try:
        return _read(str(message.get("type")), message)
    except (LookupError, TypeError, AttributeError, OverflowError):
        raise ValueError(f"a message of the type {str(message.get('type'))[:40]!r} is not whole") from None


def _partial(event: LivePartial) -> dict[str, Any]:
    return {
        "type": "partial",
        "utterance": event.utterance,
        "start": _time(event.start_s),
        "end": _time(event.end_s),
        "text": event.text,
        "committed": event.committed,
        "language": event.language,
    }


def _final(event: LiveFinal) -> dict[str, Any]:
    heard = event.transcript
    return {
        "type": "final",
        "utterance": event.utterance,
        "start": _time(event.span.start_s),
        "end": _time(event.span.end_s),
        "text": heard.text,
        "language": heard.language,
        "words": [
            {
                "word": word.text,
                "start": _time(word.start_s),
                "end": _time(word.end_s),
                "probability": round(float(word.probability), 4),
            }
            for word in heard.words
        ],
        "model": heard.model,
    }


def _read(kind: str, message: dict[str, Any]) -> Told | None:
    if kind == "partial":
        return _read_partial(message)
    if kind == "final":
        return _read_final(message)
    if kind == "speech_started":
        return SpeechStarted(int(message["utterance"]), float(message["at"]))
    if kind == "speech_stopped":
        return SpeechStopped(int(message["utterance"]), float(message["at"]))
    if kind == "warning":
        return LiveNotice(Notice(str(message["code"]), str(message["message"])))
    if kind == "ready":
        return Ready(str(message["session_id"]), str(message.get("model", "")))
    if kind == "done":
        return Done(float(message["seconds"]))
    if kind == "error":
        words = message["error"]
        return Refusal(words if isinstance(words, dict) else {"message": str(words)})
    return None


def _read_partial(message: dict[str, Any]) -> LivePartial:
    text, committed = str(message["text"]), str(message["committed"])
    rest = text.removeprefix(committed) if text.startswith(committed) else text
    return LivePartial(
        int(message["utterance"]),
        float(message["start"]),
        float(message["end"]),
        committed,
        rest.strip(),
        str(message.get("language", "")),
        "" if committed and rest and not rest.startswith(" ") else " ",
    )


def _read_final(message: dict[str, Any]) -> LiveFinal:
    span = Span(float(message["start"]), float(message["end"]))
    text = str(message["text"])
    words = tuple(
        Word(str(item["word"]), float(item["start"]), float(item["end"]), float(item.get("probability", 1.0)))
        for item in message.get("words") or ()
    )
    segments = (Segment(text, span.start_s, span.end_s, words),) if text else ()
    return LiveFinal(
        int(message["utterance"]),
        span,
        Transcript(
            segments,
            language=str(message.get("language", "")),
            duration_s=max(span.end_s - span.start_s, 0.0),
            model=str(message.get("model", "")),
            decoded_until_s=span.end_s,
        ),
    )


def _time(seconds: float) -> float:
    return round(float(seconds), 3)
