"""The Whisper engine hears what faster-whisper hears: the same text, tokens, times and numbers on the same model.

One window at a time, INT8, on the processor. The shape-true models bring many phrases and every kind of end; the
trained one brings truth: speech, pauses, silence. Temperatures above 0 draw lots, so their rules have unit tests of
their own.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fakes import hear_all
from speech import say
from talkie.engines.asr.whisper import WhisperRecognizer
from talkie.engines.base import PRESETS, DecodingOptions, RecognizeOptions
from talkie.types import Audio, Samples, Segment, Transcript
from whisper_models import ENGLISH, OPEN_END, SEVERAL, TRAINED, shape_model
from whisper_reference import reference_seeks, reference_transcribe

pytestmark = pytest.mark.xdist_group("parity")  # both keep the models that they have loaded

SAID = ("turn the red light on", "please open the door", "hello talkie what time is it", "one two three four five")


@functools.cache
def recognizer(model: Path) -> WhisperRecognizer:
    return WhisperRecognizer(model, device="cpu", compute_type="int8", threads=1)


@functools.cache
def noise(seconds: float) -> Samples:
    rng = np.random.default_rng(7)
    samples = (0.05 * rng.standard_normal(round(seconds * 16_000))).astype(np.float32)
    samples[len(samples) // 3 : len(samples) // 2] = 0
    return samples


@functools.cache
def sentences(pause_s: float, voice: str = "en-us+f3") -> Samples:
    pause = np.zeros(round(pause_s * 16_000), np.float32)
    return np.concatenate([part for text in SAID for part in (say(text, voice), pause)])[: 30 * 16_000]


def model_directory(name: str) -> Path:
    if name != "trained":
        return shape_model({"several": SEVERAL, "open end": OPEN_END, "english": ENGLISH}[name])
    if not (TRAINED / "model.bin").is_file():
        pytest.skip("the trained test model has not been made yet: tools/train_test_model.py")
    return TRAINED


@dataclass(frozen=True)
class Case:
    """The same wishes in both tongues."""

    beam_size: int = 1
    words: bool = False
    prompt: str = ""
    hotwords: str = ""
    language: str | None = None
    task: Any = "transcribe"
    decoding: DecodingOptions = field(default_factory=lambda: DecodingOptions(temperatures=(0.0,)))

    @property
    def ours(self) -> RecognizeOptions:
        decoding = replace(self.decoding, beam_size=self.beam_size)
        return RecognizeOptions(self.language, self.task, self.prompt, self.hotwords, self.words, decoding)

    @property
    def theirs(self) -> dict[str, Any]:
        decoding = self.decoding
        return {
            "beam_size": self.beam_size,
            "word_timestamps": self.words,
            "initial_prompt": self.prompt or None,
            "hotwords": self.hotwords or None,
            "language": self.language,
            "task": self.task,
            "temperature": list(decoding.temperatures),
            "compression_ratio_threshold": decoding.compression_ratio_threshold,
            "log_prob_threshold": decoding.log_prob_threshold,
            "no_speech_threshold": decoding.no_speech_threshold,
            "length_penalty": decoding.length_penalty,
            "repetition_penalty": decoding.repetition_penalty,
            "no_repeat_ngram_size": decoding.no_repeat_ngram_size,
            "suppress_blank": decoding.suppress_blank,
            "max_initial_timestamp": decoding.max_initial_timestamp_s,
            "max_new_tokens": decoding.max_new_tokens,
        }


def both(model: Path, samples: Samples, case: Case) -> tuple[Transcript, Transcript]:
    (ours,) = hear_all(recognizer(model), [Audio(samples)], case.ours)
    return ours, reference_transcribe(model, samples, **case.theirs)


def assert_same(ours: tuple[Segment, ...], theirs: tuple[Segment, ...]) -> None:
    assert [segment.tokens for segment in ours] == [segment.tokens for segment in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert one.text == other.text
        assert (one.start_s, one.end_s) == pytest.approx((other.start_s, other.end_s), abs=1e-6)
        assert one.avg_logprob == pytest.approx(other.avg_logprob, abs=1e-5)
        assert one.no_speech_prob == pytest.approx(other.no_speech_prob, abs=1e-5)
        assert one.compression_ratio == other.compression_ratio
        assert one.temperature == other.temperature
        assert [word.text for word in one.words] == [word.text for word in other.words]
        for word, their in zip(one.words, other.words, strict=True):
            assert (word.start_s, word.end_s) == pytest.approx((their.start_s, their.end_s), abs=1e-6)
            assert word.probability == pytest.approx(their.probability, abs=1e-5)


@pytest.mark.parametrize("name", ["several", "english", "trained"])
@pytest.mark.parametrize(
    "case",
    [
        Case(beam_size=1),
        Case(beam_size=1, words=True, prompt="hello talkie"),
        Case(beam_size=5, prompt="good morning", hotwords="door, lamp"),
        Case(beam_size=5, words=True, hotwords="light"),
    ],
    ids=["greedy", "greedy, words, prompt", "beam, prompt, hotwords", "beam, words, hotwords"],
)
def test_a_window_is_heard_alike(name: str, case: Case) -> None:
    model = model_directory(name)
    samples = sentences(0.8) if name == "trained" else noise(30.0)
    ours, theirs = both(model, samples, case)
    assert len(theirs.segments) > 1
    assert_same(ours.segments, theirs.segments)
    assert (ours.language, ours.language_probability) == ("en", pytest.approx(theirs.language_probability, abs=1e-6))


@pytest.mark.parametrize("words", [False, True], ids=["phrases", "words"])
def test_the_next_window_begins_at_the_same_place(words: bool) -> None:
    model = model_directory("open end")
    case = Case(words=words)
    (ours,) = hear_all(recognizer(model), [Audio(noise(30.0))], case.ours)
    first, *later = reference_seeks(model, noise(30.0), **case.theirs)
    assert first == 0.0
    if later:
        assert ours.decoded_until_s == pytest.approx(later[0], abs=1e-6)
    else:
        assert ours.decoded_until_s > 29.0  # what is left is too short to hold a word


@pytest.mark.parametrize(("language", "task"), [("fr", "transcribe"), ("fr", "translate"), ("ja", "transcribe")])
def test_languages_and_tasks(language: str, task: str) -> None:
    ours, theirs = both(model_directory("several"), noise(30.0), Case(language=language, task=task, words=True))
    assert_same(ours.segments, theirs.segments)
    assert (ours.language, ours.task) == (language, task)


@pytest.mark.parametrize("seconds", [1.0, 4.44, 12.805])
def test_the_language_of_a_short_window_is_found(seconds: float) -> None:
    """The reference looks at 10 ms more than it decodes, so its probability is a little different."""
    ours, theirs = both(model_directory("several"), noise(seconds), Case())
    assert ours.language == theirs.language
    assert ours.language_probability == pytest.approx(theirs.language_probability, abs=1e-2)


@pytest.mark.parametrize("voice", ["en-us+f3", "en-gb", "en-us+m7"])
@pytest.mark.parametrize("pause_s", [0.0, 0.3, 3.0])
def test_speech_with_pauses(voice: str, pause_s: float) -> None:
    ours, theirs = both(model_directory("trained"), sentences(pause_s, voice), Case(beam_size=2, words=True))
    assert theirs.segments
    assert_same(ours.segments, theirs.segments[: len(ours.segments)])
    if len(ours.segments) < len(theirs.segments):
        assert ours.decoded_until_s < len(sentences(pause_s, voice)) / 16_000


@pytest.mark.parametrize("text", ["stop", "turn the volume up", "one"])
@pytest.mark.parametrize("preset", ["balanced", "strict"])
def test_short_utterances_and_presets(text: str, preset: str) -> None:
    decoding = DecodingOptions(
        temperatures=(0.0,),
        no_speech_threshold=PRESETS[preset].no_speech_threshold,
        log_prob_threshold=PRESETS[preset].log_prob_threshold,
    )
    ours, theirs = both(model_directory("trained"), say(text), Case(beam_size=5, words=True, decoding=decoding))
    assert_same(ours.segments, theirs.segments)


@pytest.mark.parametrize("samples", [noise(3.0) * 0, noise(2.0), noise(20.0) * 3], ids=["silence", "hiss", "loud"])
def test_no_speech(samples: Samples) -> None:
    ours, theirs = both(model_directory("trained"), samples, Case())
    assert_same(ours.segments, theirs.segments)


@pytest.mark.parametrize(
    "decoding",
    [
        DecodingOptions(temperatures=(0.0,), length_penalty=2.0, repetition_penalty=1.3),
        DecodingOptions(temperatures=(0.0,), no_repeat_ngram_size=2, suppress_blank=False),
        DecodingOptions(temperatures=(0.0,), max_initial_timestamp_s=0.2, max_new_tokens=6),
        DecodingOptions(temperatures=(0.0, 0.0), log_prob_threshold=0.5, compression_ratio_threshold=0.1),
        DecodingOptions(temperatures=(0.0,), no_speech_threshold=None, log_prob_threshold=None),
    ],
    ids=["penalties", "no repeats", "short", "every try fails", "no thresholds"],
)
def test_settings_reach_the_decoder(decoding: DecodingOptions) -> None:
    case = Case(beam_size=3, decoding=decoding)
    ours, theirs = both(model_directory("trained"), sentences(0.3), case)
    assert theirs.segments
    assert_same(ours.segments, theirs.segments[: len(ours.segments)])
    assert ours.segments


def test_a_batch_is_heard_as_its_windows_are() -> None:
    model = model_directory("trained")
    windows = [say(text) for text in SAID] + [sentences(3.0, "en-gb"), noise(5.0), sentences(0.3)]
    options = Case(words=True).ours
    together = hear_all(recognizer(model), [Audio(window) for window in windows], options)
    for window, heard in zip(windows, together, strict=True):
        (alone,) = hear_all(recognizer(model), [Audio(window)], options)
        assert [segment.tokens for segment in heard.segments] == [segment.tokens for segment in alone.segments]
        assert_same(heard.segments, alone.segments)
