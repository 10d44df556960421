"""Messages of `talkie.v1`: every field arrives, and the committed modules are those of the contract."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.audio.formats import RAW_SAMPLE_BYTES
from talkie.errors import BadRequestBody, InvalidValue, TalkieError
from talkie.runtime.requests import LiveRequest, TranscribeRequest
from talkie.types import (
    Dropped,
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
from talkie.wire.grpc_answers import live_event, transcript
from talkie.wire.grpc_requests import ENCODINGS, TASKS, Mark, live_call, recognize_request, said
from talkie.wire.protos.talkie.v1 import talkie_pb2 as pb

ROOT = Path(__file__).parents[3]
PROTOS = ROOT / "src" / "talkie" / "wire" / "protos"

texts = st.text(max_size=30)
seconds = st.floats(0, 1e5)
words = st.builds(Word, texts, seconds, seconds, st.floats(0, 1))
segments = st.builds(Segment, texts, seconds, seconds, st.lists(words, max_size=3).map(tuple))
transcripts = st.builds(
    Transcript,
    st.lists(segments, max_size=3).map(tuple),
    st.sampled_from(["en", "de", ""]),
    st.floats(0, 1),
    seconds,
    st.sampled_from(["transcribe", "translate"]),
    texts,
    notices=st.lists(st.builds(Notice, texts, texts), max_size=2).map(tuple),
    dropped=st.lists(st.builds(Dropped, segments, texts), max_size=2).map(tuple),
)


def test_the_modules_are_those_of_the_proto(tmp_path: Path) -> None:
    """Whoever changes the contract runs scripts/protos.sh."""
    subprocess.run([ROOT / "scripts" / "protos.sh", sys.executable, tmp_path], check=True, timeout=60)
    for name in ("talkie_pb2.py", "talkie_pb2.pyi", "talkie_pb2_grpc.py"):
        made, kept = (path / "talkie" / "v1" / name for path in (tmp_path, PROTOS))
        assert made.read_text(encoding="utf-8") == kept.read_text(encoding="utf-8"), name


def test_every_value_of_an_enumeration_means_something() -> None:
    assert {*ENCODINGS} == {*pb.Encoding.values()}
    assert {*ENCODINGS.values()} == {*RAW_SAMPLE_BYTES}
    assert {*TASKS} == {*pb.Task.values()}


def test_nothing_set_means_the_defaults_of_the_service() -> None:
    usual = TranscribeRequest()
    asked = recognize_request(pb.RecognizeRequest())
    assert asked == usual
    live = live_call(pb.StreamingRecognizeRequest(config=pb.StreamingConfig()))
    assert live.sniff
    unlike = {f.name for f in fields(LiveRequest) if getattr(live.request, f.name) != getattr(LiveRequest(), f.name)}
    assert unlike == {"words"}  # they are asked for by name, as in Recognize


@pytest.mark.parametrize("name", ["", "auto", "whisper-1", " Auto "])
def test_names_that_mean_the_servers_own_model(name: str) -> None:
    assert recognize_request(pb.RecognizeRequest(config=pb.RecognitionConfig(model=name))).model == "auto"


@pytest.mark.parametrize(
    "turns",
    [
        pb.Turns(threshold=0),
        pb.Turns(threshold=float("nan")),
        pb.Turns(silence_ms=1),
        pb.Turns(silence_ms=float("inf")),
        pb.Turns(padding_ms=-1),
        pb.Turns(padding_ms=1e9),
    ],
)
def test_turns_within_their_bounds(turns: pb.Turns) -> None:
    with pytest.raises(InvalidValue):
        live_call(pb.StreamingRecognizeRequest(config=pb.StreamingConfig(turns=turns)))


def test_what_a_client_says() -> None:
    assert said(pb.StreamingRecognizeRequest(audio=b"x")) == b"x"
    assert said(pb.StreamingRecognizeRequest(commit=pb.Commit())) is Mark.COMMIT
    assert said(pb.StreamingRecognizeRequest(clear=pb.Clear())) is Mark.CLEAR
    for wrong in (pb.StreamingRecognizeRequest(), pb.StreamingRecognizeRequest(config=pb.StreamingConfig())):
        with pytest.raises(BadRequestBody):
            said(wrong)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_an_error_of_ours(data: bytes) -> None:
    for kind, read in ((pb.RecognizeRequest, recognize_request), (pb.StreamingRecognizeRequest, live_call)):
        try:
            message = kind.FromString(data)
        except Exception as error:
            assert type(error).__name__ == "DecodeError"
            continue
        try:
            read(message)
        except TalkieError as error:
            assert error.code


@given(transcripts)
def test_a_transcript_arrives_whole(heard: Transcript) -> None:
    message = pb.Transcript.FromString(transcript(heard).SerializeToString())
    assert message.text == heard.text
    assert [segment.text for segment in message.segments] == [segment.text.strip() for segment in heard.segments]
    assert [[w.text for w in s.words] for s in message.segments] == [[w.text for w in s.words] for s in heard.segments]
    for told, known in zip(message.segments, heard.segments, strict=True):
        assert (told.start_s, told.end_s) == pytest.approx((known.start_s, known.end_s), abs=0.001)
    assert [(n.code, n.message) for n in message.notices] == [(n.code, n.message) for n in heard.notices]
    assert [d.reason for d in message.dropped] == [d.reason for d in heard.dropped]
    assert message.task == (pb.TASK_TRANSLATE if heard.task == "translate" else pb.TASK_TRANSCRIBE)


def test_what_protobuf_cannot_hold_is_made_to_fit() -> None:
    odd = Transcript((Segment("half \ud800 pair", 0.0, float("nan"), avg_logprob=float("-inf")),))
    message = transcript(odd)
    assert message.segments[0].text == "half ? pair"
    assert (message.segments[0].end_s, message.segments[0].avg_logprob) == (0, 0)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (SpeechStarted(3, 1.5), "speech_started"),
        (SpeechStopped(3, 2.5, True), "speech_stopped"),
        (LivePartial(3, 1.5, 2.0, "a", "b", "en"), "partial"),
        (LiveFinal(3, Span(1.5, 2.5), Transcript((Segment("a b", 1.5, 2.5),))), "final"),
        (LiveNotice(Notice("code", "words")), "notice"),
    ],
)
def test_every_event_has_its_message(event: object, kind: str) -> None:
    message = live_event(event)  # type: ignore[arg-type]
    assert message.WhichOneof("event") == kind
    if kind != "notice":
        assert getattr(message, kind).utterance == 3
