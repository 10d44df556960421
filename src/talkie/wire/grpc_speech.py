"""Speech in messages of `talkie.v1`: requests to what Talkie understands, sound and marks back. Pure.

The contract is `protos/talkie/v1/talkie.proto`. Half of a character pair, which only our own side could make, is sent
as one that is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from talkie.audio.formats import RawFormat
from talkie.errors import BadRequestBody, InvalidValue
from talkie.runtime.speech import SpeakRequest
from talkie.types import Mark, MarkKind
from talkie.wire.grpc_answers import plain
from talkie.wire.grpc_requests import ENCODINGS
from talkie.wire.protos.talkie.v1 import talkie_pb2 as pb
from talkie.wire.speech_fields import spoken_language, spoken_speed

KINDS: dict[MarkKind, pb.Mark.Kind] = {
    "word": pb.Mark.KIND_WORD,
    "phoneme": pb.Mark.KIND_PHONEME,
    "viseme": pb.Mark.KIND_VISEME,
}
CODES = {name: pb.Encoding.Name(number) for number, name in ENCODINGS.items() if number}
MAX_NAME, MAX_INSTRUCTIONS = 256, 10_000
MAX_GENERATION = 2**32 - 1


class Sign(Enum):
    """What a client says between its text."""

    END = "end"
    INTERRUPT = "interrupt"


@dataclass(frozen=True, slots=True)
class SpeechCall:
    """What is to be spoken, and as what kind of PCM; its `sample_rate` None: the voice's own."""

    request: SpeakRequest
    encoding: str = "s16le"
    channels: int = 1
    sample_rate: int | None = None

    def raw(self, voice_rate: int) -> RawFormat:
        """Raises `BadRawParameters`."""
        return RawFormat(self.sample_rate or voice_rate, self.channels, self.encoding)


def speak_request(message: pb.SynthesizeRequest | pb.AnimateRequest, owner: str | None) -> SpeakRequest:
    """What both say of a text. Raises `InvalidValue`."""
    return SpeakRequest(
        text=message.text,
        model=short("model", message.model) or "auto",
        voice=short("voice", message.voice),
        language=spoken_language(message.language),
        speed=spoken_speed(message.speed),
        ssml=message.ssml,
        instructions=short("instructions", message.instructions, MAX_INSTRUCTIONS),
        cache=message.cache if message.HasField("cache") else None,
        generation=message.generation,
        owner=owner,
    )


def speech_call(message: pb.SynthesizeRequest, owner: str | None) -> SpeechCall:
    """Raises `InvalidValue` and `BadRawParameters`."""
    request = replace(speak_request(message, owner), visemes=message.visemes, align=message.align)
    if message.raw.encoding not in ENCODINGS:
        raise InvalidValue("encoding", f"There is no encoding {message.raw.encoding}.")
    call = SpeechCall(
        request, ENCODINGS[message.raw.encoding], message.raw.channels or 1, message.raw.sample_rate_hz or None
    )
    call.raw(voice_rate=16_000)  # whatever is wrong with it is said before anything is spoken
    return call


def streaming_call(message: pb.StreamingSynthesizeRequest, owner: str | None) -> SpeechCall:
    """The first message. Raises `BadRequestBody` and what `speech_call` raises."""
    if message.WhichOneof("request") != "config":
        raise BadRequestBody("the first message must be config.", hint="Text comes after it.", param="config")
    if message.config.text:
        raise InvalidValue("text", "config has no text here.", hint="Send it in the messages that follow.")
    if message.config.ssml:
        raise InvalidValue("ssml", "SSML is spoken whole, and not while it is being written.", hint="Use Synthesize.")
    return speech_call(message.config, owner)


def written(message: pb.StreamingSynthesizeRequest) -> str | Sign:
    """Any message but the first. Raises `BadRequestBody`."""
    kind = message.WhichOneof("request")
    if kind == "text":
        return message.text
    if kind == "end":
        return Sign.END
    if kind == "interrupt":
        return Sign.INTERRUPT
    why = "config comes once, and first." if kind == "config" else "a message is empty."
    raise BadRequestBody(why, hint="Every other message is text, end or interrupt.", param=kind)


def raw_audio(raw: RawFormat) -> pb.RawAudio:
    return pb.RawAudio(encoding=CODES[raw.encoding], sample_rate_hz=raw.sample_rate, channels=raw.channels)


def mark(item: Mark) -> pb.Mark:
    return pb.Mark(
        kind=KINDS[item.kind],
        text=plain(item.text),
        start_s=round(item.start_s, 4),
        end_s=round(item.end_s, 4),
        estimated=item.estimated,
    )


def short(name: str, value: str, limit: int = MAX_NAME) -> str:
    if len(value) > limit:
        raise InvalidValue(name, f"{name} has {len(value)} characters; {limit} are the most.")
    return value.strip()
