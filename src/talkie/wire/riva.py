"""Messages of `nvidia.riva.asr` to what Talkie understands, and back. Pure; needs the stubs of `talkie[riva]`.

Wishes that Talkie has no part for (a profanity filter, speakers) do not cost the transcript: their codes are told.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from riva.client.proto import riva_asr_pb2 as rasr
from riva.client.proto import riva_audio_pb2 as raudio

from talkie.audio.formats import RawFormat
from talkie.errors import BadRequestBody, InvalidValue
from talkie.runtime.requests import PCM_16K, LiveRequest, TranscribeRequest, TurnOptions
from talkie.text.languages import parse_language
from talkie.types import LiveEvent, LiveFinal, LivePartial, Segment, Transcript, Word
from talkie.wire.grpc_answers import plain
from talkie.wire.grpc_requests import MAX_SILENCE_MS, MIN_SILENCE_MS, model_name
from talkie.wire.openai import ModelEntry

RAW_ENCODINGS: dict[int, str] = {raudio.LINEAR_PCM: "s16le", raudio.MULAW: "mulaw", raudio.ALAW: "alaw"}
FILE_ENCODINGS = frozenset({raudio.FLAC, raudio.OGGOPUS})
MAGIC = (b"RIFF", b"RIFX", b"RF64", b"fLaC", b"OggS", b"\x1a\x45\xdf\xa3")
"""How a recording begins that says itself what it is."""
MANY_LANGUAGES = "multi"
STABLE, UNSTABLE = 0.9, 0.1
"""Stability of an interim result whose words are all committed, and of one that has none."""
MAX_ALTERNATIVES = 100


@dataclass(frozen=True, slots=True)
class RivaCall:
    """A session to open. `sniff`: the sound may begin with a WAV header, which then says how to read it."""

    request: LiveRequest
    sniff: bool
    warnings: tuple[str, ...] = ()


def recognize_request(message: rasr.RecognizeRequest) -> TranscribeRequest:
    """Raises `InvalidValue` and `BadRawParameters`."""
    config = message.config
    _check(config)
    raw = None if config.encoding in FILE_ENCODINGS or message.audio.startswith(MAGIC) else _raw(config)
    return TranscribeRequest(
        model=model_name(config.model),
        language=_language(config.language_code),
        hotwords=_hotwords(config),
        words=config.enable_word_time_offsets,
        raw=raw,
    )


def live_call(message: rasr.StreamingRecognizeRequest) -> RivaCall:
    """The first message. Raises `BadRequestBody`, `InvalidValue` and `BadRawParameters`."""
    if message.WhichOneof("streaming_request") != "streaming_config":
        raise BadRequestBody(
            "the first message must be streaming_config.", hint="Sound comes after it.", param="streaming_config"
        )
    streaming, config = message.streaming_config, message.streaming_config.config
    _check(config)
    if config.encoding in FILE_ENCODINGS:
        raise InvalidValue(
            "encoding", "FLAC and Opus are heard by Recognize only.", hint="Stream LINEAR_PCM, MULAW or ALAW."
        )
    request = LiveRequest(
        model=model_name(config.model),
        language=_language(config.language_code),
        hotwords=_hotwords(config),
        words=config.enable_word_time_offsets,
        partials=streaming.interim_results,
        turns=_turns(config),
        raw=_raw(config),
    )
    return RivaCall(request, config.encoding in (raudio.ENCODING_UNSPECIFIED, raudio.LINEAR_PCM), warnings(config))


def said(message: rasr.StreamingRecognizeRequest) -> bytes:
    """Any message but the first. Raises `BadRequestBody`."""
    if message.WhichOneof("streaming_request") == "streaming_config":
        raise BadRequestBody("streaming_config comes once, and first.", param="streaming_config")
    return bytes(message.audio_content)


def warnings(config: rasr.RecognitionConfig) -> tuple[str, ...]:
    """Codes for what was asked for and will not be there."""
    asked = {
        "profanity_filter_ignored": config.profanity_filter,
        "diarization_ignored": config.diarization_config.enable_speaker_diarization,
        "separate_channels_ignored": config.enable_separate_recognition_per_channel,
        "custom_configuration_ignored": bool(config.custom_configuration),
    }
    return tuple(code for code, wanted in asked.items() if wanted)


def recognize_response(heard: Transcript, asked: rasr.RecognizeRequest) -> rasr.RecognizeResponse:
    """A result for each segment, as Riva gives one for each utterance."""
    words = asked.config.enable_word_time_offsets
    results = [
        rasr.SpeechRecognitionResult(
            alternatives=[_alternative([segment], heard.language, words)],
            channel_tag=1,
            audio_processed=segment.end_s,
        )
        for segment in heard.segments
        if segment.text.strip()
    ]
    return rasr.RecognizeResponse(results=results, id=asked.id if asked.HasField("id") else None)


def live_response(event: LiveEvent, *, words: bool) -> rasr.StreamingRecognizeResponse | None:
    """Riva tells of words only: no response for an utterance's beginning or end, nor for one without words."""
    if isinstance(event, LivePartial) and event.text:
        result = rasr.StreamingRecognitionResult(
            alternatives=[
                rasr.SpeechRecognitionAlternative(
                    transcript=plain(event.text), language_code=_languages(event.language)
                )
            ],
            stability=_stability(event),
            channel_tag=1,
            audio_processed=event.end_s,
        )
    elif isinstance(event, LiveFinal) and event.transcript.text:
        heard = event.transcript
        result = rasr.StreamingRecognitionResult(
            alternatives=[_alternative(heard.segments, heard.language, words)],
            is_final=True,
            stability=1.0,
            channel_tag=1,
            audio_processed=event.span.end_s,
        )
    else:
        return None
    return rasr.StreamingRecognizeResponse(results=[result])


