"""What a client of `/v1/listen` asks: the parameters of its address, and its text messages.

Pure. The names are our own, and Deepgram's where they mean the same; parameters that are not known are ignored, known
ones with wrong values are an `InvalidValue`. Knows nothing of sockets.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from talkie.audio.formats import MAX_CHANNELS, MAX_RATE_HZ, MIN_RATE_HZ, RAW_SAMPLE_BYTES, RawFormat
from talkie.engines.base import PRESETS
from talkie.errors import InvalidValue
from talkie.runtime.requests import PCM_16K, LiveRequest, TurnOptions
from talkie.text.languages import parse_language
from talkie.wire.fields import FALSE, TRUE, Fields, model_name

ENCODINGS = {
    **{name: name for name in RAW_SAMPLE_BYTES},
    **dict.fromkeys(("pcm16", "pcm", "s16", "linear16", "pcm_s16le"), "s16le"),
    **dict.fromkeys(("f32", "float32", "linear32", "pcm_f32le"), "f32le"),
    **dict.fromkeys(("ulaw", "pcmu", "g711_ulaw"), "mulaw"),
    **dict.fromkeys(("pcma", "g711_alaw"), "alaw"),
}
TELEPHONE = ("mulaw", "alaw")
TELEPHONE_HZ = 8_000
MIN_PAUSE_MS, MAX_PAUSE_MS, MAX_PADDING_MS = 100, 10_000, 2_000
MIN_THRESHOLD, MAX_THRESHOLD = 0.01, 0.99
TASKS = ("transcribe", "translate")
MAX_COMMAND_CHARS = 4_096


class Command(Enum):
    """What a text message can say."""

    CLOSE = "close"
    COMMIT = "commit"
    CLEAR = "clear"
    KEEP_ALIVE = "keep_alive"


COMMANDS = {
    **{command.value: command for command in Command},
    "CloseStream": Command.CLOSE,
    "Finalize": Command.COMMIT,
    "KeepAlive": Command.KEEP_ALIVE,
}


@dataclass(frozen=True, slots=True)
class ListenCall:
    """What is asked of the service. `sniff`: no rate was named, so a WAV header may say how the sound is to be read."""

    request: LiveRequest
    sniff: bool = False


def parse_listen(pairs: Iterable[tuple[str, str]]) -> ListenCall:
    """The parameters of the address, in any order. Raises `InvalidValue` naming the parameter."""
    fields = Fields(pairs)
    request = LiveRequest(
        model=model_name(fields.text("model")),
        language=parse_language(fields.text("language")),
        task="translate" if fields.choice("task", TASKS, "transcribe") == "translate" else "transcribe",
        prompt=fields.text("prompt"),
        hotwords=_hotwords(fields),
        words=fields.flag("words", default=True),
        preset=fields.choice("preset", ("", *PRESETS), ""),
        filters=fields.flag("filters", default=True),
        partials=fields.flag("interim_results", default=True),
        turns=_turns(fields),
        raw=_raw(fields),
    )
    return ListenCall(request, sniff=not fields.text("sample_rate"))


def parse_command(text: str) -> Command:
    """A text message. Raises `InvalidValue`."""
    if len(text) > MAX_COMMAND_CHARS:
        raise _not_understood(f"A text message is longer than {MAX_COMMAND_CHARS} characters.")
    try:
        message: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise _not_understood("A text message is not JSON.") from None
    kind = message.get("type") if isinstance(message, dict) else None
    if not isinstance(kind, str):
        raise _not_understood("A text message has no type.")
    command = COMMANDS.get(kind)
    if command is None:
        raise _not_understood(f"There is no message of the type {kind[:40]!r}.")
    return command


def _not_understood(why: str) -> InvalidValue:
    names = ", ".join(command.value for command in Command)
    return InvalidValue("type", why, hint=f'Sound goes in binary messages; text is like {{"type": "close"}}: {names}.')


def _hotwords(fields: Fields) -> str:
    """Deepgram's `keyterm` and `keywords` come once a word, the second with a weight that nothing here can use."""
    words = [fields.text("hotwords"), *fields.all("keyterm")]
    words += [word.partition(":")[0] for word in fields.all("keywords")]
    return " ".join(word for word in words if word)


def _turns(fields: Fields) -> TurnOptions | None:
    """None: the client says itself where an utterance ends."""
    ends = fields.text("endpointing").lower()
    if not fields.flag("vad", default=True) or (ends in FALSE - {"", "0"}):
        return None
    default = TurnOptions()
    pause_ms = None if ends in TRUE - {"1"} else fields.number("endpointing", MIN_PAUSE_MS, MAX_PAUSE_MS)
    threshold = fields.number("vad_threshold", MIN_THRESHOLD, MAX_THRESHOLD)
    padding_ms = fields.number("vad_padding", 0.0, MAX_PADDING_MS)
    return TurnOptions(
        threshold=default.threshold if threshold is None else threshold,
        silence_ms=default.silence_ms if pause_ms is None else pause_ms,
        padding_ms=default.padding_ms if padding_ms is None else padding_ms,
    )


def _raw(fields: Fields) -> RawFormat:
    asked = fields.text("encoding").lower()
    encoding = ENCODINGS.get(asked, "") if asked else "s16le"
    if not encoding:
        raise InvalidValue(
            "encoding", f"encoding cannot be {asked[:40]!r}.", hint="One of: pcm16, f32, mulaw, alaw, u8, s24le, s32le."
        )
    default_hz = TELEPHONE_HZ if encoding in TELEPHONE else PCM_16K.sample_rate
    rate, channels = fields.integer("sample_rate"), fields.integer("channels")
    rate, channels = default_hz if rate is None else rate, 1 if channels is None else channels
    if not MIN_RATE_HZ <= rate <= MAX_RATE_HZ:
        raise InvalidValue("sample_rate", f"sample_rate is {MIN_RATE_HZ} to {MAX_RATE_HZ}.")
    if not 1 <= channels <= MAX_CHANNELS:
        raise InvalidValue("channels", f"channels is 1 to {MAX_CHANNELS}.")
    return RawFormat(rate, channels, encoding)
