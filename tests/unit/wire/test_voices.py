"""The form that makes a voice, and voices as JSON."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.errors import InvalidValue, TalkieError
from talkie.runtime.speech import VoiceCard
from talkie.wire.voices import VoiceCall, parse_voice, voice_deleted, voice_list, voice_made

CARD = VoiceCard("voice_1", "Ann", ("en",), "chatterbox", "chatterbox", cloned=True)
FORM = [("name", "Ann"), ("consent", "cons_1")]


def test_a_form_as_openais_client_sends_it() -> None:
    assert parse_voice(FORM) == VoiceCall("Ann", "en", "cons_1")
    assert parse_voice([*FORM, ("type", "audio_sample"), ("language", "de-DE")]) == VoiceCall("Ann", "de", "cons_1")


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("name", "x" * 65), ("name", "a\nb"), ("consent", ""), ("consent", "no"), ("consent", "False"),
     ("consent", "x" * 1001), ("language", "klingonish"), ("type", "prompt")],
)  # fmt: skip
def test_what_cannot_be_names_its_field(field: str, value: str) -> None:
    with pytest.raises(TalkieError) as caught:
        parse_voice([*FORM, (field, value)])
    assert caught.value.param == field


def test_who_does_not_say_that_the_speaker_agreed_gets_no_voice() -> None:
    with pytest.raises(InvalidValue, match="agreed"):
        parse_voice([("name", "Ann")])


@given(st.lists(st.tuples(st.sampled_from(["name", "consent", "language", "type", "x"]), st.text(max_size=80))))
def test_any_form_is_a_call_or_an_error_of_ours(pairs: list[tuple[str, str]]) -> None:
    try:
        assert parse_voice(pairs).name
    except TalkieError as error:
        assert error.param in ("name", "consent", "language", "type")


def test_the_list_is_where_every_client_looks_for_it() -> None:
    found = voice_list([CARD])
    assert found["voices"] == found["data"] and found["object"] == "list"
    assert {"id": "voice_1", "name": "Ann", "cloned": True}.items() <= found["voices"][0].items()


def test_answers_have_openais_fields() -> None:
    made = voice_made(CARD, 1000.9)
    assert (made["id"], made["object"], made["created_at"], made["type"]) == (
        "voice_1", "audio.voice", 1000, "audio_sample")  # fmt: skip
    assert voice_deleted("voice_1") == {"id": "voice_1", "object": "audio.voice.deleted", "deleted": True}