def config_response(entries: Iterable[ModelEntry], name: str) -> rasr.RivaSpeechRecognitionConfigResponse:
    """Each model twice, for streams and for recordings: clients look for the `type` that they want."""
    kind = rasr.RivaSpeechRecognitionConfigResponse
    configs = [
        kind.Config(
            model_name=entry.id,
            parameters={
                "type": way,
                "language_code": entry.languages[0] if len(entry.languages) == 1 else MANY_LANGUAGES,
                "streaming": str(way == "online"),
            },
        )
        for entry in entries
        if name in ("", entry.id) and entry.kind == "recognizer"
        for way in ("online", "offline")
    ]
    return kind(model_config=configs)


def _check(config: rasr.RecognitionConfig) -> None:
    known = (raudio.ENCODING_UNSPECIFIED, *RAW_ENCODINGS, *FILE_ENCODINGS)
    if config.encoding not in known:
        raise InvalidValue("encoding", f"There is no encoding {config.encoding}.")
    if not 0 <= config.max_alternatives <= MAX_ALTERNATIVES:
        raise InvalidValue("max_alternatives", f"max_alternatives is 0 to {MAX_ALTERNATIVES}.")


def _raw(config: rasr.RecognitionConfig) -> RawFormat:
    """No rate may mean that a header will say it, and 16 kHz otherwise."""
    rate = config.sample_rate_hertz or PCM_16K.sample_rate
    return RawFormat(rate, config.audio_channel_count or 1, RAW_ENCODINGS.get(config.encoding, "s16le"))


def _language(code: str) -> str | None:
    return None if code.strip().lower() == MANY_LANGUAGES else parse_language(code)


def _hotwords(config: rasr.RecognitionConfig) -> str:
    return ", ".join(phrase.strip() for context in config.speech_contexts for phrase in context.phrases)


def _turns(config: rasr.RecognitionConfig) -> TurnOptions:
    """The pause that ends an utterance, of Riva's end-pointing; its thresholds are of another model's frames."""
    given = config.endpointing_config
    pause_ms = given.stop_history_eou or given.stop_history
    if pause_ms <= 0:
        return TurnOptions()
    return TurnOptions(silence_ms=min(max(float(pause_ms), MIN_SILENCE_MS), MAX_SILENCE_MS))


def _alternative(segments: Iterable[Segment], language: str, words: bool) -> rasr.SpeechRecognitionAlternative:
    """Clients join transcripts as they are, so each ends with a space, as Riva's do."""
    heard = [segment for segment in segments if segment.text.strip()]
    return rasr.SpeechRecognitionAlternative(
        transcript=plain(" ".join(segment.text.strip() for segment in heard) + " "),
        confidence=_confidence(heard),
        words=[_word(word, language) for segment in heard for word in segment.words] if words else [],
        language_code=_languages(language),
    )


def _word(word: Word, language: str) -> rasr.WordInfo:
    """Times are whole milliseconds."""
    return rasr.WordInfo(
        start_time=round(word.start_s * 1000),
        end_time=round(word.end_s * 1000),
        word=plain(word.text),
        confidence=word.probability if math.isfinite(word.probability) else 0.0,
        language_code=language,
    )


def _confidence(segments: list[Segment]) -> float:
    """The mean probability of words, where there are any, else of tokens."""
    words = [word.probability for segment in segments for word in segment.words]
    of_tokens = [math.exp(min(segment.avg_logprob, 0.0)) for segment in segments]
    values = [value for value in words or of_tokens if math.isfinite(value)]
    return sum(values) / len(values) if values else 0.0


def _stability(event: LivePartial) -> float:
    """Between `UNSTABLE` and `STABLE`, by the share of the text that is committed."""
    share = len(event.committed) / max(1, len(event.text))
    return UNSTABLE + (STABLE - UNSTABLE) * min(1.0, share)


def _languages(language: str) -> list[str]:
    return [language] if language else []
