"""Messages of `nvidia.riva.tts` to what Talkie understands, and back. Pure; needs the stubs of `talkie[riva]`.

A voice is `MODEL.VOICE` there, as stock clients put together what the configuration lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from riva.client.proto import riva_audio_pb2 as raudio
from riva.client.proto import riva_tts_pb2 as rtts

from talkie.audio.encoders import MAX_HZ, SpeechFormat
from talkie.audio.formats import RawFormat
from talkie.errors import InvalidValue, UnsupportedByModel
from talkie.runtime.speech import SpeakRequest, VoiceCard
from talkie.types import Mark
from talkie.wire.grpc_answers import plain
from talkie.wire.grpc_speech import MAX_NAME
from talkie.wire.riva import MANY_LANGUAGES, RAW_ENCODINGS
from talkie.wire.speech_fields import shown_language, spoken_language

FILE_FORMATS: dict[int, SpeechFormat] = {raudio.OGGOPUS: "opus", raudio.FLAC: "flac"}


@dataclass(frozen=True, slots=True)
class RivaSound:
    """How the audio of the answer looks: PCM of an `encoding`, or else a `file` format; `sample_rate` None: the
    voice's own."""

    sample_rate: int | None
    encoding: str = "s16le"
    file: SpeechFormat | None = None

    def raw(self, voice_rate: int) -> RawFormat:
        """Raises `BadRawParameters`."""
        return RawFormat(self.sample_rate or voice_rate, 1, self.encoding)


def sound(message: rtts.SynthesizeSpeechRequest) -> RivaSound:
    """Raises `InvalidValue` and `BadRawParameters`."""
    rate = message.sample_rate_hz or None
    wanted = RivaSound(rate, RAW_ENCODINGS.get(message.encoding, "s16le"), FILE_FORMATS.get(message.encoding))
    known = (raudio.ENCODING_UNSPECIFIED, *RAW_ENCODINGS, *FILE_FORMATS)
    if message.encoding not in known:
        raise InvalidValue("encoding", f"There is no encoding {message.encoding}.")
    if wanted.file and rate and rate > MAX_HZ:
        raise InvalidValue("sample_rate_hz", f"With this encoding sample_rate_hz is at most {MAX_HZ}.")
    wanted.raw(voice_rate=16_000)  # whatever is wrong with it is said before anything is spoken
    return wanted


def speak_request(message: rtts.SynthesizeSpeechRequest, cards: Sequence[VoiceCard], owner: str | None) -> SpeakRequest:
    """Raises `InvalidValue`, and `UnsupportedByModel` for a voice to be imitated on the spot."""
    if message.HasField("zero_shot_data"):
        raise UnsupportedByModel(
            "zero_shot_data",
            "A recording cannot come with the text.",
            hint="Make a voice of it once: POST /v1/audio/voices.",
        )
    name = message.voice_name.strip()
    if len(name) > MAX_NAME:
        raise InvalidValue("voice_name", f"voice_name has {len(name)} characters; {MAX_NAME} are the most.")
    model, voice, card = _voice(name, cards)
    return SpeakRequest(
        text=message.text,
        model=model,
        voice=voice,
        language=_language(message.language_code, card),
        align=message.enable_word_time_offsets,
        owner=owner,
    )


def warnings(message: rtts.SynthesizeSpeechRequest) -> tuple[str, ...]:
    """Codes for what was asked for and will not be there."""
    asked = {
        "custom_dictionary_ignored": bool(message.custom_dictionary),
        "custom_configuration_ignored": bool(message.custom_configuration),
    }
    return tuple(code for code, wanted in asked.items() if wanted)


def response(
    audio: bytes, asked: rtts.SynthesizeSpeechRequest, words: Iterable[rtts.WordTiming]
) -> rtts.SynthesizeSpeechResponse:
    meta = rtts.SynthesizeSpeechResponseMetadata(text=asked.text, words=words)
    return rtts.SynthesizeSpeechResponse(audio=audio, meta=meta, id=asked.id if asked.HasField("id") else None)


def words(asked: rtts.SynthesizeSpeechRequest, marks: Iterable[Mark], offset_s: float = 0.0) -> list[rtts.WordTiming]:
    """Those to be told, none where they were not asked for; their text began at `offset_s` of the answer."""
    return [_word(mark, offset_s) for mark in marks if mark.kind == "word"] if asked.enable_word_time_offsets else []


def config_response(cards: Iterable[VoiceCard], name: str) -> rtts.RivaSynthesisConfigResponse:
    """An entry for every language of a model, with its voices: clients join `voice_name` and a subvoice by a dot."""
    groups: dict[tuple[str, str], list[str]] = {}
    for card in cards:
        if name in ("", card.model):
            language = shown_language(card.languages[0]) if card.languages else MANY_LANGUAGES
            groups.setdefault((card.model, language), []).append(_subvoice(card))
    kind = rtts.RivaSynthesisConfigResponse
    return kind(model_config=[_config(kind, *key, voices) for key, voices in groups.items()])


def _config(
    kind: type[rtts.RivaSynthesisConfigResponse], model: str, language: str, voices: Sequence[str]
) -> rtts.RivaSynthesisConfigResponse.Config:
    parameters = {
        "type": "online",
        "language_code": language,
        "voice_name": model,
        "subvoices": ",".join(f"{voice}:{number}" for number, voice in enumerate(voices)),
        "streaming": "True",
    }
    return kind.Config(model_name=model, parameters=parameters)


def _subvoice(card: VoiceCard) -> str:
    return card.id.removeprefix(f"{card.model}/")


def _voice(name: str, cards: Sequence[VoiceCard]) -> tuple[str, str, VoiceCard | None]:
    """Model, voice and, where it is a listed one, its card. A voice that is not listed is the service's to judge."""
    for card in cards:
        if name and name in (card.id, f"{card.model}.{_subvoice(card)}"):
            return "auto", card.id, card
    for model in {card.model for card in cards}:
        if name == model:
            return model, "", None
        if name.startswith(f"{model}."):
            return model, name.removeprefix(f"{model}."), None
    return "auto", name, None


def _language(code: str, card: VoiceCard | None) -> str | None:
    """Clients send `en-US` with every text, whatever the voice: a voice that was named has its own language."""
    if code.strip().lower() == MANY_LANGUAGES:
        return None
    language = spoken_language(code)
    if card is None or language is None:
        return language
    own = {tag.lower().partition("-")[0] for tag in card.languages}
    return language if language.partition("-")[0] in own else None


def _word(mark: Mark, offset_s: float) -> rtts.WordTiming:
    """Times are whole milliseconds."""
    start_s, end_s = offset_s + mark.start_s, offset_s + mark.end_s
    return rtts.WordTiming(word=plain(mark.text), start_time=round(start_s * 1000), end_time=round(end_s * 1000))
