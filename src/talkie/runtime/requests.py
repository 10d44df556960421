"""What is asked of the service, in its own words: doors map their protocol to these and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace

from talkie.audio.decode import RawFormat
from talkie.audio.segment import SegmentOptions
from talkie.engines.base import PRESETS, Context, DecodingOptions, RecognizeOptions, RecognizerInfo
from talkie.errors import InvalidValue, UnsupportedByModel
from talkie.runtime.turns import Priority
from talkie.types import Task

MAX_PROMPT_CHARS = 10_000
MAX_TEMPERATURE = 1.0
MIN_THRESHOLD = 0.01
MIN_SILENCE_MS, MAX_SILENCE_MS, MAX_PADDING_MS = 32.0, 10_000.0, 2_000.0
LONG_S = 120.0
"""Whoever sends a longer recording does not sit and wait for it."""


@dataclass(frozen=True, slots=True)
class TranscribeRequest:
    """One recording to hear. `language` is an ISO 639-1 code, None: find out. `preset` empty: the server's own, as with
    `context` (None). `priority` None: as its length suggests."""

    model: str = "auto"
    language: str | None = None
    task: Task = "transcribe"
    prompt: str = ""
    hotwords: str = ""
    words: bool = False
    preset: str = ""
    temperature: float | None = None
    vad: bool = True
    filters: bool = True
    raw: RawFormat | None = None
    priority: Priority | None = None
    context: Context | None = None

    def priority_of(self, duration_s: float | None) -> Priority:
        """The one asked for; else long recordings let short ones go before. A length not known is taken for short."""
        return self.priority or ("batch" if duration_s is not None and duration_s > LONG_S else "interactive")


PCM_16K = RawFormat(16_000)


@dataclass(frozen=True, slots=True)
class TurnOptions:
    """When the server decides that somebody has begun and ended: `threshold` is a probability 0..1, `silence_ms` the
    pause that ends an utterance, `padding_ms` what is kept before and after it."""

    threshold: float = 0.5
    silence_ms: float = 500.0
    padding_ms: float = 300.0


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """Speech to hear while it is spoken. Fields it shares with `TranscribeRequest` mean the same.

    `raw` is how its bytes are to be read; `turns` None: the client says where an utterance ends (commit).
    """

    model: str = "auto"
    language: str | None = None
    task: Task = "transcribe"
    prompt: str = ""
    hotwords: str = ""
    words: bool = True
    preset: str = ""
    filters: bool = True
    partials: bool = True
    turns: TurnOptions | None = TurnOptions()
    raw: RawFormat = PCM_16K

    def as_recording(self) -> TranscribeRequest:
        """The same wishes for a recording."""
        return TranscribeRequest(
            model=self.model,
            language=self.language,
            task=self.task,
            prompt=self.prompt,
            hotwords=self.hotwords,
            words=self.words,
            preset=self.preset,
            filters=self.filters,
            raw=self.raw,
        )


def segment_options(turns: TurnOptions | None, *, energy_gate: bool, max_seconds: float) -> SegmentOptions:
    """What turns mean to the segmenter; without turns, as for recordings. Raises `InvalidValue`."""
    if turns is None:
        return SegmentOptions(energy_gate=energy_gate, max_seconds=max_seconds)
    bounds = (
        ("threshold", turns.threshold, MIN_THRESHOLD, 1 - MIN_THRESHOLD),
        ("silence_duration_ms", turns.silence_ms, MIN_SILENCE_MS, MAX_SILENCE_MS),
        ("prefix_padding_ms", turns.padding_ms, 0.0, MAX_PADDING_MS),
    )
    for param, value, least, most in bounds:
        if not least <= value <= most:
            raise InvalidValue(param, f"{param} is {least:g} to {most:g}.")
    return SegmentOptions(
        threshold=turns.threshold,
        min_silence_ms=turns.silence_ms,
        pad_ms=turns.padding_ms,
        energy_gate=energy_gate,
        max_seconds=max_seconds,
    )


def recognize_options(request: TranscribeRequest, default_preset: str, context: Context = "full") -> RecognizeOptions:
    """The engine's options for a request. Raises `InvalidValue`."""
    for param in ("prompt", "hotwords"):
        if len(getattr(request, param)) > MAX_PROMPT_CHARS:
            raise InvalidValue(param, f"{param} is longer than {MAX_PROMPT_CHARS} characters.")
    return RecognizeOptions(
        language=request.language,
        task=request.task,
        prompt=request.prompt.strip(),
        hotwords=request.hotwords.strip(),
        words=request.words,
        decoding=_decoding(request, default_preset),
        context=request.context or context,
    )


def _decoding(request: TranscribeRequest, default_preset: str) -> DecodingOptions:
    name = request.preset or default_preset
    if name not in PRESETS:
        raise InvalidValue("preset", f"There is no preset {name[:40]!r}.", hint=f"One of: {', '.join(PRESETS)}.")
    preset = PRESETS[name]
    if not request.temperature:  # none, or 0: start cold and fall back, as OpenAI documents it
        return preset
    if not 0 <= request.temperature <= MAX_TEMPERATURE:
        raise InvalidValue("temperature", f"temperature is 0 to {MAX_TEMPERATURE:g}.")
    return replace(preset, temperatures=(request.temperature,))


def check_capabilities(request: TranscribeRequest, info: RecognizerInfo) -> None:
    """What the engine cannot do is refused before any work. Raises `UnsupportedByModel`."""
    if request.language is not None and request.language not in info.languages:
        raise UnsupportedByModel(
            "language",
            f"The model {info.name!r} does not know the language {request.language!r}.",
            hint="`talkie pull whisper-base` fetches a model for 99 languages.",
        )
    if request.task not in info.tasks:
        raise UnsupportedByModel(
            "task",
            f"The model {info.name!r} cannot {request.task}.",
            hint="`talkie pull whisper-base` fetches a model that can.",
        )
    if request.words and not info.words:
        raise UnsupportedByModel("words", f"The model {info.name!r} gives no word times.")
