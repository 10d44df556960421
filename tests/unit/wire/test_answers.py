"""Our answers read back: what the server writes, the client understands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.text.languages import LANGUAGES
from talkie.types import Dropped, Notice, Segment, Transcript, Word
from talkie.wire import answers, openai

times = st.integers(0, 10**7).map(lambda millis: millis / 1000)
numbers = st.integers(-(10**6), 10**6).map(lambda millionths: millionths / 10**6)
spoken = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)


@st.composite
def segments(draw: st.DrawFn) -> Segment:
    words = tuple(Word(draw(spoken), draw(times), draw(times), draw(numbers)) for _ in range(draw(st.integers(1, 4))))
    figures = {name: draw(numbers) for name in ("avg_logprob", "no_speech_prob", "compression_ratio", "temperature")}
    tokens = tuple(draw(st.lists(st.integers(0, 60_000), max_size=3)))
    return Segment(" ".join(word.text for word in words), draw(times), draw(times), words, tokens, **figures)


transcripts = st.builds(
    Transcript,
    segments=st.lists(segments(), max_size=4).map(tuple),
    language=st.sampled_from(["", *LANGUAGES]),
    duration_s=times,
    notices=st.lists(st.builds(Notice, st.text(), st.text()), max_size=2).map(tuple),
    dropped=st.lists(st.builds(Dropped, st.builds(Segment, st.text(), times, times), st.text()), max_size=2).map(tuple),
)


@given(transcripts)
def test_verbose_json_there_and_back(transcript: Transcript) -> None:
    body = json.loads(openai.to_json(openai.verbose(transcript, words=True, notices=transcript.notices)))
    read = answers.transcript(body)
    assert read.text == transcript.text and read.words == transcript.words
    assert read.segments == transcript.segments
    assert (read.language, read.duration_s) == (transcript.language, transcript.duration_s)
    assert (read.notices, read.dropped) == (transcript.notices, transcript.dropped)


def test_what_other_servers_send() -> None:
    read = answers.transcript({"text": " Hi there. ", "duration": "2.5", "language": "klingon", "segments": None})
    assert read.segments == (Segment("Hi there.", 0.0, 2.5),)
    assert (read.language, read.duration_s) == ("klingon", 2.5)
    assert answers.transcript({"text": ""}).segments == ()


@pytest.mark.parametrize(
    "body",
    [None, [], {}, {"text": 1}, {"text": "a", "segments": 3}, {"text": "a", "segments": ["b"]},
     {"text": "a", "segments": [{"start": []}]}, {"text": "a", "duration": "long"}, {"text": "a", "duration": True}],
)  # fmt: skip
def test_what_is_no_answer_is_an_error(body: Any) -> None:
    with pytest.raises(ValueError):
        answers.transcript(body)


def test_events_of_a_stream() -> None:
    lines = [": hello", "event: x", 'data: {"a": 1}', "", "data:{", 'data: "b": 2}', "", "id: 4", "", 'data: {"c": 3}']
    assert list(answers.events(lines)) == [{"a": 1}, {"b": 2}, {"c": 3}]
    assert list(answers.events(["data: [DONE]", "", 'data: {"a": 1}'])) == []
    for bad in ("data: {", "data: 3"):
        with pytest.raises(ValueError):
            list(answers.events([bad]))


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_our_own_stream_is_read_back(texts: list[str]) -> None:
    sent = b"".join(openai.delta_event(text, first=index == 0) for index, text in enumerate(texts)).decode()
    deltas = [event["delta"] for event in answers.events(sent.split("\n"))]
    assert "".join(deltas) == " ".join(texts).encode("utf-8", "replace").decode()
