"""The first and the last word of a recording come through a session, and silence and noise come to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future

import numpy as np
import pytest

from fakes import FAKE_INFO
from live_hearing import apart, finals_of, listen, text_of
from speech import say
from talkie.audio.segment import SegmentOptions
from talkie.engines.asr.whisper import WhisperRecognizer
from talkie.engines.base import PRESETS, RecognizeOptions
from talkie.engines.vad.silero import SileroDetector
from talkie.pipeline.live import LiveHearing, LivePlan
from talkie.runtime.scheduler import Lane
from talkie.types import SAMPLE_RATE_HZ, Audio, Samples, Transcript
from whisper_backends import DIGITS, HUMAN, human_digits
from whisper_models import TRAINED

OPTIONS = RecognizeOptions(language="en", decoding=PRESETS["balanced"])
VOICES = ("en-us+klatt4", "en-gb", "en-us+m7", "en-gb-scotland")


@pytest.fixture(scope="module")
def detector() -> SileroDetector:
    return SileroDetector()


@pytest.fixture(scope="module")
def trained() -> Iterator[Lane]:
    if not (TRAINED / "model.bin").exists():
        pytest.skip("the trained test model is not here")
    lane = Lane(WhisperRecognizer(TRAINED, compute_type="int8", threads=1))
    yield lane
    lane.close()


@pytest.mark.parametrize("pause_s", [0.0, 1.0])
def test_the_first_and_the_last_of_four_digits(trained: Lane, detector: SileroDetector, pause_s: float) -> None:
    """Twenty recordings; without a pause they begin and end with the word itself, as a button cuts them."""
    rng = np.random.default_rng(5)
    for number in range(20):
        said = [str(digit) for digit in rng.choice(DIGITS, 4, replace=False)]
        samples = apart([say(" ".join(said), VOICES[number % 4])], pause_s)
        heard = text_of(listen(trained, detector, samples, OPTIONS, partials=False)).split()
        assert [heard[0], heard[-1]] == [said[0], said[-1]]


@pytest.mark.human
@pytest.mark.skipif(not (HUMAN / "digits").is_dir(), reason="the human recordings are not here")
def test_the_first_and_the_last_digit_of_people(trained: Lane, detector: SileroDetector) -> None:
    """Of twenty recordings whose first and last word the model, which never heard people, gets right when it is given
    the whole of them at once. It may take one for another where a pause makes it hear a digit alone."""
    right: list[bool] = []
    for spoken in human_digits(4)[:60]:
        with trained.open() as job:
            whole = job.submit(Audio(spoken.samples), OPTIONS).result(60).text.split()
        said = spoken.text.split()
        if len(right) < 20 and whole[:1] + whole[-1:] == [said[0], said[-1]]:
            events = listen(trained, detector, spoken.samples, OPTIONS, partials=False)
            assert finals_of(events)[0].span.start_s < 0.3
            assert len(spoken.samples) / SAMPLE_RATE_HZ - finals_of(events)[-1].span.end_s < 0.3
            heard = text_of(events).split()
            right.append([heard[0], heard[-1]] == [said[0], said[-1]])
    assert len(right) == 20
    assert sum(right) >= 19


def _noise(seconds: float, level: float, seed: int) -> Samples:
    noise = np.random.default_rng(seed).normal(0, level, round(seconds * SAMPLE_RATE_HZ))
    return noise.astype(np.float32)


def _hum(seconds: float) -> Samples:
    return np.asarray(0.02 * np.sin(2 * np.pi * 50 * np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ), "f4")


@pytest.mark.parametrize("gate", [False, True])
def test_silence_and_low_noise_tell_nothing_and_cost_the_engine_nothing(detector: SileroDetector, gate: bool) -> None:
    """Twelve minutes here; the whole hour, and another of noise, is a benchmark's."""

    def nothing(audio: Audio, options: RecognizeOptions) -> Future[Transcript]:
        raise AssertionError("there was nothing to hear")

    plan = LivePlan(nothing, nothing, FAKE_INFO, detector, segmenting=SegmentOptions(energy_gate=gate))
    hearing = LiveHearing(plan, lambda: None)
    for minute in range(3):
        for sound in (np.zeros(60 * SAMPLE_RATE_HZ, np.float32), _noise(60, 0.001, minute), _noise(60, 0.01, minute)):
            for at in range(0, len(sound), 2 * SAMPLE_RATE_HZ):
                assert hearing.feed(sound[at : at + 2 * SAMPLE_RATE_HZ]) == []
        assert hearing.feed(_hum(60)) == []
    assert hearing.finish() == []
    assert hearing.heard_s == pytest.approx(720)
    assert not hearing.pending


def test_a_word_after_a_long_silence_is_heard_whole(trained: Lane, detector: SileroDetector) -> None:
    samples = np.concatenate([np.zeros(240 * SAMPLE_RATE_HZ, np.float32), apart([say("seven eight nine")], 1.0)])
    [final] = finals_of(listen(trained, detector, samples, OPTIONS, piece_s=2.0, partials=False))
    assert final.transcript.text == "seven eight nine"
    assert final.span.start_s == pytest.approx(241, abs=0.4)
