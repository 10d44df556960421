"""The body of a call for speech, as real clients send it, and the events of its answer, read back by our own client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.errors import BadRequestBody, InvalidValue, TalkieError
from talkie.types import Mark
from talkie.wire import answers, speech_answers
from talkie.wire.speech import audio_event, marks_event, parse_speech, spoken_event

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
KNOWN = ("input", "model", "voice", "response_format", "speed", "instructions", "stream_format", "language", "ssml",
         "visemes", "align", "cache")  # fmt: skip


def body(**fields: Any) -> bytes:
    return json.dumps({"input": "Hello.", **fields}).encode()


def test_a_text_alone_is_enough() -> None:
    call = parse_speech(body())
    assert (call.request.text, call.request.model, call.request.voice) == ("Hello.", "auto", "")
    assert (call.response_format, call.sse, call.request.speed, call.request.language) == ("mp3", False, 1.0, None)
    assert (call.request.cache, call.request.owner, call.request.align, call.request.ssml) == (None, None, False, False)


def test_everything_at_once() -> None:
    call = parse_speech(
        body(
            model="tts-1-hd", voice="nova", response_format="opus", speed=1.5, instructions="Softly.", ssml=True,
            stream_format="sse", language="en-GB", visemes=True, align=True, cache=False, safety_identifier="x",
        ),
        "my-key",
    )  # fmt: skip
    wanted = call.request
    assert (wanted.model, wanted.voice, wanted.speed, wanted.instructions) == ("tts-1-hd", "nova", 1.5, "Softly.")
    assert (wanted.language, wanted.ssml, wanted.visemes, wanted.align, wanted.cache) == (
        "en-gb", True, True, True, False)  # fmt: skip
    assert (call.response_format, call.sse, wanted.owner) == ("opus", True, "my-key")


def test_what_is_null_or_empty_counts_as_left_out() -> None:
    nothing = {name: None for name in KNOWN if name != "input"}
    empty = {name: "" for name in KNOWN if name != "input"}
    assert parse_speech(body(**nothing)) == parse_speech(body(**empty)) == parse_speech(body())


@pytest.mark.parametrize(
    ("voice", "name"), [("alloy", "alloy"), (" nova ", "nova"), ({"id": "voice_12"}, "voice_12"), ({}, "")]
)
def test_a_voice_by_name_or_by_id(voice: Any, name: str) -> None:
    assert parse_speech(body(voice=voice)).request.voice == name


@pytest.mark.parametrize(
    ("language", "tag"),
    [("en", "en"), ("en-US", "en-us"), ("en_GB", "en-gb"), ("English", "en"), ("auto", None), ("eo", "eo")],
)
def test_languages_as_people_write_them(language: str, tag: str | None) -> None:
    assert parse_speech(body(language=language)).request.language == tag


@pytest.mark.parametrize("value", ["true", 1, "yes", True])
def test_numbers_and_truths_may_come_as_text(value: Any) -> None:
    call = parse_speech(body(ssml=value, speed="2", response_format="WAV"))
    assert call.request.ssml and call.request.speed == 2.0 and call.response_format == "wav"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("input", None), ("input", 7), ("input", ["a"]), ("voice", 7), ("voice", ["alloy"]), ("voice", {"id": 7}),
        ("voice", "v" * 300), ("model", {"id": "x"}), ("model", "m" * 300), ("speed", 0.2), ("speed", 4.01),
        ("speed", "fast"), ("speed", True), ("speed", [1]), ("speed", 10**400), ("response_format", "ogg"),
        ("response_format", 1), ("stream_format", "websocket"), ("instructions", "x" * 10_001), ("ssml", "maybe"),
        ("ssml", [True]), ("language", "klingonish"), ("cache", 2.5),
    ],
)  # fmt: skip
def test_wrong_values_name_their_field(field: str, value: Any) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_speech(body(**{field: value}))
    assert caught.value.param == field and len(caught.value.message) < 200


@pytest.mark.parametrize(
    "data",
    [b"", b"input=Hello", b"[]", b'"Hello"', b"null", b'{"input": "a"', b'{"input": "\xff"}', b'{"speed": NaN}',
     b'{"speed": Infinity}', b"[" * 100_000, b'{"a":' * 100_000, b'{"speed": ' + b"9" * 10_000 + b"}"],
)  # fmt: skip
def test_what_is_no_json_object(data: bytes) -> None:
    with pytest.raises(BadRequestBody) as caught:
        parse_speech(data)
    assert "JSON" in caught.value.hint


def test_text_that_was_cut_in_the_midst_of_a_character() -> None:
    assert parse_speech(b'{"input": "ok \\ud83d"}').request.text == "ok �"
    assert parse_speech(b'{"input": "ok \\ud83d\\ude00"}').request.text == "ok \N{GRINNING FACE}"
    assert parse_speech('\ufeff{"input": "Grüße"}'.encode()).request.text == "Grüße"


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_a_call_or_an_error_of_ours(data: bytes) -> None:
    try:
        parse_speech(data)
    except TalkieError as error:
        assert error.message


@given(st.dictionaries(st.sampled_from(KNOWN), JSON, min_size=1))
def test_any_values_are_a_call_or_name_their_field(fields: dict[str, Any]) -> None:
    try:
        call = parse_speech(json.dumps({"input": "Hello.", **fields}).encode())
    except BadRequestBody:  # NaN, which JSON does not have
        return
    except InvalidValue as error:
        assert error.param in fields
        return
    call.request.text.encode()
    assert 0.25 <= call.request.speed <= 4.0


def told(*events: bytes) -> Iterator[dict[str, Any]]:
    return answers.events(b"".join(events).decode().splitlines())


def test_events_are_read_back() -> None:
    marks = (Mark("word", "hello", 0.0, 0.25), Mark("viseme", "A", 0.0, 0.125, estimated=True))
    late = (Mark("viseme", "X", 0.25, 0.5),)
    pcm = np.arange(-3, 5, dtype="<i2").tobytes()
    events = [marks_event(marks), audio_event(pcm[:5]), audio_event(pcm[5:]), marks_event(late), spoken_event(0.5)]
    first, second, last = speech_answers.chunks(told(*events), 24_000)
    assert first.marks == marks and second.marks == () and last.marks == late
    found = np.concatenate([first.samples, second.samples, last.samples])
    assert found.tolist() == (np.arange(-3, 5) / 32768).tolist()


def test_other_clients_find_what_openai_sends() -> None:
    delta, done = told(audio_event(b"abc"), spoken_event(1.25))
    assert delta == {"type": "speech.audio.delta", "audio": "YWJj"}
    assert done["type"] == "speech.audio.done"
    assert {"input_tokens", "output_tokens", "total_tokens"} <= set(done["usage"]) and done["usage"]["seconds"] == 1.25


@pytest.mark.parametrize(
    "events",
    [
        [],
        [{"type": "speech.audio.delta", "audio": "YWJj"}],
        [{"type": "speech.audio.delta", "audio": "not base64!"}],
        [{"type": "speech.audio.marks", "marks": "x"}],
        [{"type": "speech.audio.marks", "marks": [{"kind": "smell", "start": 0, "end": 1}]}],
        [{"type": "speech.audio.marks", "marks": [{"kind": "word", "start": "0", "end": 1}]}],
    ],
)
def test_streams_that_are_cut_or_wrong(events: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match=r"ended|base64|marks|mark|number|[Nn]on-base64|characters"):
        list(speech_answers.chunks(events, 24_000))


@pytest.mark.parametrize(
    "found",
    [
        {"voices": [{"id": "a", "name": "A"}, {"id": "b"}]},
        {"object": "list", "data": [{"id": "a", "name": "A"}, {"id": "b"}]},
        [{"id": "a", "name": "A"}, "b"],
    ],
)
def test_lists_of_voices_in_every_shape_that_servers_give(found: Any) -> None:
    assert [(item["id"], item["name"]) for item in speech_answers.voices(found)] == [("a", "A"), ("b", "b")]


@pytest.mark.parametrize("found", [{}, 7, {"voices": 7}, {"voices": [7]}, {"voices": [{"name": "a"}]}])
def test_lists_that_are_none(found: Any) -> None:
    with pytest.raises(ValueError, match="voice"):
        speech_answers.voices(found)
