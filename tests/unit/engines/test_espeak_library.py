"""The espeak-ng binding, against the true library."""

import numpy as np
import pytest

from talkie.engines.tts.espeak_library import EspeakError, EspeakLibrary


@pytest.fixture(scope="module")
def library() -> EspeakLibrary:
    return EspeakLibrary()


@pytest.fixture(autouse=True)
def usual_voice(library: EspeakLibrary) -> None:
    library.set_voice("en-us")
    library.set_rate(175)
    library.set_pitch(50)
    library.set_pitch_range(50)
    library.set_volume(100)
    library.set_word_gap(0)


def test_words_come_with_times_and_places(library: EspeakLibrary) -> None:
    text = "open the door"
    speech = library.speak(text)
    assert speech.sample_rate_hz == 22_050
    assert np.abs(speech.samples.astype(int)).max() > 3000
    words = [event for event in speech.events if event.kind == "word"]
    assert [text[w.text_position : w.text_position + w.length] for w in words] == ["open", "the", "door"]
    times = [word.time_s for word in words]
    assert times == sorted(times)
    assert times[-1] < len(speech.samples) / speech.sample_rate_hz


def test_phonemes_have_ipa_names(library: EspeakLibrary) -> None:
    named = [event.phoneme for event in library.speak("door").events if event.phoneme]
    assert named[0] == "d"
    assert "ɔː" in "".join(named)


def test_a_fast_voice_needs_less_time(library: EspeakLibrary) -> None:
    slow = library.speak("what time is it")
    library.set_rate(320)
    assert len(library.speak("what time is it").samples) < 0.8 * len(slow.samples)


def test_nothing_makes_no_words(library: EspeakLibrary) -> None:
    assert not [event for event in library.speak("").events if event.kind == "word"]


def test_voices_and_variants(library: EspeakLibrary) -> None:
    assert any("en-us" in voice.languages for voice in library.voices())
    assert {"f3", "m1"} <= set(library.variants())


@pytest.mark.parametrize("name", ["en-us+f3", "en-gb", "en-GB+Andy", "de", "gmw/en-US", "English (America)+f3"])
def test_voices_have_many_names(name: str, library: EspeakLibrary) -> None:
    library.set_voice(name)
    assert len(library.speak("one").samples) > 1000


def test_an_unknown_voice_is_refused(library: EspeakLibrary) -> None:
    with pytest.raises(EspeakError, match="no voice 'nobody'"):
        library.set_voice("nobody")


def test_a_missing_library_is_told() -> None:
    with pytest.raises(EspeakError, match="cannot load espeak-ng from /nowhere"):
        EspeakLibrary(library_path="/nowhere", data_path="/nowhere")
