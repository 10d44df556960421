"""What Wyoming's events of speech recognition mean, in Talkie's words. Pure: events in, requests out, and answers back.

Knows nothing of bytes or sockets. The names are those of the `wyoming` package; fields that it may add one day are
ignored, and a field known here with a wrong value is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from talkie import __version__
from talkie.audio.formats import RawFormat
from talkie.errors import InvalidValue, TalkieError
from talkie.runtime.requests import MAX_PROMPT_CHARS, LiveRequest, TurnOptions
from talkie.text.languages import parse_language
from talkie.wire.fields import MODEL_ALIASES
from talkie.wire.openai import ModelEntry
from talkie.wire.wyoming import Event

DESCRIBE, INFO, PING, PONG, ERROR = "describe", "info", "ping", "pong", "error"
TRANSCRIBE, AUDIO_START, AUDIO_CHUNK, AUDIO_STOP = "transcribe", "audio-start", "audio-chunk", "audio-stop"

ENCODINGS = {1: "u8", 2: "s16le", 3: "s24le", 4: "s32le"}
"""By the bytes of a sample, as WAV files have them."""
SILENCE_MS = {"aggressive": 300.0, "default": 500.0, "relaxed": 1000.0}
"""`vad_sensitivity`: the pause after which a sentence is heard and told."""
SOURCE = {"name": "Talkie", "url": "https://github.com/talkie-speech/talkie"}


@dataclass(frozen=True, slots=True)
class Wish:
    """How the next utterances are to be heard: what `transcribe` said, or nothing yet."""

    model: str = "auto"
    language: str | None = None
    hotwords: str = ""
    silence_ms: float = SILENCE_MS["default"]

    def request(self, raw: RawFormat) -> LiveRequest:
        """Sentences as they end, so that long speech arrives while it goes on; no partials, for Wyoming has none."""
        return LiveRequest(
            model=self.model,
            language=self.language,
            hotwords=self.hotwords,
            words=False,
            partials=False,
            turns=TurnOptions(silence_ms=self.silence_ms),
            raw=raw,
        )


def wish(data: dict[str, Any]) -> Wish:
    """Of a `transcribe`. Raises `InvalidValue`."""
    name = _text(data, "name")
    return Wish(
        model="auto" if name.lower() in MODEL_ALIASES else name,
        language=parse_language(_text(data, "language")),
        hotwords=_hotwords([*_texts(data, "transcript_names"), *_texts(data, "transcript_terms")]),
        silence_ms=SILENCE_MS.get(_text(data, "vad_sensitivity"), SILENCE_MS["default"]),
    )


def sound_format(data: dict[str, Any]) -> RawFormat:
    """Of an `audio-start` or `audio-chunk`. Raises `InvalidValue`, `BadRawParameters`."""
    width = _number(data, "width")
    if width not in ENCODINGS:
        raise InvalidValue("width", "width, the bytes of a sample, is 1, 2, 3 or 4.")
    return RawFormat(_number(data, "rate"), _number(data, "channels"), ENCODINGS[width])


def info(models: Iterable[ModelEntry], voices: Sequence[dict[str, Any]] = ()) -> Event:
    """What this server can do: its models, in memory or not, and the programs that speak."""
    listed = [_model(model) for model in models if model.kind == "recognizer"]
    program = {
        **artifact("talkie", "Talkie, a speech server of your own", __version__),
        "models": listed,
        "supports_transcript_streaming": True,
        "requires_external_vad": True,
    }
    return Event(INFO, {"asr": [program], "tts": list(voices)})


def pong(data: dict[str, Any]) -> Event:
    return Event(PONG, {"text": data["text"]} if isinstance(data.get("text"), str) else {})


def error(fault: TalkieError) -> Event:
    """The message and what to do next, with our stable code."""
    return Event(ERROR, {"text": " ".join(part for part in (fault.message, fault.hint) if part), "code": fault.code})


def transcript_start(language: str) -> Event:
    return Event("transcript-start", {"language": language} if language else {})


def transcript_chunk(text: str, *, first: bool) -> Event:
    """All chunks together are the text of the transcript."""
    return Event("transcript-chunk", {"text": text if first else " " + text})


def transcript(texts: Sequence[str], language: str) -> Event:
    return Event("transcript", {"text": " ".join(texts), **({"language": language} if language else {})})


def transcript_stop() -> Event:
    return Event("transcript-stop")


def _model(model: ModelEntry) -> dict[str, Any]:
    return {**artifact(model.id, f"{model.id} ({model.engine})", None), "languages": list(model.languages)}


def artifact(name: str, description: str, version: str | None) -> dict[str, Any]:
    """What `info` says of everything that it lists."""
    return {"name": name, "description": description, "version": version, "attribution": SOURCE, "installed": True}


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidValue(name, f"{name} is a text.")
    return value.strip()


def _texts(data: dict[str, Any], name: str) -> list[str]:
    value = data.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or any(not isinstance(item, str) for item in value):
        raise InvalidValue(name, f"{name} is a list of texts.")
    return [item.strip() for item in value if item.strip()]


def _hotwords(words: Sequence[str]) -> str:
    """As many as there is room for, the first before the last: a house may have more names than a model can mind."""
    room = MAX_PROMPT_CHARS
    kept = []
    for word in dict.fromkeys(words):
        room -= len(word) + 2
        if room < 0:
            break
        kept.append(word)
    return ", ".join(kept)


def _number(data: dict[str, Any], name: str) -> int:
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValue(name, f"{name} is a whole number.")
    return value
