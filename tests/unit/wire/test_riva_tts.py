"""Messages of Riva's speech synthesis, as its clients fill them in, to requests; and the list of voices."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.errors import BadRawParameters, InvalidValue, TalkieError, UnsupportedByModel
from talkie.runtime.speech import SpeakRequest, VoiceCard
from talkie.types import Mark

pytest.importorskip("riva.client", reason="the extra talkie[riva] is not installed")

from riva.client.proto import riva_audio_pb2 as raudio
from riva.client.proto import riva_tts_pb2 as rtts

from talkie.wire import riva_tts as riva

CARDS = [
    VoiceCard("en-us", "en-us", ("en-us", "en"), "espeak", "espeak"),
    VoiceCard("de", "de", ("de",), "espeak", "espeak"),
    VoiceCard("kokoro-1.0/af_nova", "af_nova", ("en-us",), "kokoro-1.0", "kokoro"),
    VoiceCard("kokoro-1.0/af_bella", "af_bella", ("en-us",), "kokoro-1.0", "kokoro"),
    VoiceCard("voice_ab12", "Anna", ("fr",), "chatterbox", "chatterbox", cloned=True),
]


def request(**fields: Any) -> SpeakRequest:
    return riva.speak_request(rtts.SynthesizeSpeechRequest(text="one", **fields), CARDS, "radio")


def listed() -> dict[str, list[str]]:
    """Languages and voices, put together as the client's own script does it."""
    voices: dict[str, list[str]] = {}
    for config in riva.config_response(CARDS, "").model_config:
        parameters = config.parameters
        subvoices = [voice.split(":")[0] for voice in parameters["subvoices"].split(",")]
        names = [parameters["voice_name"] + "." + subvoice for subvoice in subvoices]
        voices.setdefault(parameters["language_code"], []).extend(names)
    return voices


def test_voices_as_the_script_lists_them() -> None:
    assert listed() == {
        "en-US": ["espeak.en-us", "kokoro-1.0.af_nova", "kokoro-1.0.af_bella"],
        "de": ["espeak.de"],
        "fr": ["chatterbox.voice_ab12"],
    }
    [config] = riva.config_response(CARDS, "chatterbox").model_config
    assert (config.model_name, config.parameters["type"]) == ("chatterbox", "online")
    assert not riva.config_response(CARDS, "magpie").model_config


def test_every_voice_that_is_listed_can_be_asked_for() -> None:
    asked = [request(voice_name=name).voice for names in listed().values() for name in names]
    assert sorted(asked) == sorted(card.id for card in CARDS)


@pytest.mark.parametrize(
    ("name", "model", "voice"),
    [
        ("", "auto", ""),
        ("en-us", "auto", "en-us"),
        ("espeak", "espeak", ""),
        ("espeak.en-us+f2", "espeak", "en-us+f2"),
        ("kokoro-1.0.none", "kokoro-1.0", "none"),
        ("English-US.Female-1", "auto", "English-US.Female-1"),
    ],
)
def test_voices_that_are_not_listed(name: str, model: str, voice: str) -> None:
    asked = request(voice_name=name)
    assert (asked.model, asked.voice) == (model, voice)


@pytest.mark.parametrize(
    ("code", "voice", "language"),
    [
        ("en-US", "", "en-us"),
        ("en-US", "espeak.de", None),  # what clients send with every text
        ("de-DE", "espeak.de", "de-de"),
        ("", "", None),
        ("multi", "", None),
    ],
)
def test_the_language_of_a_voice_that_was_named_is_its_own(code: str, voice: str, language: str | None) -> None:
    assert request(language_code=code, voice_name=voice).language == language


def test_word_times_are_made_where_they_are_asked_for() -> None:
    assert request(enable_word_time_offsets=True) == SpeakRequest("one", align=True, owner="radio")
    marks = [Mark("word", "one", 0.1, 0.25), Mark("viseme", "A", 0, 1), Mark("word", "t\ud800", 0.3, 0.4)]
    asked = rtts.SynthesizeSpeechRequest(enable_word_time_offsets=True)
    words = [(word.word, word.start_time, word.end_time) for word in riva.words(asked, marks, 1.0)]
    assert words == [("one", 1100, 1250), ("t?", 1300, 1400)]
    assert riva.words(rtts.SynthesizeSpeechRequest(), marks) == []


@pytest.mark.parametrize(
    ("fields", "sound"),
    [
        ({}, riva.RivaSound(None)),
        ({"encoding": raudio.LINEAR_PCM, "sample_rate_hz": 44_100}, riva.RivaSound(44_100)),
        ({"encoding": raudio.MULAW, "sample_rate_hz": 8000}, riva.RivaSound(8000, "mulaw")),
        ({"encoding": raudio.OGGOPUS}, riva.RivaSound(None, file="opus")),
        ({"encoding": raudio.FLAC, "sample_rate_hz": 48_000}, riva.RivaSound(48_000, file="flac")),
    ],
)
def test_encodings_and_rates(fields: dict[str, Any], sound: riva.RivaSound) -> None:
    assert riva.sound(rtts.SynthesizeSpeechRequest(**fields)) == sound


@pytest.mark.parametrize("fields", [{"encoding": 77}, {"encoding": raudio.OGGOPUS, "sample_rate_hz": 96_000}])
def test_encodings_that_cannot_be(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        riva.sound(rtts.SynthesizeSpeechRequest(**fields))


@pytest.mark.parametrize("rate", [1, -1, 500_000])
def test_rates_that_cannot_be(rate: int) -> None:
    with pytest.raises(BadRawParameters):
        riva.sound(rtts.SynthesizeSpeechRequest(sample_rate_hz=rate))


def test_what_is_not_done_is_said() -> None:
    with pytest.raises(UnsupportedByModel) as told:
        request(zero_shot_data=rtts.ZeroShotData(audio_prompt=b"x"))
    assert "/v1/audio/voices" in told.value.hint
    asked = rtts.SynthesizeSpeechRequest(custom_dictionary="a  b", custom_configuration={"a": "b"})
    assert riva.warnings(asked) == ("custom_dictionary_ignored", "custom_configuration_ignored")
    assert riva.warnings(rtts.SynthesizeSpeechRequest()) == ()


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_a_request_or_an_error_of_ours(data: bytes) -> None:
    message = rtts.SynthesizeSpeechRequest()
    try:
        message.ParseFromString(data)
    except Exception:
        return
    for parse in (riva.sound, lambda message: riva.speak_request(message, CARDS, None)):
        try:
            parse(message)
        except TalkieError as error:
            assert error.code
