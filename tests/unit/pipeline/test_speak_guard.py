"""What an engine says, looked over: silence, stubs and speech without end are made once more."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np
import pytest

from talkie.engines.base import SynthesizeOptions
from talkie.errors import EngineFailed, NothingToSay
from talkie.pipeline.speak import SpeakPlan, speak
from talkie.pipeline.speak_guard import Guard
from talkie.runtime.cancel import CancelToken
from talkie.types import Samples, SpeechChunk
from tone_voice import EDGE_S, WORD_S, ToneVoice


def guard(voice: ToneVoice) -> Guard:
    return Guard(voice.synthesize, "tone", CancelToken())


def silent_at_first(number: int, samples: Samples) -> Samples:
    return samples * 0 if number == 0 else samples


def stub_at_first(number: int, samples: Samples) -> Samples:
    return samples[: round((EDGE_S + 0.03) * 16_000)] if number == 0 else samples


def endless_at_first(number: int, samples: Samples) -> Samples:
    return np.tile(samples, 100) if number == 0 else samples


@pytest.mark.parametrize("spoil", [silent_at_first, stub_at_first, endless_at_first])
@pytest.mark.parametrize(("text", "again"), [("Hi", "Hi."), ("Yes.", "Yes")])
def test_what_cannot_be_right_is_made_once_more(spoil: object, text: str, again: str) -> None:
    voice = ToneVoice(spoil=spoil, pieces=20)  # type: ignore[arg-type]
    sound = guard(voice).speak(text, SynthesizeOptions())
    assert [asked for asked, _ in voice.asked] == [text, again]
    assert sound.fault == ""
    assert len(sound.samples) / 16_000 == pytest.approx(2 * EDGE_S + WORD_S + 0.05, abs=0.01)


def test_what_is_right_is_left_alone() -> None:
    voice = ToneVoice()
    guard(voice).speak("I", SynthesizeOptions())
    assert len(voice.asked) == 1


def test_a_stub_is_better_than_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def spoil(number: int, samples: Samples) -> Samples:
        return samples * 0 if number else samples[: round((EDGE_S + 0.03) * 16_000)]

    with caplog.at_level(logging.WARNING):
        sound = guard(ToneVoice(spoil=spoil)).speak("secret", SynthesizeOptions())
    assert sound.fault == "short"
    assert np.abs(sound.samples).max() > 0.1
    assert caplog.records
    assert "secret" not in caplog.text


def test_speech_without_end_is_cut_and_its_engine_left() -> None:
    taken = 0

    def babble(text: str, options: SynthesizeOptions) -> Iterator[SpeechChunk]:
        nonlocal taken
        while True:
            taken += 1
            yield SpeechChunk(np.full(16_000, 0.3, np.float32), 16_000)

    sound = Guard(babble, "tone", CancelToken()).speak("Hello there", SynthesizeOptions())
    assert sound.fault == "endless"
    assert len(sound.samples) / 16_000 < 20
    assert taken < 40


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_sound_that_is_no_number_is_an_error(wrong: float) -> None:
    def spoil(number: int, samples: Samples) -> Samples:
        samples[1000] = wrong
        return samples

    with pytest.raises(EngineFailed):
        guard(ToneVoice(spoil=spoil)).speak("Hello", SynthesizeOptions())


def test_an_utterance_of_silence_says_so() -> None:
    voice = ToneVoice(spoil=lambda number, samples: samples * 0)
    with pytest.raises(NothingToSay):
        list(speak("One. Two.", SpeakPlan(voice.synthesize, voice.info), CancelToken()))


def test_a_sentence_of_silence_does_not_spoil_the_rest() -> None:
    voice = ToneVoice(spoil=lambda number, samples: samples * (number > 1))
    chunks = list(speak("One. Two.", SpeakPlan(voice.synthesize, voice.info), CancelToken()))
    assert [mark.text for chunk in chunks for mark in chunk.marks if mark.kind == "word"] == ["Two."]
