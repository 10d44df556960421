"""Messages of `talkie.v1` to what Talkie understands. Pure; the contract is `protos/talkie/v1/talkie.proto`.

A value that cannot be is an `InvalidValue` that names its field; nothing is dropped in silence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from talkie.audio.formats import RawFormat
from talkie.engines.base import PRESETS
from talkie.errors import BadRequestBody, InvalidValue
from talkie.runtime.requests import MAX_TEMPERATURE, PCM_16K, LiveRequest, TranscribeRequest, TurnOptions
from talkie.text.languages import parse_language
from talkie.types import Task
from talkie.wire.fields import MODEL_ALIASES
from talkie.wire.protos.talkie.v1 import talkie_pb2 as pb

ENCODINGS: dict[int, str] = {
    pb.ENCODING_UNSPECIFIED: "s16le",
    pb.ENCODING_S16LE: "s16le",
    pb.ENCODING_S24LE: "s24le",
    pb.ENCODING_S32LE: "s32le",
    pb.ENCODING_U8: "u8",
    pb.ENCODING_F32LE: "f32le",
    pb.ENCODING_F64LE: "f64le",
    pb.ENCODING_MULAW: "mulaw",
    pb.ENCODING_ALAW: "alaw",
}
TASKS: dict[int, Task] = {
    pb.TASK_UNSPECIFIED: "transcribe",
    pb.TASK_TRANSCRIBE: "transcribe",
    pb.TASK_TRANSLATE: "translate",
}
MAX_SILENCE_MS, MAX_PADDING_MS = 10_000.0, 2_000.0
MIN_SILENCE_MS = 32.0


class Mark(Enum):
    """What a client says between its sound."""

    COMMIT = "commit"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class LiveCall:
    """A session to open. `sniff`: how the sound is to be read stands at its front, if anywhere."""

    request: LiveRequest
    sniff: bool
    client: str = ""


def model_name(name: str) -> str:
    return "auto" if name.strip().lower() in MODEL_ALIASES else name.strip()


def recognize_request(message: pb.RecognizeRequest) -> TranscribeRequest:
    """Raises `InvalidValue` and `BadRawParameters`."""
    config = message.config
    return TranscribeRequest(
        model=model_name(config.model),
        language=parse_language(config.language),
        task=_task(config.task),
        prompt=config.prompt,
        hotwords=config.hotwords,
        words=config.words,
        preset=_preset(config.preset),
        temperature=_bounded("temperature", message.temperature, 0, MAX_TEMPERATURE)
        if message.HasField("temperature")
        else None,
        vad=message.vad if message.HasField("vad") else True,
        filters=config.filters if config.HasField("filters") else True,
        raw=raw_format(config.raw) if config.HasField("raw") else None,
    )


def live_call(message: pb.StreamingRecognizeRequest) -> LiveCall:
    """The first message. Raises `BadRequestBody`, `InvalidValue` and `BadRawParameters`."""
    if message.WhichOneof("request") != "config":
        raise BadRequestBody("the first message must be config.", hint="Sound comes after it.", param="config")
    streaming, config = message.config, message.config.config
    request = LiveRequest(
        model=model_name(config.model),
        language=parse_language(config.language),
        task=_task(config.task),
        prompt=config.prompt,
        hotwords=config.hotwords,
        words=config.words,
        preset=_preset(config.preset),
        filters=config.filters if config.HasField("filters") else True,
        partials=streaming.partials if streaming.HasField("partials") else True,
        turns=None if streaming.manual_turns else _turns(streaming.turns),
        raw=raw_format(config.raw) if config.HasField("raw") else PCM_16K,
    )
    return LiveCall(request, not config.HasField("raw"), streaming.client_label)


def said(message: pb.StreamingRecognizeRequest) -> bytes | Mark:
    """Any message but the first. Raises `BadRequestBody`."""
    kind = message.WhichOneof("request")
    if kind == "audio":
        return message.audio
    if kind == "commit":
        return Mark.COMMIT
    if kind == "clear":
        return Mark.CLEAR
    why = "config comes once, and first." if kind == "config" else "a message is empty."
    raise BadRequestBody(why, hint="Every other message is audio, commit or clear.", param=kind)


def raw_format(raw: pb.RawAudio) -> RawFormat:
    if raw.encoding not in ENCODINGS:
        raise InvalidValue("encoding", f"There is no encoding {raw.encoding}.")
    return RawFormat(raw.sample_rate_hz, raw.channels or 1, ENCODINGS[raw.encoding])


def _task(task: int) -> Task:
    if task not in TASKS:
        raise InvalidValue("task", f"There is no task {task}.")
    return TASKS[task]


def _preset(name: str) -> str:
    if name and name not in PRESETS:
        raise InvalidValue("preset", f"There is no preset {name[:40]!r}.", hint=f"One of: {', '.join(PRESETS)}.")
    return name


def _turns(turns: pb.Turns) -> TurnOptions:
    bounds = {
        "threshold": (0.01, 0.99),
        "silence_ms": (MIN_SILENCE_MS, MAX_SILENCE_MS),
        "padding_ms": (0.0, MAX_PADDING_MS),
    }
    given = {name: getattr(turns, name) for name in bounds if turns.HasField(name)}
    return TurnOptions(**{name: _bounded(name, value, *bounds[name]) for name, value in given.items()})


def _bounded(name: str, value: float, low: float, high: float) -> float:
    if not math.isfinite(value) or not low <= value <= high:
        raise InvalidValue(name, f"{name} is {low:g} to {high:g}.")
    return value
