"""Messages of Riva, as its clients fill them in, to requests; and events to what its clients read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.audio.formats import RawFormat
from talkie.errors import BadRequestBody, InvalidValue, TalkieError
from talkie.types import LiveFinal, LivePartial, Segment, Span, SpeechStarted, SpeechStopped, Transcript, Word

pytest.importorskip("riva.client", reason="the extra talkie[riva] is not installed")

from riva.client.proto import riva_asr_pb2 as rasr
from riva.client.proto import riva_audio_pb2 as raudio

from talkie.wire import riva


def recording(audio: bytes = b"sound", **config: Any) -> rasr.RecognizeRequest:
    return rasr.RecognizeRequest(config=rasr.RecognitionConfig(**config), audio=audio)


def stream(interim: bool = True, **config: Any) -> rasr.StreamingRecognizeRequest:
    streaming = rasr.StreamingRecognitionConfig(config=rasr.RecognitionConfig(**config), interim_results=interim)
    return rasr.StreamingRecognizeRequest(streaming_config=streaming)


@pytest.mark.parametrize(
    ("audio", "config", "raw"),
    [
        (b"RIFF....WAVE", {}, None),
        (b"RIFF....WAVE", {"encoding": raudio.LINEAR_PCM, "sample_rate_hertz": 44_100}, None),
        (b"fLaC", {"encoding": raudio.FLAC}, None),
        (b"OggS", {"encoding": raudio.OGGOPUS}, None),
        (b"\0\0", {"encoding": raudio.LINEAR_PCM, "sample_rate_hertz": 8000}, RawFormat(8000)),
        (b"\0\0", {"sample_rate_hertz": 48_000, "audio_channel_count": 2}, RawFormat(48_000, 2)),
        (b"\0\0", {"encoding": raudio.MULAW, "sample_rate_hertz": 8000}, RawFormat(8000, 1, "mulaw")),
        (b"\0\0", {"encoding": raudio.ALAW}, RawFormat(16_000, 1, "alaw")),
        (b"", {}, RawFormat(16_000)),
    ],
)
def test_how_a_recording_is_read(audio: bytes, config: dict[str, Any], raw: RawFormat | None) -> None:
    assert riva.recognize_request(recording(audio, **config)).raw == raw


@pytest.mark.parametrize(("code", "language"), [("en-US", "en"), ("", None), ("multi", None), ("de", "de")])
def test_languages(code: str, language: str | None) -> None:
    assert riva.recognize_request(recording(language_code=code)).language == language
    assert riva.live_call(stream(language_code=code)).request.language == language


def test_a_stream_as_the_script_for_a_microphone_asks_for_it() -> None:
    boosted = [rasr.SpeechContext(phrases=["Talkie", " open door "], boost=20), rasr.SpeechContext(phrases=["x"])]
    call = riva.live_call(
        stream(
            encoding=raudio.LINEAR_PCM,
            sample_rate_hertz=44_100,
            audio_channel_count=1,
            speech_contexts=boosted,
            enable_word_time_offsets=True,
            max_alternatives=1,
            endpointing_config=rasr.EndpointingConfig(stop_history=800),
        )
    )
    assert call.sniff
    assert call.request.raw == RawFormat(44_100)
    assert call.request.hotwords == "Talkie, open door, x"
    assert call.request.words
    assert call.request.partials
    assert call.request.turns is not None
    assert call.request.turns.silence_ms == 800
    assert call.warnings == ()


def test_only_what_may_have_a_header_is_sniffed() -> None:
    assert riva.live_call(stream()).sniff
    assert not riva.live_call(stream(encoding=raudio.MULAW)).sniff
    assert not riva.live_call(stream(interim=False)).request.partials


@pytest.mark.parametrize("pause_ms", [-5, 0, 1, 10**6])
def test_a_pause_is_kept_within_bounds(pause_ms: int) -> None:
    config = rasr.EndpointingConfig(stop_history=pause_ms)
    turns = riva.live_call(stream(endpointing_config=config)).request.turns
    assert turns is not None
    assert 32 <= turns.silence_ms <= 10_000


@pytest.mark.parametrize(
    "config", [{"encoding": 99}, {"max_alternatives": -1}, {"max_alternatives": 10**6}, {"language_code": "klingon"}]
)
def test_a_wrong_value_is_refused(config: dict[str, Any]) -> None:
    for read in (lambda: riva.recognize_request(recording(**config)), lambda: riva.live_call(stream(**config))):
        with pytest.raises(InvalidValue):
            read()


def test_the_order_of_messages() -> None:
    with pytest.raises(BadRequestBody):
        riva.live_call(rasr.StreamingRecognizeRequest(audio_content=b"x"))
    with pytest.raises(BadRequestBody):
        riva.said(stream())
    assert riva.said(rasr.StreamingRecognizeRequest(audio_content=b"x")) == b"x"
    assert riva.said(rasr.StreamingRecognizeRequest()) == b""


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_an_error_of_ours(data: bytes) -> None:
    for kind, read in (
        (rasr.RecognizeRequest, riva.recognize_request),
        (rasr.StreamingRecognizeRequest, riva.live_call),
    ):
        try:
            message = kind.FromString(data)
        except Exception as error:
            assert type(error).__name__ == "DecodeError"
            continue
        try:
            read(message)
        except TalkieError as error:
            assert error.code


def heard() -> Transcript:
    words = (Word("good", 1.0004, 1.2, 0.8), Word("bye", 1.2, 1.4567, 0.6))
    return Transcript((Segment(" good bye", 1.0, 1.5, words), Segment(" ", 1.5, 1.6), Segment("now", 2.0, 2.5)), "en")


def test_times_of_words_are_whole_milliseconds() -> None:
    event = LiveFinal(0, Span(1.0, 2.5), heard())
    message = riva.live_response(event, words=True)
    assert message is not None
    (alternative,) = message.results[0].alternatives
    assert alternative.transcript == "good bye now "
    assert [(w.word, w.start_time, w.end_time) for w in alternative.words] == [
        ("good", 1000, 1200),
        ("bye", 1200, 1457),
    ]
    assert alternative.confidence == pytest.approx(0.7)
    assert message.results[0].is_final
    without = riva.live_response(event, words=False)
    assert without is not None
    assert not without.results[0].alternatives[0].words


def test_interim_results_grow_more_stable() -> None:
    stable = []
    for committed, tentative in (("", "good"), ("good", "bye"), ("good bye", "")):
        message = riva.live_response(LivePartial(0, 0.0, 1.0, committed, tentative, "en"), words=True)
        assert message is not None
        assert not message.results[0].is_final
        stable.append(message.results[0].stability)
    assert stable == sorted(stable)
    assert stable[0] == pytest.approx(0.1)
    assert stable[-1] == pytest.approx(0.9)


@pytest.mark.parametrize(
    "event",
    [
        SpeechStarted(0, 0.0),
        SpeechStopped(0, 1.0),
        LivePartial(0, 0.0, 1.0, ""),
        LiveFinal(0, Span(0, 1), Transcript()),
    ],
)
def test_what_riva_has_no_words_for(event: Any) -> None:
    assert riva.live_response(event, words=True) is None


def test_a_recording_is_a_result_for_each_segment() -> None:
    asked = recording(enable_word_time_offsets=True)
    asked.id.value = "mine"
    response = riva.recognize_response(heard(), asked)
    assert [result.alternatives[0].transcript for result in response.results] == ["good bye ", "now "]
    assert response.id.value == "mine"
    assert not riva.recognize_response(Transcript(), recording()).results


def test_what_is_asked_for_in_vain_is_told() -> None:
    config = rasr.RecognitionConfig(profanity_filter=True, enable_separate_recognition_per_channel=True)
    config.diarization_config.enable_speaker_diarization = True
    config.custom_configuration["a"] = "b"
    assert riva.warnings(config) == (
        "profanity_filter_ignored",
        "diarization_ignored",
        "separate_channels_ignored",
        "custom_configuration_ignored",
    )
