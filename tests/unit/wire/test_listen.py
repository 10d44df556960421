"""What `/v1/listen` is asked and what it tells, without a socket."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.audio.formats import RawFormat
from talkie.errors import InvalidValue, SlowReader
from talkie.runtime.requests import LiveRequest, TurnOptions
from talkie.transports.http.errors import words_of
from talkie.types import (
    LiveEvent,
    LiveFinal,
    LiveNotice,
    LivePartial,
    Notice,
    Segment,
    Span,
    SpeechStarted,
    SpeechStopped,
    Transcript,
    Word,
)
from talkie.wire import listen_events as told
from talkie.wire.listen import Command, parse_command, parse_listen


def asked(**parameters: str) -> LiveRequest:
    return parse_listen(parameters.items()).request


def test_nothing_named_is_16_khz_and_may_be_a_wav() -> None:
    call = parse_listen([])
    assert call.request == LiveRequest() and call.sniff


def test_every_parameter_arrives() -> None:
    call = parse_listen(
        {
            "sample_rate": "44100",
            "encoding": "f32",
            "channels": "2",
            "model": "whisper-base",
            "language": "en-US",
            "task": "translate",
            "prompt": "Mr Jones",
            "hotwords": "Talkie",
            "interim_results": "false",
            "words": "0",
            "filters": "false",
            "preset": "fast",
            "endpointing": "800",
            "vad_threshold": "0.7",
            "vad_padding": "100",
            "unknown": "x",
        }.items()
    )
    assert call.request == LiveRequest(
        "whisper-base",
        "en",
        "translate",
        "Mr Jones",
        "Talkie",
        words=False,
        preset="fast",
        filters=False,
        partials=False,
        turns=TurnOptions(0.7, 800.0, 100.0),
        raw=RawFormat(44_100, 2, "f32le"),
    )
    assert not call.sniff


@pytest.mark.parametrize(
    ("encoding", "raw"),
    [
        ("pcm16", RawFormat(16_000)),
        ("linear16", RawFormat(16_000)),
        ("PCM16", RawFormat(16_000)),
        ("mulaw", RawFormat(8_000, 1, "mulaw")),
        ("g711_alaw", RawFormat(8_000, 1, "alaw")),
        ("f32", RawFormat(16_000, 1, "f32le")),
    ],
)
def test_encodings_by_the_names_they_go_by(encoding: str, raw: RawFormat) -> None:
    assert asked(encoding=encoding).raw == raw


@pytest.mark.parametrize("parameters", [{"vad": "false"}, {"endpointing": "false"}])
def test_turns_are_the_clients_own(parameters: dict[str, str]) -> None:
    assert asked(**parameters).turns is None
    assert asked(endpointing="true").turns == TurnOptions()


def test_deepgrams_words_to_expect() -> None:
    pairs = [("hotwords", "one"), ("keyterm", "two"), ("keyterm", "three"), ("keywords", "four:2")]
    assert parse_listen(pairs).request.hotwords == "one two three four"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sample_rate", "7"),
        ("sample_rate", "16000000"),
        ("sample_rate", "fast"),
        ("sample_rate", "1e999"),
        ("channels", "0"),
        ("channels", "9"),
        ("encoding", "opus"),
        ("language", "klingon"),
        ("interim_results", "maybe"),
        ("endpointing", "1"),
        ("endpointing", "nan"),
        ("vad_threshold", "2"),
        ("preset", "best"),
        ("task", "sing"),
    ],
)
def test_a_wrong_value_names_its_parameter(name: str, value: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        asked(**{name: value})
    assert raised.value.param == name


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('{"type": "close"}', Command.CLOSE),
        ('{"type": "CloseStream"}', Command.CLOSE),
        ('{"type": "commit", "more": 1}', Command.COMMIT),
        ('{"type": "Finalize"}', Command.COMMIT),
        ('{"type": "clear"}', Command.CLEAR),
        ('{"type": "keep_alive"}', Command.KEEP_ALIVE),
    ],
)
def test_messages(text: str, command: Command) -> None:
    assert parse_command(text) is command


@pytest.mark.parametrize(
    "text", ["", "close", "[]", "{}", '{"type": 5}', '{"type": "dance"}', "[" * 4000, "[" * 5000, '{"type": ["close"]}']
)
def test_a_message_that_is_none_is_an_error(text: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        parse_command(text)
    assert raised.value.param == "type" and "commit" in raised.value.hint


WORDS = (Word("hello", 0.5, 0.75, 0.5), Word("there", 0.75, 1.0, 0.25))
HEARD = Transcript((Segment("hello there", 0.5, 1.5, WORDS),), "en", duration_s=1.0, model="m", decoded_until_s=1.5)
EVENTS: list[LiveEvent] = [
    SpeechStarted(3, 0.25),
    SpeechStopped(3, 1.5),
    LivePartial(3, 0.5, 1.25, "hello", "there", "en"),
    LivePartial(3, 0.5, 1.25, "", "hello"),
    LivePartial(3, 0.5, 1.25, "hello", ""),
    LivePartial(3, 0.5, 1.25, "你", "好", "zh", ""),
    LiveFinal(3, Span(0.5, 1.5), HEARD),
    LiveFinal(4, Span(0.5, 0.5), Transcript(decoded_until_s=0.5)),
    LiveNotice(Notice("a_code", "some words")),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_what_is_told_is_read_back(event: LiveEvent) -> None:
    text = told.to_text(told.event_message(event))
    assert "\n" not in text and told.read_message(text) == event


def test_a_final_as_clients_see_it() -> None:
    assert told.event_message(LiveFinal(3, Span(0.5, 1.5), HEARD)) == {
        "type": "final",
        "utterance": 3,
        "start": 0.5,
        "end": 1.5,
        "text": "hello there",
        "language": "en",
        "words": [
            {"word": "hello", "start": 0.5, "end": 0.75, "probability": 0.5},
            {"word": "there", "start": 0.75, "end": 1.0, "probability": 0.25},
        ],
        "model": "m",
    }


def test_the_first_and_the_last_message() -> None:
    assert told.read_message(told.to_text(told.ready_message("live_1", "m"))) == told.Ready("live_1", "m")
    assert told.read_message(told.to_text(told.done_message(1.23456))) == told.Done(1.235)
    error = told.read_message(told.to_text(told.error_message(words_of(SlowReader()))))
    assert isinstance(error, told.Refusal) and error.words["code"] == "slow_reader"


def test_what_is_not_known_is_passed_over() -> None:
    assert told.read_message('{"type": "mood", "utterance": "good"}') is None


MESSAGES = [told.event_message(event) for event in EVENTS] + [told.ready_message("a", "b"), told.done_message(1.0)]


@given(st.sampled_from(MESSAGES), st.data())
def test_a_message_that_is_damaged_is_a_value_error_or_nothing_worse(message: dict[str, Any], data: Any) -> None:
    damaged = dict(message)
    name = data.draw(st.sampled_from(sorted(message)))
    values: list[Any] = [None, "x", -1, [], {}, [1], 1e308, {"word": 1}]
    damaged[name] = data.draw(st.sampled_from(values))
    try:
        told.read_message(json.dumps(damaged))
    except ValueError:
        return


@given(st.binary(max_size=200))
def test_bytes_that_mean_nothing(data: bytes) -> None:
    try:
        found = told.read_message(data)
    except ValueError:
        return
    assert found is None
