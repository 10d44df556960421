"""Speech in messages of `talkie.v1`: every field arrives, and whatever comes is a request or an error of ours."""

from __future__ import annotations

import contextlib
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.errors import BadRequestBody, InvalidValue, TalkieError
from talkie.runtime.speech import SpeakRequest
from talkie.types import Mark, MarkKind
from talkie.wire.grpc_speech import Sign, mark, raw_audio, speech_call, streaming_call, written
from talkie.wire.protos.talkie.v1 import talkie_pb2 as pb
from talkie.wire.speech_fields import shown_language, spoken_language

FULL = pb.SynthesizeRequest(
    text="one",
    model="kokoro",
    voice="af_nova",
    language="en-GB",
    speed=0.5,
    raw=pb.RawAudio(encoding=pb.ENCODING_ALAW, sample_rate_hz=8000, channels=2),
    ssml=True,
    instructions="calm",
    visemes=True,
    align=True,
    cache=False,
    generation=9,
)


def test_every_field_arrives() -> None:
    assert {field.name for field, _ in FULL.ListFields()} == set(pb.SynthesizeRequest.DESCRIPTOR.fields_by_name)
    call = speech_call(FULL, "radio")
    expected = SpeakRequest(
        text="one",
        model="kokoro",
        voice="af_nova",
        language="en-gb",
        speed=0.5,
        ssml=True,
        instructions="calm",
        visemes=True,
        cache=False,
        generation=9,
        align=True,
        owner="radio",
    )
    assert call.request == expected
    unset = {f.name for f in fields(SpeakRequest) if getattr(expected, f.name) == getattr(SpeakRequest(""), f.name)}
    assert unset == {"priority"}
    assert raw_audio(call.raw(22_050)) == FULL.raw


def test_nothing_asked_for_is_the_servers_choice_and_the_voices_rate() -> None:
    call = speech_call(pb.SynthesizeRequest(text="one"), None)
    assert call.request == SpeakRequest("one")
    assert raw_audio(call.raw(22_050)) == pb.RawAudio(encoding=pb.ENCODING_S16LE, sample_rate_hz=22_050, channels=1)


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_a_call_or_an_error_of_ours(data: bytes) -> None:
    for kind, parse in ((pb.SynthesizeRequest, speech_call), (pb.StreamingSynthesizeRequest, streaming_call)):
        message = kind()
        try:
            message.ParseFromString(data)
        except Exception:
            continue
        with contextlib.suppress(TalkieError):
            parse(message, None)  # type: ignore[operator]


def test_what_a_client_says_while_it_writes() -> None:
    kind = pb.StreamingSynthesizeRequest
    assert written(kind(text="one")) == "one" and written(kind(text="")) == ""
    assert written(kind(end=pb.EndUtterance())) is Sign.END
    assert written(kind(interrupt=pb.Interrupt())) is Sign.INTERRUPT
    for wrong in (kind(), kind(config=pb.SynthesizeRequest())):
        with pytest.raises(BadRequestBody):
            written(wrong)


@pytest.mark.parametrize("kind", ["word", "phoneme", "viseme"])
def test_marks_of_every_kind(kind: MarkKind) -> None:
    sent = mark(Mark(kind, "a\ud800", 0.25, 0.5, estimated=True))
    assert pb.Mark.Kind.Name(sent.kind) == f"KIND_{kind.upper()}"
    assert (sent.text, sent.start_s, sent.end_s, sent.estimated) == ("a?", 0.25, 0.5, True)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("", None),
        ("auto", None),
        ("en-US", "en-us"),
        ("en_GB", "en-gb"),
        ("English", "en"),
        ("eo", "eo"),
        ("zh-Hant-TW", "zh-hant-tw"),
        (" de ", "de"),
    ],
)
def test_languages_as_clients_write_them(said: str, meant: str | None) -> None:
    assert spoken_language(said) == meant


@pytest.mark.parametrize("said", ["no language", "e", "x" * 300, "en;rm", "\uff45\uff4e"])
def test_what_is_no_language(said: str) -> None:
    with pytest.raises(InvalidValue):
        spoken_language(said)


@pytest.mark.parametrize(
    ("tag", "shown"), [("en-us", "en-US"), ("de", "de"), ("zh-hant-tw", "zh-Hant-TW"), ("es-419", "es-419")]
)
def test_languages_as_clients_look_for_them(tag: str, shown: str) -> None:
    assert shown_language(tag) == shown
