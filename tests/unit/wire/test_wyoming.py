"""Wyoming's bytes and events: round trips, any cut of the stream, and what is refused."""

from __future__ import annotations

import asyncio
import io
import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes_service import FakeModel
from talkie.audio.formats import RawFormat
from talkie.errors import BadRawParameters, BadRequestBody, InvalidValue, QueueFull
from talkie.runtime.requests import MAX_PROMPT_CHARS
from talkie.wire import wyoming_events as words
from talkie.wire.wyoming import (
    MAX_DATA_BYTES,
    MAX_HEADER_BYTES,
    MAX_PAYLOAD_BYTES,
    MAX_TYPE_CHARS,
    Event,
    EventReader,
    encode,
)

with warnings.catch_warnings():  # the package asks for audioop, which Python will drop
    warnings.simplefilter("ignore", DeprecationWarning)
    from wyoming import asr, audio, error, event, info, ping

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
EVENTS = st.builds(
    Event,
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=MAX_TYPE_CHARS),
    st.dictionaries(st.text(max_size=8), JSON_VALUES, max_size=4),
    st.binary(max_size=200),
)


def read(*pieces: bytes) -> list[Event]:
    reader, events = EventReader(), []
    for piece in pieces:
        reader.feed(piece)
        while (event := reader.next()) is not None:
            events.append(event)
    return events


def cuts(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size
    yield data[at:]


@given(st.lists(EVENTS, max_size=4), st.lists(st.integers(1, 40), max_size=20))
def test_what_is_written_is_read_however_it_is_cut(events: list[Event], sizes: list[int]) -> None:
    data = b"".join(encode(event) for event in events)
    assert read(*cuts(data, sizes)) == events


@given(st.lists(EVENTS, max_size=2), st.binary(max_size=300))
def test_bytes_of_any_kind_are_events_or_an_error_of_ours(events: list[Event], noise: bytes) -> None:
    reader = EventReader()
    reader.feed(b"".join(encode(event) for event in events) + noise)
    for expected in events:
        assert reader.next() == expected
    try:
        while reader.next() is not None:
            pass
    except BadRequestBody as caught:
        assert caught.hint


@given(EVENTS)
def test_the_package_reads_what_we_write(mine: Event) -> None:
    theirs = event.read_event(io.BytesIO(encode(mine)))
    assert theirs is not None
    assert (theirs.type, theirs.data, theirs.payload or b"") == (mine.type, mine.data, mine.payload)


@pytest.mark.parametrize(
    "theirs",
    [
        info.Describe(),
        asr.Transcribe(name="m", language="de", transcript_names=["Küche"]),
        audio.AudioStart(rate=16000, width=2, channels=1, timestamp=0),
        audio.AudioChunk(rate=16000, width=2, channels=1, audio=bytes(range(256))),
        audio.AudioStop(timestamp=5),
        ping.Ping(text="hello"),
    ],
    ids=lambda item: type(item).__name__,
)
def test_we_read_what_the_package_writes(theirs: Any) -> None:
    file, sent = io.BytesIO(), theirs.event()
    event.write_event(sent, file)
    [mine] = read(file.getvalue())
    assert (mine.type, mine.data, mine.payload) == (sent.type, sent.data, sent.payload or b"")


def test_older_clients_put_the_data_into_the_header() -> None:
    line = b'{"type":"transcribe","data":{"language":"en","name":"a"},"data_length":13}\n{"name": "b"}'
    assert read(line) == [Event("transcribe", {"language": "en", "name": "b"})]
    nothing = b'{"type":"describe","data":null,"data_length":null,"payload_length":null,"version":"1.0"}\n'
    assert read(nothing) == [Event("describe")]


@pytest.mark.parametrize(
    "data",
    [
        b"\n",
        b"GET / HTTP/1.1\r\n",
        b"{}\n",
        b"5\n",
        b'"describe"\n',
        b'["describe"]\n',
        b'{"type":5}\n',
        b'{"type":""}\n',
        b'{"type":null}\n',
        b'{"type":"' + b"x" * (MAX_TYPE_CHARS + 1) + b'"}\n',
        b'{"type":"a","data":[]}\n',
        b'{"type":"a","data":"x"}\n',
        b'{"type":"a","data_length":-1}\n',
        b'{"type":"a","data_length":1.5}\n',
        b'{"type":"a","data_length":true}\n',
        b'{"type":"a","data_length":"9"}\n',
        b'{"type":"a","data_length":%d}\n' % (MAX_DATA_BYTES + 1),
        b'{"type":"a","payload_length":%d}\n' % (MAX_PAYLOAD_BYTES + 1),
        b'{"type":"a","payload_length":-5}\n',
        b'{"type":"a","payload_length":1' + b"0" * 5000 + b"}\n",
        b'{"type":"a","data_length":2}\n[]',
        b'{"type":"a","data_length":3}\n{]}',
        b"\xff\xfe\n",
        b"[" * 60_000 + b"\n",
        b"x" * (MAX_HEADER_BYTES + 1),
        b'{"type":"a","x":"' + b"x" * MAX_HEADER_BYTES + b'"}\n',
    ],
    ids=lambda data: repr(data[:40]),
)
def test_garbage_is_an_error(data: bytes) -> None:
    with pytest.raises(BadRequestBody) as caught:
        read(data)
    assert len(caught.value.message) < 200


def test_a_header_as_long_as_may_be_is_read_byte_by_byte() -> None:
    start = b'{"type":"a","x":"'
    line = start + b"x" * (MAX_HEADER_BYTES - len(start) - 2) + b'"}'
    assert len(line) == MAX_HEADER_BYTES
    assert read(*[line[at : at + 1] for at in range(len(line))], b"\n") == [Event("a")]


def test_a_stream_may_end_between_events_only() -> None:
    reader = EventReader()
    assert reader.is_between
    reader.feed(b'{"type":"audio-chunk","payload_length":2}')
    assert reader.next() is None and not reader.is_between
    reader.feed(b"\n")
    assert reader.next() is None and not reader.is_between
    reader.feed(b"ab")
    assert reader.next() == Event("audio-chunk", {}, b"ab") and reader.is_between


# -- what events mean --------------------------------------------------------------------------------------------------


def test_nothing_said_means_the_servers_own() -> None:
    assert words.wish({}) == words.Wish()
    request = words.Wish().request(RawFormat(16_000))
    assert (request.model, request.language, request.partials) == ("auto", None, False) and request.turns


def test_a_wish_as_the_package_writes_it() -> None:
    asked = asr.Transcribe(
        name="whisper-base",
        language="de-AT",
        vad_sensitivity=asr.VadSensitivity.AGGRESSIVE,
        transcript_names=["Küche", "Bad"],
        transcript_terms=["Bad", "Licht"],
    )
    wish = words.wish(asked.event().data)
    assert wish == words.Wish("whisper-base", "de", "Küche, Bad, Licht", words.SILENCE_MS["aggressive"])
    assert words.wish({"name": "whisper-1", "vad_sensitivity": "new one"}) == words.Wish()


def test_names_are_kept_as_far_as_there_is_room() -> None:
    wish = words.wish({"transcript_names": ["first"], "transcript_terms": ["x" * 100 + str(n) for n in range(1000)]})
    assert wish.hotwords.startswith("first, x") and MAX_PROMPT_CHARS - 110 < len(wish.hotwords) <= MAX_PROMPT_CHARS


@pytest.mark.parametrize(
    "data",
    [
        {"language": "klingon"},
        {"language": 5},
        {"name": ["a"]},
        {"transcript_names": "a"},
        {"transcript_terms": [5]},
    ],
)
def test_a_wish_that_cannot_be(data: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue) as caught:
        words.wish(data)
    assert caught.value.param in data


@pytest.mark.parametrize(("width", "encoding"), words.ENCODINGS.items())
def test_formats(width: int, encoding: str) -> None:
    assert words.sound_format({"rate": 8000, "width": width, "channels": 2}) == RawFormat(8000, 2, encoding)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"rate": 16000, "width": 2},
        {"rate": 16000, "width": 5, "channels": 1},
        {"rate": 1.6e4, "width": 2, "channels": 1},
        {"rate": True, "width": 2, "channels": 1},
        {"rate": 10**30, "width": 2, "channels": 1},
        {"rate": 16000, "width": 2, "channels": 0},
    ],
)
def test_formats_that_cannot_be(data: dict[str, Any]) -> None:
    with pytest.raises((InvalidValue, BadRawParameters)):
        words.sound_format(data)


