"""Fields of a call for a face, messages of a live one, and its events."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes_face import grey
from talkie.errors import AvatarNotFound, BadRequestBody, EngineFailed, InvalidValue, NothingToSay
from talkie.pipeline.faces import FaceInfo
from talkie.runtime.face import FaceTick, Shown
from talkie.runtime.speech import SpeakRequest
from talkie.transports.http.errors import words_of
from talkie.types import Mark
from talkie.wire import face_protocol as protocol
from talkie.wire import video_events as told
from talkie.wire.face_protocol import HEADER, Packet, parse_address, parse_command, read_binary, to_binary
from talkie.wire.video import avatar_name, parse_form_call, parse_text_call


def test_a_text_with_everything() -> None:
    fields = {
        "input": "Hello",
        "voice": {"id": "anna"},
        "language": "en_GB",
        "speed": "1.5",
        "response_format": "WEBM",
        "width": 320,
        "mood": " calm ",
        "unknown": [1],
        "ssml": False,
    }
    call = parse_text_call(json.dumps(fields).encode(), "talkie", "me")
    assert call.spoken == SpeakRequest("Hello", voice="anna", language="en-gb", speed=1.5, owner="me")
    assert (call.response_format, call.face.width, call.face.height, call.face.mood) == ("webm", 320, 0, "calm")
    assert call.face.owner == "me" and call.face.avatar == "talkie"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"input": NaN}', b"\xff", b"[" * 10_000])
def test_what_is_no_object(body: bytes) -> None:
    with pytest.raises(BadRequestBody):
        parse_text_call(body, "talkie")


def test_a_recording_is_not_spoken() -> None:
    call = parse_form_call([("mood", "calm"), ("sample_rate", "8000")], "talkie", recording=True)
    assert call.spoken is None and call.face.raw is not None and call.response_format == "mp4"
    with pytest.raises(InvalidValue):
        parse_form_call([("mood", "calm")], "talkie", recording=False)


@given(st.text(max_size=200))
def test_a_name_is_never_a_path(name: str) -> None:
    try:
        assert avatar_name(name) == name
    except AvatarNotFound:
        return
    assert not set(name) & set("/\\\0\n") and not name.startswith(".") and 0 < len(name) <= 128


@given(
    st.sampled_from([1, 2]),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=50),
    st.booleans(),
    st.booleans(),
)
def test_a_packet_comes_out_as_it_went_in(
    kind: int, generation: int, index: int, pts: int, length: int, data: bytes, key: bool, first: bool
) -> None:
    packet = Packet(kind, generation, index, pts, length, data, key, first)
    assert read_binary(to_binary(packet)) == packet and len(to_binary(packet)) == HEADER.size + len(data) == 24 + len(
        data
    )


def test_the_header_is_as_documented() -> None:
    assert to_binary(Packet(1, 2, 3, -4, 5, b"x", True, True)).hex() == (
        "01030000" + "00000002" + "00000003" + "fffffffffffffffc" + "00000005" + "78"
    )
    with pytest.raises(ValueError, match="shorter"):
        read_binary(bytes(23))


def test_every_command() -> None:
    said = {
        '{"type": "text", "text": "Hello"}': protocol.Say("Hello"),
        '{"type": "text.append", "text": " there"}': protocol.Append(" there"),
        '{"type": "text.end"}': protocol.End(),
        '{"type": "interrupt", "more": 1}': protocol.Interrupt(),
        '{"type": "shown", "at_s": 1.5}': protocol.ShownUntil(1.5),
        '{"type": "session.update", "session": {"voice": "a"}}': protocol.Update({"voice": "a"}),
    }
    assert {text: parse_command(text) for text in said} == said


@given(st.text(max_size=100) | st.builds(json.dumps, st.dictionaries(st.sampled_from(["type", "text"]), st.text())))
def test_other_messages_are_an_error_of_ours(text: str) -> None:
    try:
        parse_command(text)
    except InvalidValue as error:
        assert error.hint


def test_the_address_and_a_change_of_voice() -> None:
    pairs = [("voice", "anna"), ("speed", "2"), ("video", "vp8"), ("audio", "opus"), ("width", "64"), ("key", "x")]
    call = parse_address(pairs, "talkie", "me")
    assert (call.video, call.audio, call.face.width, call.spoken.voice) == ("vp8", "opus", 64, "anna")
    changed = protocol.changed(call.spoken, protocol.Update({"speed": 0.5, "unknown": {}}))
    assert (changed.speed, changed.voice, changed.owner) == (0.5, "anna", "me")
    with pytest.raises(InvalidValue):
        protocol.changed(call.spoken, protocol.Update({"voice": 3}))


def tick(index: int, generation: int = 0, **more: object) -> FaceTick:
    return FaceTick(grey(0), np.zeros(1920, np.float32), index / 25, index, generation, **more)  # type: ignore[arg-type]


def test_the_events_of_an_utterance_in_session_time() -> None:
    telling = told.Telling(25.0, words_of)
    word, later = Mark("word", "Hi", 0.01, 0.3), Mark("word", "you", 0.41, 0.5)
    assert telling.tell(tick(99)) == []
    assert telling.tell(tick(100, 1, started=True, marks=(word, Mark("viseme", "A", 0, 0.1)))) == [
        {"type": "utterance.started", "generation": 1, "at_s": 4.0},
        {"type": "words", "generation": 1, "words": [{"text": "Hi", "start_s": 4.01, "end_s": 4.3}]},
    ]
    [words] = telling.tell(tick(150, 1, marks=(later,)))  # the utterance paused: its text was late
    assert words["words"] == [{"text": "you", "start_s": 6.01, "end_s": 6.1}]
    assert telling.tell(tick(151, 1, ended=True)) == [{"type": "utterance.done", "generation": 1, "at_s": 6.08}]
    [error] = telling.tell(tick(152, 2, ended=True, error=EngineFailed("tts", "it broke")))
    assert error["type"] == "error" and error["generation"] == 2 and error["error"]["code"] == "engine_failed"
    assert telling.tell(tick(153, 3, ended=True, error=NothingToSay()))[0]["error"]["code"] == NothingToSay.code


def test_the_other_events() -> None:
    created = told.session_created("face_1", FaceInfo("talkie", "drawn", 63, 63), 64, 64, video="vp8", audio="opus")
    assert created["codec"] == {"video": "vp8", "audio": "opus"} and created["width"] == 64
    shown = told.interrupted(Shown(3, 1.23456, "one two", 2.0))
    assert shown == {
        "type": "interrupted", "generation": 3, "shown_s": 1.235, "seconds_made": 2.0, "text": "one two"
    }  # fmt: skip
    assert told.interrupted(None)["generation"] == 0
    assert json.loads(told.to_text(told.session_updated(SpeakRequest("", voice="ä"))))["session"]["voice"] == "ä"
    assert math.isclose(told.utterance_done(1, 0.1 + 0.2)["at_s"], 0.3)
