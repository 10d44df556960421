"""The pure parts of synthesis, trial and report of the test model."""

from pathlib import Path

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor

from talkie.engines.tts.espeak_library import EventKind, Speech, SpeechEvent
from test_model.listening import word_errors
from test_model.report import report
from test_model.speech import mel_power, normalise, word_times


def test_features_are_those_of_faster_whisper() -> None:
    samples = np.random.default_rng(1).standard_normal(24_321).astype(np.float32) * 0.1
    theirs = FeatureExtractor()(samples)
    np.testing.assert_allclose(normalise(mel_power(samples)).T, theirs, atol=1e-4)


def test_normalise_keeps_eight_decades_below_the_loudest() -> None:
    power = np.array([[1.0, 1e-12]], np.float32)
    assert normalise(power).tolist() == [[1.0, -1.0]]
    assert normalise(power, loudest=2.0).tolist() == [[1.0, -0.5]]


def event(kind: EventKind, time_s: float, phoneme: str = "") -> SpeechEvent:
    return SpeechEvent(kind, time_s, 0, 0, phoneme)


def test_words_last_from_their_first_phoneme_to_the_end_of_their_last() -> None:
    events = (
        event("word", 0.0),
        event("phoneme", 0.02, "g"),
        event("phoneme", 0.1, "oʊ"),
        event("word", 0.3),
        event("phoneme", 0.31, "ʌ"),
        event("phoneme", 0.4, "p"),
        event("phoneme", 0.5),
        event("phoneme", 0.8),
        event("end", 0.8),
    )
    assert word_times(Speech(np.zeros(1, np.int16), 22_050, events)) == [(0.02, 0.3), (0.31, 0.5)]


@pytest.mark.parametrize(
    ("heard", "said", "errors"),
    [("", "", 0), ("one two", "one two", 0), ("one", "one two", 1), ("two one", "one", 1), ("a b c", "x b", 2)],
)
def test_word_errors(heard: str, said: str, errors: int) -> None:
    assert word_errors(heard.split(), said.split()) == errors


def test_report_has_a_line_for_every_few_minutes(tmp_path: Path) -> None:
    log = tmp_path / "training.csv"
    log.write_text("minute,step,name,value\n1.0,10,words,4.0\n6.0,60,words,2.0\n6.0,60,wer,0.5\n7.0,70,words,1.0\n")
    lines = report(log).splitlines()
    assert len(lines) == 3
    assert lines[1].split() == ["6.0", "60", "2.0", "0.5"]
    assert lines[2].split() == ["7.0", "70", "1.0", "0.5"]