def theirs(mine: Event) -> event.Event:
    """As the package sees it."""

    async def parse() -> event.Event | None:
        reader = asyncio.StreamReader()
        reader.feed_data(encode(mine))
        reader.feed_eof()
        return await event.async_read_event(reader)

    found = asyncio.run(parse())
    assert found is not None
    return found


def test_the_package_understands_what_we_are() -> None:
    [program] = info.Info.from_event(theirs(words.info([FakeModel("a", languages=("en", "de")), FakeModel("b")]))).asr
    assert program.installed and program.supports_transcript_streaming and program.requires_external_vad
    assert [(model.name, model.languages, model.installed) for model in program.models] == [
        ("a", ["en", "de"], True),
        ("b", ["en"], True),
    ]


def test_the_package_understands_what_we_say() -> None:
    assert asr.TranscriptStart.from_event(theirs(words.transcript_start("en"))).language == "en"
    chunks = [theirs(words.transcript_chunk(text, first=not at)) for at, text in enumerate(["Häuser.", "Two."])]
    whole = asr.Transcript.from_event(theirs(words.transcript(["Häuser.", "Two."], "en")))
    assert "".join(asr.TranscriptChunk.from_event(chunk).text for chunk in chunks) == whole.text == "Häuser. Two."
    assert asr.Transcript.from_event(theirs(words.transcript([], ""))) == asr.Transcript("")
    assert asr.TranscriptStop.is_type(theirs(words.transcript_stop()).type)
    fault = error.Error.from_event(theirs(words.error(QueueFull(3))))
    assert fault.code == "queue_full" and "3 requests" in fault.text and "Retry-After" in fault.text
    assert ping.Pong.from_event(theirs(words.pong({"text": "x"}))).text == "x"
    assert ping.Pong.from_event(theirs(words.pong({"text": 5}))).text is None


def test_a_surrogate_in_a_text_does_not_stop_an_answer() -> None:
    assert json.loads(encode(words.pong({"text": "\ud800"})).partition(b"\n")[2]) == {"text": "?"}
