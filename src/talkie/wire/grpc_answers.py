"""What Talkie heard to messages of `talkie.v1`. Pure; the contract is `protos/talkie/v1/talkie.proto`."""

from __future__ import annotations

import math
from collections.abc import Iterable

from talkie.types import (
    Dropped,
    LiveEvent,
    LiveFinal,
    LivePartial,
    Notice,
    Segment,
    SpeechStarted,
    SpeechStopped,
    Transcript,
    Word,
)
from talkie.wire.openai import ModelEntry
from talkie.wire.protos.talkie.v1 import talkie_pb2 as pb


def recognize_response(heard: Transcript) -> pb.RecognizeResponse:
    return pb.RecognizeResponse(transcript=transcript(heard))


def transcript(heard: Transcript) -> pb.Transcript:
    return pb.Transcript(
        text=plain(heard.text),
        language=heard.language,
        language_probability=_finite(heard.language_probability),
        duration_s=_time(heard.duration_s),
        model=heard.model,
        task=pb.TASK_TRANSLATE if heard.task == "translate" else pb.TASK_TRANSCRIBE,
        segments=[_segment(item) for item in heard.segments],
        notices=[_notice(item) for item in heard.notices],
        dropped=[_dropped(item) for item in heard.dropped],
    )


def models_response(entries: Iterable[ModelEntry]) -> pb.ListModelsResponse:
    return pb.ListModelsResponse(models=[_model(entry) for entry in entries])


def ready(session_id: str) -> pb.StreamingRecognizeResponse:
    return pb.StreamingRecognizeResponse(ready=pb.Ready(session_id=session_id))


def live_event(event: LiveEvent) -> pb.StreamingRecognizeResponse:
    """Every event has its message."""
    answer = pb.StreamingRecognizeResponse
    if isinstance(event, SpeechStarted):
        return answer(speech_started=pb.SpeechStarted(utterance=event.utterance, at_s=_time(event.at_s)))
    if isinstance(event, SpeechStopped):
        stopped = pb.SpeechStopped(utterance=event.utterance, at_s=_time(event.at_s), by_client=event.by_client)
        return answer(speech_stopped=stopped)
    if isinstance(event, LivePartial):
        return answer(partial=_partial(event))
    if isinstance(event, LiveFinal):
        return answer(final=_final(event))
    return answer(notice=_notice(event.notice))


def plain(text: str) -> str:
    """Protobuf's strings are UTF-8; half a surrogate pair, which an engine might make, is not."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _partial(event: LivePartial) -> pb.Partial:
    return pb.Partial(
        utterance=event.utterance,
        start_s=_time(event.start_s),
        end_s=_time(event.end_s),
        committed=plain(event.committed),
        tentative=plain(event.tentative),
        language=event.language,
    )


def _final(event: LiveFinal) -> pb.Final:
    return pb.Final(
        utterance=event.utterance,
        start_s=_time(event.span.start_s),
        end_s=_time(event.span.end_s),
        transcript=transcript(event.transcript),
    )


def _model(entry: ModelEntry) -> pb.Model:
    return pb.Model(
        id=entry.id,
        engine=entry.engine,
        languages=entry.languages,
        size_bytes=entry.size_bytes,
        loaded=entry.loaded,
        kind=entry.kind,
    )


def _segment(item: Segment) -> pb.Segment:
    return pb.Segment(
        text=plain(item.text.strip()),
        start_s=_time(item.start_s),
        end_s=_time(item.end_s),
        words=[_word(word) for word in item.words],
        avg_logprob=_finite(item.avg_logprob),
        no_speech_prob=_finite(item.no_speech_prob),
        compression_ratio=_finite(item.compression_ratio),
        temperature=_finite(item.temperature),
    )


def _word(item: Word) -> pb.Word:
    return pb.Word(
        text=plain(item.text),
        start_s=_time(item.start_s),
        end_s=_time(item.end_s),
        probability=_finite(item.probability),
    )


def _notice(item: Notice) -> pb.Notice:
    return pb.Notice(code=item.code, message=plain(item.message))


def _dropped(item: Dropped) -> pb.Dropped:
    return pb.Dropped(segment=_segment(item.segment), reason=item.reason)


def _time(seconds: float) -> float:
    return round(_finite(seconds), 3)


def _finite(value: float) -> float:
    return float(value) if math.isfinite(value) else 0.0
