"""Recordings that become voices, and those that do not."""

from __future__ import annotations

import io

import numpy as np
import pytest

from fakes import LoudnessDetector
from fakes_voice import tone
from talkie.audio.decode import load_audio, open_audio
from talkie.audio.encode import encode_wav
from talkie.errors import InvalidValue, UndecodableAudio
from talkie.runtime.voices import REFERENCE_HZ, check_language, reference
from talkie.types import Samples


def recording(samples: Samples, rate: int = 16_000) -> io.BytesIO:
    return io.BytesIO(encode_wav(samples.astype(np.float32), rate))


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * 16_000), np.float32)


def test_a_good_one_is_kept_as_24_khz() -> None:
    wav, seconds = reference(recording(np.concatenate([silence(0.5), tone(4.0), silence(0.5)])), LoudnessDetector())
    assert seconds == pytest.approx(5.0, abs=0.01)
    with open_audio(io.BytesIO(wav)) as stream:
        assert (stream.info.sample_rate, stream.info.channels) == (REFERENCE_HZ, 1)
    assert load_audio(io.BytesIO(wav)).duration_s == pytest.approx(5.0, abs=0.01)


def test_what_is_above_8_khz_stays() -> None:
    time_s = np.arange(48_000 * 4) / 48_000
    high = 0.2 * np.sin(2 * np.pi * 10_000 * time_s) + 0.2 * np.sin(2 * np.pi * 220 * time_s)
    wav, _ = reference(recording(high, 48_000), LoudnessDetector())
    kept = np.frombuffer(wav[44:], "<i2") / 32768
    spectrum = np.abs(np.fft.rfft(kept)) / len(kept)
    assert spectrum[round(10_000 * len(kept) / REFERENCE_HZ)] > 0.08


@pytest.mark.parametrize(
    ("samples", "why"),
    [
        (tone(2.0), "2.0 seconds long"),
        (tone(31.0), "longer than 30"),
        (silence(5.0), "0.0 seconds of speech"),
        (np.concatenate([tone(1.0), silence(5.0)]), "seconds of speech"),
        (np.sign(tone(4.0)), "overdriven"),
    ],
    ids=["short", "long", "silent", "little speech", "overdriven"],
)
def test_one_that_will_not_do_is_refused_with_the_reason(samples: Samples, why: str) -> None:
    with pytest.raises(InvalidValue, match=why) as refused:
        reference(recording(samples), LoudnessDetector())
    assert refused.value.param == "recording" and refused.value.hint


def test_one_that_is_too_quiet() -> None:
    class Ears(LoudnessDetector):
        def probabilities(self, audio):  # type: ignore[no-untyped-def]
            return np.ones(len(audio.samples) // 512, np.float32)

    with pytest.raises(InvalidValue, match="too quiet"):
        reference(recording(tone(4.0) * np.float32(0.002)), Ears())


def test_what_is_no_recording() -> None:
    with pytest.raises(UndecodableAudio):
        reference(io.BytesIO(b"\0" * 5000), LoudnessDetector())


@pytest.mark.parametrize("language", ["en", "pt-br", "zh-Hans-CN"])
def test_languages(language: str) -> None:
    check_language(language)


@pytest.mark.parametrize("language", ["", "e", "english!", "../x", "en-" * 20])
def test_no_languages(language: str) -> None:
    with pytest.raises(InvalidValue):
        check_language(language)
