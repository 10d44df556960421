"""What a client of the realtime API may send: messages, and the settings of a session by both sets of names."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.beta.realtime import transcription_session_update
from openai.types.realtime import SessionUpdateEvent

from talkie.errors import InvalidValue
from talkie.runtime.requests import LiveRequest, TurnOptions
from talkie.wire.realtime import MAX_AUDIO_CHARS, Append, Clear, Commit, Update, command, read
from talkie.wire.realtime_session import LOGPROBS, SEGMENTS, WORDS, RealtimeSession
from talkie.wire.realtime_settings import update

NEW = RealtimeSession("sess_1")


def said(**message: Any) -> Any:
    return command(read(json.dumps(message)))


def request(**session: Any) -> LiveRequest:
    return update(NEW, session).request()


def sound_of(**fields: Any) -> dict[str, Any]:
    return {"type": "transcription", "audio": {"input": fields}}


def test_the_commands() -> None:
    sound = base64.b64encode(b"\0\1\2").decode()
    assert said(type="input_audio_buffer.append", audio=sound) == Append(b"\0\1\2")
    assert said(type="input_audio_buffer.commit", event_id="e") == Commit()
    assert said(type="input_audio_buffer.clear") == Clear()
    assert said(type="session.update", session=sound_of()) == Update(sound_of())


def test_the_older_update_in_both_forms_that_were_documented() -> None:
    older = {"input_audio_format": "pcm16"}
    wrapped = said(type="transcription_session.update", session=older)
    flat = said(type="transcription_session.update", **older)
    assert wrapped.older and flat.older and wrapped.answer == "transcription_session.updated"
    assert update(NEW, wrapped.session) == update(NEW, flat.session)
    assert said(type="session.update", session=older).older, "a session without a type is the first API's"
    assert not said(type="session.update", session=sound_of()).older


@pytest.mark.parametrize(
    ("message", "param"),
    [
        (b"\0\1", "message"),
        ("", "message"),
        ("{", "message"),
        ("[1]", "message"),
        ("[" * 100_000, "message"),
        ("[" * 10_000, "message"),
        ("[" + "{}," * 30_000 + "{}]", "message"),
        ('{"type": 5}', "type"),
        ("{}", "type"),
        ('{"type": "dance"}', "type"),
        ('{"type": "response.create"}', "type"),
        ('{"type": "session.update"}', "session"),
        ('{"type": "session.update", "session": {"type": "realtime"}}', "session.type"),
        ('{"type": "session.update", "session": {"type": 7}}', "session.type"),
        ('{"type": "input_audio_buffer.append"}', "audio"),
        ('{"type": "input_audio_buffer.append", "audio": 3}', "audio"),
        ('{"type": "input_audio_buffer.append", "audio": "AAA"}', "audio"),
        ('{"type": "input_audio_buffer.append", "audio": "AA A="}', "audio"),
        ('{"type": "input_audio_buffer.append", "audio": "\u00e4"}', "audio"),
        ('{"type": "input_audio_buffer.append", "audio": "' + "A" * (MAX_AUDIO_CHARS + 4) + '"}', "audio"),
        ('{"type": 1' + "0" * 5000 + "}", "message"),
    ],
)
def test_what_cannot_be_names_its_place(message: str | bytes, param: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        command(read(message))
    assert caught.value.param == param and caught.value.code == "invalid_value"


def test_the_clients_own_id_is_kept_at_a_length() -> None:
    assert read('{"type": "x", "event_id": "mine"}').event_id == "mine"
    assert read('{"type": "x", "event_id": 5}').event_id is None
    assert len(read(json.dumps({"event_id": "x" * 9999})).event_id or "") == 512


def test_what_is_usual() -> None:
    usual = NEW.request()
    assert (usual.model, usual.language, usual.words, usual.turns) == ("auto", None, False, TurnOptions())
    assert (usual.raw.sample_rate, usual.raw.encoding, usual.raw.channels) == (24_000, "s16le", 1)


@pytest.mark.parametrize(
    ("form", "rate", "encoding"),
    [
        ({"type": "audio/pcm", "rate": 24000}, 24_000, "s16le"),
        ({"type": "audio/pcm", "rate": 16000}, 16_000, "s16le"),
        ({"type": "audio/pcm"}, 24_000, "s16le"),
        ({"type": "audio/pcmu"}, 8_000, "mulaw"),
        ({"type": "audio/pcma"}, 8_000, "alaw"),
        ("pcm16", 24_000, "s16le"),
        (None, 24_000, "s16le"),
    ],
)
def test_formats(form: Any, rate: int, encoding: str) -> None:
    raw = request(**sound_of(format=form)).raw
    assert (raw.sample_rate, raw.encoding) == (rate, encoding)


@pytest.mark.parametrize(("name", "encoding"), [("pcm16", "s16le"), ("g711_ulaw", "mulaw"), ("g711_alaw", "alaw")])
def test_older_formats(name: str, encoding: str) -> None:
    assert request(input_audio_format=name).raw.encoding == encoding
    assert update(NEW, {"input_audio_format": name}).older_view()["input_audio_format"] == name


def test_how_it_is_to_be_heard() -> None:
    wishes = {"model": "whisper-base", "language": "de-DE", "prompt": " Dr. Specht ", "keywords": ["Kea", " ", "Tui"]}
    for asked in (request(**sound_of(transcription=wishes)), request(input_audio_transcription=wishes)):
        assert (asked.model, asked.language, asked.prompt) == ("whisper-base", "de", "Dr. Specht")
        assert asked.hotwords == "Kea, Tui"
    assert request(**sound_of(transcription={"languages": ["en", "de"]})).language is None
    assert request(**sound_of(transcription={"languages": ["de"]})).language == "de"
    assert request(**sound_of(transcription={"language": ""})).language is None
    assert request(**sound_of(transcription={"prompt": "\ud800"})).prompt == "?"


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("whisper-1", "auto"),
        ("gpt-4o-transcribe", "auto"),
        ("gpt-4o-mini-transcribe-2025-12-15", "auto"),
        ("gpt-realtime-whisper", "auto"),
        ("gpt-realtime", "auto"),
        ("", "auto"),
        ("whisper-base", "whisper-base"),
        ("gpt-4o-transcribe-diarize", "gpt-4o-transcribe-diarize"),
    ],
)
def test_models_by_the_names_clients_know(name: str, model: str) -> None:
    assert RealtimeSession("sess_1", model=name).request().model == model


@pytest.mark.parametrize(
    ("turns", "options"),
    [
        ({"type": "server_vad"}, TurnOptions()),
        ({}, TurnOptions()),
        ({"type": "server_vad", "threshold": 0.7, "silence_duration_ms": 200}, TurnOptions(0.7, 200.0, 300.0)),
        ({"type": "server_vad", "prefix_padding_ms": 100, "create_response": False}, TurnOptions(0.5, 500.0, 100.0)),
        ({"threshold": 0, "silence_duration_ms": 0, "prefix_padding_ms": 0}, TurnOptions(0.01, 32.0, 0.0)),
        ({"threshold": 1}, TurnOptions(0.99)),
        ({"type": "semantic_vad"}, TurnOptions(silence_ms=1000.0)),
        ({"type": "semantic_vad", "eagerness": "high"}, TurnOptions(silence_ms=500.0)),
        ({"type": "semantic_vad", "eagerness": "low"}, TurnOptions(silence_ms=2000.0)),
        ({"type": "none"}, None),
        (None, None),
    ],
)
def test_turn_detection(turns: Any, options: TurnOptions | None) -> None:
    assert request(**sound_of(turn_detection=turns)).turns == options
    assert request(turn_detection=turns).turns == options


def test_an_update_leaves_the_rest_as_it_is() -> None:
    first = update(NEW, sound_of(transcription={"model": "m", "language": "de"}, turn_detection=None))
    then = update(first, sound_of(transcription={"prompt": "p"}))
    assert (then.model, then.language, then.prompt, then.turns) == ("m", "de", "p", None)
    assert update(then, {"type": "transcription"}) == then == update(then, {"audio": None}) == update(then, {})
    assert update(then, sound_of(transcription=None)).language is None


def test_what_is_included() -> None:
    asked = update(NEW, {"include": [LOGPROBS, "something.else", WORDS, SEGMENTS]})
    assert asked.include == (LOGPROBS, WORDS, SEGMENTS) and asked.request().words
    assert not update(NEW, {"include": [SEGMENTS]}).request().words
    assert update(asked, {"include": None}).include == ()


@pytest.mark.parametrize(
    ("session", "param"),
    [
        ({"audio": 5}, "session.audio"),
        ({"audio": {"input": []}}, "session.audio.input"),
        (sound_of(format=5), "session.audio.input.format"),
        (sound_of(format={"type": "audio/mp3"}), "session.audio.input.format"),
        (sound_of(format={"type": "audio/pcm", "rate": 5}), "session.audio.input.format.rate"),
        (sound_of(format={"type": "audio/pcm", "rate": True}), "session.audio.input.format.rate"),
        (sound_of(format={"type": "audio/pcm", "rate": float("nan")}), "session.audio.input.format.rate"),
        (sound_of(format={"type": "audio/pcmu", "rate": 16000}), "session.audio.input.format.rate"),
        (sound_of(transcription=[]), "session.audio.input.transcription"),
        (sound_of(transcription={"language": "klingon"}), "session.audio.input.transcription.language"),
        (sound_of(transcription={"model": 4}), "session.audio.input.transcription.model"),
        (sound_of(transcription={"prompt": "x" * 10_001}), "session.audio.input.transcription.prompt"),
        (sound_of(transcription={"keywords": ["x" * 10_001]}), "session.audio.input.transcription.keywords"),
        (sound_of(transcription={"keywords": [5]}), "session.audio.input.transcription.keywords"),
        (sound_of(turn_detection="server_vad"), "session.audio.input.turn_detection"),
        (sound_of(turn_detection={"type": "psychic"}), "session.audio.input.turn_detection.type"),
        (sound_of(turn_detection={"threshold": 2}), "session.audio.input.turn_detection.threshold"),
        (
            sound_of(turn_detection={"silence_duration_ms": 10**400}),
            "session.audio.input.turn_detection.silence_duration_ms",
        ),
        (
            sound_of(turn_detection={"type": "semantic_vad", "eagerness": "wild"}),
            "session.audio.input.turn_detection.eagerness",
        ),
        ({"input_audio_format": "mp3"}, "session.input_audio_format"),
        ({"input_audio_transcription": {"language": "klingon"}}, "session.input_audio_transcription.language"),
        ({"turn_detection": {"prefix_padding_ms": -1}}, "session.turn_detection.prefix_padding_ms"),
        ({"include": "everything"}, "session.include"),
    ],
)
def test_wrong_settings_name_their_place(session: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        update(NEW, session)
    assert caught.value.param == param


def test_what_is_shown_can_be_sent_back() -> None:
    """A client that returns what it was shown changes nothing."""
    wishes = {"model": "m", "language": "de", "prompt": "p", "keywords": ["k"]}
    for turns in (None, {"type": "semantic_vad", "eagerness": "low"}, {"type": "server_vad", "threshold": 0.3}):
        made = update(NEW, {**sound_of(transcription=wishes, turn_detection=turns), "include": [LOGPROBS]})
        assert update(made, made.view()) == made == update(made, made.older_view())
        SessionUpdateEvent.model_validate({"type": "session.update", "session": made.view()}, strict=True)
        older = {"type": "transcription_session.update", "session": {**made.older_view(), "client_secret": None}}
        older["session"]["input_audio_transcription"]["model"] = "whisper-1"  # the package lists OpenAI's own only
        transcription_session_update.TranscriptionSessionUpdate.model_validate(older, strict=True)


NAMES = [
    "type",
    "session",
    "audio",
    "input",
    "format",
    "rate",
    "transcription",
    "model",
    "language",
    "prompt",
    "keywords",
    "turn_detection",
    "threshold",
    "eagerness",
    "include",
    "input_audio_format",
    "event_id",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(NAMES) | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
KINDS = ["session.update", "transcription_session.update", "input_audio_buffer.append", "input_audio_buffer.commit"]


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(["session", "audio", "event_id", "input_audio_format"]), JSON), st.data())
def test_any_json_is_a_command_or_an_error_of_ours(message: dict[str, Any], data: Any) -> None:
    message["type"] = data.draw(st.sampled_from(KINDS))
    try:
        wanted = command(read(json.dumps(message)))
        if isinstance(wanted, Update):
            update(NEW, wanted.session).request()
    except InvalidValue as error:
        assert error.message and error.param


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=200))
def test_any_message_is_a_command_or_an_error_of_ours(message: str | bytes) -> None:
    with pytest.raises(InvalidValue):
        command(read(message))
