"""OpenAI's answers, byte for byte where clients depend on them."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.errors import QueueFull
from talkie.runtime.requests import TranscribeRequest
from talkie.types import Dropped, Notice, Segment, Transcript, Word
from talkie.wire.fields import RESPONSE_FORMATS, ResponseFormat, TranscriptionCall
from talkie.wire.openai import answer, delta_event, done_event, error_words, segment, verbose

HELLO = Segment("hello there", 0.0, 1.25, (Word("hello", 0.0, 0.5, 0.9), Word("there", 0.5, 1.25)), (50, 60), -0.3)
PARTING = Segment("bye", 1.5, 2.0, (), (), -0.1, 0.02, 0.8, 0.2)
TRANSCRIPT = Transcript((HELLO, PARTING), "en", 0.99, 2.0004, model="m")
SILENCE = Transcript((), "en", 1.0, 3.0)
TEN = {
    "id", "seek", "start", "end", "text", "tokens", "temperature", "avg_logprob", "compression_ratio", "no_speech_prob"
}  # fmt: skip
ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True)
SEGMENTS = st.builds(
    Segment,
    text=st.text(max_size=20),
    start_s=st.floats(0, 1e5),
    end_s=st.floats(0, 1e5),
    avg_logprob=ANY_FLOAT,
    no_speech_prob=ANY_FLOAT,
    compression_ratio=ANY_FLOAT,
    temperature=ANY_FLOAT,
)


def call(response_format: ResponseFormat = "json", *, words: bool = False) -> TranscriptionCall:
    return TranscriptionCall(TranscribeRequest(words=words), response_format)


def body(transcript: Transcript, response_format: ResponseFormat, *, words: bool = False) -> bytes:
    return answer(transcript, call(response_format, words=words)).body


def test_json() -> None:
    assert json.loads(body(TRANSCRIPT, "json")) == {
        "text": "hello there bye",
        "usage": {"type": "duration", "seconds": 2},
    }


def test_verbose_json_has_ten_numbers_a_segment_and_words_when_asked() -> None:
    found = json.loads(body(TRANSCRIPT, "verbose_json", words=True))
    assert (found["task"], found["language"], found["duration"]) == ("transcribe", "english", 2.0)
    assert all(set(item) == TEN for item in found["segments"])
    assert [item["id"] for item in found["segments"]] == [0, 1]
    assert found["words"][0] == {"word": "hello", "start": 0.0, "end": 0.5, "probability": 0.9}
    assert "words" not in json.loads(body(TRANSCRIPT, "verbose_json"))


def test_a_translation_is_english() -> None:
    assert verbose(Transcript(language="de", task="translate"), words=False)["language"] == "english"
    assert verbose(Transcript(language="de"), words=False)["language"] == "german"


@pytest.mark.parametrize("response_format", RESPONSE_FORMATS)
def test_silence_is_empty_text_in_every_format(response_format: ResponseFormat) -> None:
    found = body(SILENCE, response_format)
    if "json" in response_format:
        assert json.loads(found)["text"] == ""
    else:
        assert found.decode().strip() in ("", "WEBVTT")


def test_what_was_dropped_and_what_was_noticed_is_told() -> None:
    spotty = Transcript(
        (PARTING,), "en", notices=(Notice("truncated_audio", "cut"),), dropped=(Dropped(HELLO, "loop"),)
    )
    found = json.loads(body(spotty, "verbose_json"))
    assert found["warnings"] == [{"code": "truncated_audio", "message": "cut"}]
    assert found["dropped"] == [{"start": 0.0, "end": 1.25, "text": "hello there", "reason": "loop"}]
    assert [notice.code for notice in answer(spotty, call("srt")).warnings] == ["truncated_audio"]


def test_deltas_join_to_the_whole_text() -> None:
    texts = [item.text for item in TRANSCRIPT.segments]
    deltas = [delta_event(text, first=index == 0) for index, text in enumerate(texts)]
    joined = "".join(json.loads(item.removeprefix(b"data: "))["delta"] for item in deltas)
    done = json.loads(done_event(TRANSCRIPT, call()).removeprefix(b"data: "))
    assert done == {
        "type": "transcript.text.done",
        "text": joined,
        "language": "english",
        "duration": 2.0,
        "usage": {"type": "duration", "seconds": 2},
    }


def test_a_delta_tells_the_time_of_what_it_says() -> None:
    heard = TRANSCRIPT.segments[0]
    delta = json.loads(delta_event(heard.text, first=True, heard=heard).removeprefix(b"data: "))
    assert (delta["start"], delta["end"]) == (round(heard.start_s, 3), round(heard.end_s, 3))


@given(st.text())
def test_an_event_is_one_line_whatever_is_said(text: str) -> None:
    event = delta_event(text.encode("utf-8", "replace").decode(), first=True)
    assert event.count(b"\n") == 2 and event.endswith(b"\n\n")


@given(SEGMENTS)
def test_every_number_of_a_segment_is_one(item: Segment) -> None:
    found = segment(3, item)
    assert set(found) == TEN
    numbers = [value for name, value in found.items() if name not in ("text", "tokens")]
    assert all(isinstance(value, int | float) and math.isfinite(value) for value in numbers)


def test_an_error_has_openais_shape() -> None:
    found = error_words(QueueFull(3), "server_error").body()["error"]
    assert found["type"] == "server_error" and found["code"] == "queue_full" and found["param"] is None
    assert found["message"] and found["hint"]
