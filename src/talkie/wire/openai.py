"""OpenAI's REST answers from Talkie's words: transcripts in five formats, stream events, models, errors.

Pure mappings; knows nothing of sockets or engines. Shapes follow OpenAI's published API; what we add to them (`hint`,
`warnings`, `dropped`, a word's `probability`) is extra and never in the way.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from talkie.errors import TalkieError
from talkie.runtime.leases import LoadedModel
from talkie.text.languages import language_name
from talkie.text.subtitles import to_srt, to_vtt
from talkie.types import Dropped, Notice, Segment, Transcript, Word
from talkie.wire.fields import TranscriptionCall

JSON = "application/json"
EVENT_STREAM = "text/event-stream; charset=utf-8"
MEDIA_TYPES = {
    "text": "text/plain; charset=utf-8",
    "srt": "application/x-subrip; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: bytes, their media type, and the warnings for formats that have no room for them."""

    body: bytes
    media_type: str
    warnings: tuple[Notice, ...] = ()


def answer(transcript: Transcript, call: TranscriptionCall) -> Answer:
    """The transcript in the format that was asked for."""
    notices = (*call.notices, *transcript.notices)
    if call.response_format == "json":
        body = {"text": transcript.text, "usage": usage(transcript), **_warnings(notices)}
        return Answer(to_json(body), JSON)
    if call.response_format == "verbose_json":
        return Answer(to_json(verbose(transcript, words=call.request.words, notices=notices)), JSON)
    if call.response_format == "srt":
        text = to_srt(transcript.segments)
    elif call.response_format == "vtt":
        text = to_vtt(transcript.segments)
    else:
        text = transcript.text + "\n" if transcript.text else ""
    return Answer(text.encode(), MEDIA_TYPES[call.response_format], notices)


def verbose(transcript: Transcript, *, words: bool, notices: Sequence[Notice] = ()) -> dict[str, Any]:
    """`verbose_json`: all ten fields of each segment; words where they were asked for."""
    return {
        "task": transcript.task,
        "language": text_language(transcript),
        "duration": _time(transcript.duration_s),
        "text": transcript.text,
        "segments": [segment(index, item) for index, item in enumerate(transcript.segments)],
        **({"words": [_word(item) for item in transcript.words]} if words else {}),
        "usage": usage(transcript),
        **({"dropped": [_dropped(item) for item in transcript.dropped]} if transcript.dropped else {}),
        **_warnings(notices),
    }


def text_language(transcript: Transcript) -> str:
    """The English name of the text's language, as OpenAI sends it. Translations are English."""
    return "english" if transcript.task == "translate" else language_name(transcript.language)


def segment(index: int, item: Segment) -> dict[str, Any]:
    """The ten fields. `seek` is the place of the segment in frames of 10 ms, as openai/whisper counts."""
    return {
        "id": index,
        "seek": round(item.start_s * 100),
        "start": _time(item.start_s),
        "end": _time(item.end_s),
        "text": item.text,
        "tokens": list(item.tokens),
        "temperature": _finite(item.temperature),
        "avg_logprob": _finite(item.avg_logprob),
        "compression_ratio": _finite(item.compression_ratio),
        "no_speech_prob": _finite(item.no_speech_prob),
    }


def usage(transcript: Transcript) -> dict[str, Any]:
    """What the answer cost: whole seconds of audio, rounded up."""
    return {"type": "duration", "seconds": math.ceil(round(transcript.duration_s, 3))}


def delta_event(text: str, *, first: bool, heard: Segment | None = None) -> bytes:
    """A piece of the text as it is heard, with its time; all pieces together are the text of the last event."""
    span = {"start": _time(heard.start_s), "end": _time(heard.end_s)} if heard is not None else {}
    return event({"type": "transcript.text.delta", "delta": text if first else " " + text, **span})


def done_event(transcript: Transcript, call: TranscriptionCall) -> bytes:
    """The whole text, once, at the end."""
    notices = (*call.notices, *transcript.notices)
    return event(
        {
            "type": "transcript.text.done",
            "text": transcript.text,
            "language": text_language(transcript),
            "duration": _time(transcript.duration_s),
            "usage": usage(transcript),
            **_warnings(notices),
        }
    )


def event(data: dict[str, Any]) -> bytes:
    """One server-sent event. JSON has no bare line breaks, so one `data:` line is always enough."""
    return b"data: " + to_json(data) + b"\n\n"


class ModelEntry(Protocol):
    """What a list of models says of each."""

    @property
    def id(self) -> str: ...
    @property
    def engine(self) -> str: ...
    @property
    def languages(self) -> tuple[str, ...]: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def loaded(self) -> bool: ...
    @property
    def kind(self) -> str: ...


def model(entry: ModelEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "object": "model",
        "created": 0,
        "owned_by": "talkie",
        "kind": entry.kind,
        "engine": entry.engine,
        "languages": list(entry.languages),
        "size_bytes": entry.size_bytes,
        "loaded": entry.loaded,
    }


def model_list(entries: Iterable[ModelEntry]) -> dict[str, Any]:
    return {"object": "list", "data": [model(entry) for entry in entries]}


def loaded_list(entries: Iterable[LoadedModel]) -> dict[str, Any]:
    """The models in memory, as `talkie ps` shows them."""
    return {"object": "list", "data": [asdict(entry) for entry in entries]}


@dataclass(frozen=True, slots=True)
class ErrorWords:
    """An error as OpenAI writes it, and our hint."""

    message: str
    type: str
    code: str
    param: str | None = None
    hint: str = ""

    def body(self) -> dict[str, Any]:
        words: dict[str, Any] = {"message": self.message, "type": self.type, "param": self.param, "code": self.code}
        return {"error": {**words, "hint": self.hint} if self.hint else words}


def error_words(error: TalkieError, kind: str) -> ErrorWords:
    return ErrorWords(error.message, kind, error.code, error.param, error.hint)


def to_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")


def _word(item: Word) -> dict[str, Any]:
    return {
        "word": item.text,
        "start": _time(item.start_s),
        "end": _time(item.end_s),
        "probability": _finite(item.probability),
    }


def _dropped(item: Dropped) -> dict[str, Any]:
    heard = item.segment
    return {"start": _time(heard.start_s), "end": _time(heard.end_s), "text": heard.text, "reason": item.reason}


def _warnings(notices: Sequence[Notice]) -> dict[str, Any]:
    return {"warnings": [{"code": item.code, "message": item.message} for item in notices]} if notices else {}


def _time(seconds: float) -> float:
    return round(float(seconds), 3)


def _finite(value: float) -> float:
    """JSON has no NaN and no infinity, and clients choke on null where a number belongs."""
    return round(float(value), 6) if math.isfinite(value) else 0.0
