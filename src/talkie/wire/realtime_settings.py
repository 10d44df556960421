"""The settings that a client of OpenAI's realtime API sends, by the current or the older names, laid over a session.

Pure. What is left out stays as it is; what is known here with a wrong value is an `InvalidValue` that names its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from talkie.audio.formats import MAX_RATE_HZ, MIN_RATE_HZ
from talkie.errors import InvalidValue
from talkie.runtime.requests import MAX_PROMPT_CHARS
from talkie.text.languages import parse_language
from talkie.wire.realtime_session import (
    ENCODINGS,
    G711_HZ,
    INCLUDES,
    OLDER_FORMATS,
    PCM,
    PCM_HZ,
    SEMANTIC_VAD,
    SERVER_VAD,
    RealtimeSession,
    Turns,
)

EAGERNESS_MS = {"low": 2000, "medium": 1000, "auto": 1000, "high": 500}
"""`semantic_vad`: nobody here understands when a thought is complete, so eagerness becomes patience with pauses."""
MAX_PAUSE_MS, MAX_PADDING_MS = 10_000, 2_000
MAX_TEXTS = 1000
CURRENT = {"format": "format", "transcription": "transcription", "turn_detection": "turn_detection"}
OLDER = {
    "format": "input_audio_format",
    "transcription": "input_audio_transcription",
    "turn_detection": "turn_detection",
}


def update(session: RealtimeSession, data: dict[str, Any], prefix: str = "session.") -> RealtimeSession:
    """The session with what `data` says: `audio.input` of the current names, or the older names, flat.

    Raises `InvalidValue`. Fields of neither are ignored, as are wishes that change no text (noise reduction).
    """
    if "audio" in data:
        names, fields = CURRENT, _part(_part(data, "audio", prefix), "input", prefix + "audio.")
        prefix_of_fields = prefix + "audio.input."
    else:
        names, fields, prefix_of_fields = OLDER, data, prefix
    for name, change in CHANGES.items():
        if names[name] in fields:
            session = change(session, fields[names[name]], prefix_of_fields + names[name])
    if "include" in data:
        asked = _texts(data["include"], prefix + "include")
        session = replace(session, include=tuple(name for name in INCLUDES if name in asked))
    return session


def _with_format(session: RealtimeSession, value: Any, place: str) -> RealtimeSession:
    if value is None:
        return session
    fields = {"type": value} if isinstance(value, str) else _object(value, place)
    kind = str(fields.get("type") or PCM)
    kind = OLDER_FORMATS.get(kind, kind)
    if kind not in ENCODINGS:
        known = ", ".join((*ENCODINGS, *OLDER_FORMATS))
        raise InvalidValue(place, "There is no such format of sound.", hint=f"One of: {known}.")
    usual = PCM_HZ if kind == PCM else G711_HZ
    rate = _number(fields.get("rate"), f"{place}.rate", MIN_RATE_HZ, MAX_RATE_HZ, usual)
    if kind != PCM and rate != G711_HZ:
        raise InvalidValue(f"{place}.rate", f"{kind} has {G711_HZ} samples a second.")
    return replace(session, kind=kind, rate=round(rate))


def _with_transcription(session: RealtimeSession, value: Any, place: str) -> RealtimeSession:
    """`null` turns transcription off elsewhere; here there would be nothing left, so it goes back to what is usual."""
    if value is None:
        return replace(session, model="", language=None, prompt="", keywords=())
    fields = _object(value, place)
    if "model" in fields:
        session = replace(session, model=_text(fields["model"], f"{place}.model"))
    if "languages" in fields:  # several that it might be: then it is found out
        languages = _texts(fields["languages"], f"{place}.languages")
        session = replace(session, language=_language(languages[0], place) if len(languages) == 1 else None)
    if "language" in fields:
        session = replace(session, language=_language(_text(fields["language"], f"{place}.language"), place))
    if "prompt" in fields:
        session = replace(session, prompt=_prompt(_text(fields["prompt"], f"{place}.prompt"), f"{place}.prompt"))
    if "keywords" in fields:
        session = replace(session, keywords=_texts(fields["keywords"], f"{place}.keywords"))
        _prompt(session.hotwords, f"{place}.keywords")
    return session


def _language(text: str, place: str) -> str | None:
    try:
        return parse_language(text)
    except InvalidValue as error:
        raise InvalidValue(f"{place}.language", error.message, hint=error.hint) from None


def _with_turns(session: RealtimeSession, value: Any, place: str) -> RealtimeSession:
    return replace(session, turns=_turns(value, place))


def _turns(value: Any, place: str) -> Turns | None:
    if value is None:
        return None
    fields = _object(value, place)
    kind = fields.get("type") or SERVER_VAD
    if kind == "none":
        return None
    if kind == SEMANTIC_VAD:
        eagerness = _text(fields.get("eagerness"), f"{place}.eagerness") or "auto"
        if eagerness not in EAGERNESS_MS:
            raise InvalidValue(f"{place}.eagerness", "There is no such eagerness.", hint="low, medium, high or auto.")
        return Turns(silence_duration_ms=EAGERNESS_MS[eagerness], eagerness=eagerness)
    if kind != SERVER_VAD:
        raise InvalidValue(f"{place}.type", "There is no such turn detection.", hint="server_vad, semantic_vad, null.")
    usual = Turns()

    def number(name: str, high: float, default: float) -> float:
        return _number(fields.get(name), f"{place}.{name}", 0, high, default)

    return Turns(
        threshold=number("threshold", 1, usual.threshold),
        prefix_padding_ms=round(number("prefix_padding_ms", MAX_PADDING_MS, usual.prefix_padding_ms)),
        silence_duration_ms=round(number("silence_duration_ms", MAX_PAUSE_MS, usual.silence_duration_ms)),
    )


CHANGES: dict[str, Callable[[RealtimeSession, Any, str], RealtimeSession]] = {
    "format": _with_format,
    "transcription": _with_transcription,
    "turn_detection": _with_turns,
}


def _part(data: dict[str, Any], name: str, prefix: str) -> dict[str, Any]:
    value = data.get(name)
    return {} if value is None else _object(value, prefix + name)


def _object(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidValue(place, f"{place} is an object.")
    return value


def _text(value: Any, place: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidValue(place, f"{place} is a text.")
    return value.encode("utf-8", "replace").decode().strip()  # half a surrogate is no text


def _prompt(text: str, place: str) -> str:
    if len(text) > MAX_PROMPT_CHARS:
        raise InvalidValue(place, f"{place} is longer than {MAX_PROMPT_CHARS} characters.")
    return text


def _texts(value: Any, place: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MAX_TEXTS or not all(isinstance(item, str) for item in value):
        raise InvalidValue(place, f"{place} is a list of at most {MAX_TEXTS} texts.")
    return tuple(text for item in value if (text := _text(item, place)))


def _number(value: Any, place: str, low: float, high: float, usual: float) -> float:
    if value is None:
        return usual
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidValue(place, f"{place} is a number.")
    if not low <= value <= high:  # NaN fails this as well
        raise InvalidValue(place, f"{place} is {low:g} to {high:g}.")
    return value
