"""The fields of an OpenAI transcription call, as clients really send them, to what Talkie understands.

Pure: pairs of text in, a `TranscriptionCall` out. Knows nothing of forms, files or sockets. A field outside the list
below is ignored, as OpenAI's own server does; a field inside it with a wrong value is an `InvalidValue`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar, cast

from talkie.audio.formats import RAW_SAMPLE_BYTES, RawFormat
from talkie.engines.base import PRESETS
from talkie.errors import InvalidValue
from talkie.runtime.requests import MAX_TEMPERATURE, TranscribeRequest
from talkie.text.languages import parse_language
from talkie.types import Notice, Task

ResponseFormat: TypeAlias = Literal["json", "text", "srt", "verbose_json", "vtt"]
RESPONSE_FORMATS: tuple[ResponseFormat, ...] = ("json", "text", "srt", "verbose_json", "vtt")
STREAM_FORMATS: tuple[ResponseFormat, ...] = ("json", "text")
MODEL_ALIASES = frozenset({"", "auto", "default", "whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"})
"""Names that mean: whatever this server uses by default."""
GRANULARITIES = ("word", "segment")
RAW_ENCODINGS = tuple(RAW_SAMPLE_BYTES)
TRUE, FALSE = frozenset({"true", "1", "yes", "on"}), frozenset({"false", "0", "no", "off", ""})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TranscriptionCall:
    """What is asked of the service, and how the answer is to look. `notices` go into the answer as warnings."""

    request: TranscribeRequest
    response_format: ResponseFormat = "json"
    stream: bool = False
    notices: tuple[Notice, ...] = ()


def parse_call(pairs: Iterable[tuple[str, str]], task: Task) -> TranscriptionCall:
    """Fields in any order, arrays with or without brackets, to a call. Raises `InvalidValue` naming the field."""
    fields = Fields(pairs)
    response_format = fields.choice("response_format", RESPONSE_FORMATS, "json")
    words = "word" in fields.choices("timestamp_granularities", GRANULARITIES)
    stream = fields.flag("stream", default=False)
    if stream and response_format not in STREAM_FORMATS:
        raise InvalidValue(
            "response_format",
            f"A stream of events has no format {response_format!r}.",
            hint="Leave response_format out, or leave stream out.",
        )
    request = TranscribeRequest(
        model=model_name(fields.text("model")),
        language=parse_language(fields.text("language")),
        task=task,
        prompt=fields.text("prompt"),
        hotwords=fields.text("hotwords"),
        words=words and response_format == "verbose_json",
        preset=fields.choice("preset", ("", *PRESETS), ""),
        temperature=fields.number("temperature", 0.0, MAX_TEMPERATURE),
        vad=fields.flag("vad", default=True),
        filters=fields.flag("filters", default=True),
        raw=raw_format(fields),
    )
    return TranscriptionCall(request, cast(ResponseFormat, response_format), stream, _notices(fields))


def model_name(name: str) -> str:
    return "auto" if name.lower() in MODEL_ALIASES else name


def raw_format(fields: Fields) -> RawFormat | None:
    """Raw PCM is what a client sends that names a sample rate; the file is then not sniffed."""
    rate = fields.integer("sample_rate")
    if rate is None:
        return None
    channels = fields.integer("channels")
    return RawFormat(
        sample_rate=rate,
        channels=1 if channels is None else channels,
        encoding=fields.choice("encoding", RAW_ENCODINGS, "s16le"),
    )


def _notices(fields: Fields) -> tuple[Notice, ...]:
    """What was asked for and is not given is said, never dropped in silence."""
    asked = sorted({name for name in fields.all("include") if name})
    if not asked:
        return ()
    return (Notice("include_ignored", "include has no effect here: log probabilities are in verbose_json."),)


class Fields:
    """The pairs by name, brackets taken off; of a single field the last value counts."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name.strip().removesuffix("[]"), []).append(value)

    def all(self, name: str) -> list[str]:
        return [value.strip() for value in self._values.get(name, [])]

    def text(self, name: str) -> str:
        return (self.all(name) or [""])[-1]

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        return _checked(name, self.text(name), allowed) or default

    def choices(self, name: str, allowed: tuple[str, ...]) -> set[str]:
        parts = (part.strip() for value in self.all(name) for part in value.split(","))
        return {_checked(name, part, allowed) for part in parts if part}

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.text(name).lower()
        if not value:
            return default
        if value not in TRUE | FALSE:
            raise InvalidValue(name, f"{name} is true or false, not {_short(value)}.")
        return value in TRUE

    def number(self, name: str, low: float, high: float) -> float | None:
        value = self._parsed(name, float, "a number")
        if value is not None and not low <= value <= high:  # NaN fails this as well
            raise InvalidValue(name, f"{name} is {low:g} to {high:g}.")
        return value

    def integer(self, name: str) -> int | None:
        value = self._parsed(name, float, "a whole number")
        if value is not None and (not math.isfinite(value) or value != int(value)):
            raise InvalidValue(name, f"{name} is a whole number.")
        return None if value is None else int(value)

    def _parsed(self, name: str, parse: Callable[[str], T], kind: str) -> T | None:
        value = self.text(name)
        if not value:
            return None
        try:
            return parse(value)
        except ValueError:
            raise InvalidValue(name, f"{name} is {kind}, not {_short(value)}.") from None


def _checked(name: str, value: str, allowed: tuple[str, ...]) -> str:
    lowered = value.lower()
    if lowered and lowered not in allowed:
        hint = f"One of: {', '.join(option for option in allowed if option)}."
        if lowered == "diarized_json":
            raise InvalidValue(name, "diarized_json needs a model that tells speakers apart; none is here.", hint=hint)
        raise InvalidValue(name, f"{name} cannot be {_short(value)}.", hint=hint)
    return lowered


def _short(value: str) -> str:
    return repr(value if len(value) <= 40 else value[:40] + "…")
