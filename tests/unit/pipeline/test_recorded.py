"""A recording with the shapes of its mouth: its own sound whole, no shape late, and no more held than is needed."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from speech import say
from talkie.audio.formats import AudioInfo
from talkie.engines.asr.sphinx import SphinxRecognizer
from talkie.engines.vad.silero import SileroDetector
from talkie.errors import EngineFailed
from talkie.pipeline.recorded import PIECE_S, recorded, talk_rate
from talkie.types import Audio, Mark, Samples, SpeechChunk


class Detector:
    """Speech is where it is loud."""

    def open(self) -> "Detector":
        self._rest = np.zeros(0, np.float32)
        return self

    def feed(self, samples: Samples) -> NDArray[np.float32]:
        joined = np.concatenate([self._rest, samples])
        whole = len(joined) // 512 * 512
        self._rest = joined[whole:].copy()
        return (np.abs(joined[:whole]).reshape(-1, 512).max(1) > 0.05).astype(np.float32)

    def finish(self) -> NDArray[np.float32]:
        return self.feed(np.zeros(512 - len(self._rest), np.float32)) if len(self._rest) else np.zeros(0, np.float32)

    def probabilities(self, audio: Audio) -> NDArray[np.float32]:
        raise NotImplementedError


class Phonemes:
    """`M AA` again and again, each 0.1 s, and what was asked."""

    def __init__(self) -> None:
        self.asked: list[Audio] = []

    def __call__(self, audio: Audio) -> tuple[Mark, ...]:
        self.asked.append(audio)
        names = ("M", "AA")
        starts = [audio.start_s + at / 10 for at in range(int(audio.duration_s * 10))]
        return tuple(Mark("phoneme", names[at % 2], start_s, start_s + 0.1) for at, start_s in enumerate(starts))


def tone(*parts: tuple[float, float], rate: int = 16_000) -> Samples:
    """Seconds and loudness of each part; no two samples are alike."""
    loud = np.concatenate([np.full(round(seconds * rate), level) for seconds, level in parts])
    at = np.arange(len(loud)) / rate
    return (loud * np.sin(2 * np.pi * 220 * at)).astype(np.float32)


def cut(samples: Samples, length: int) -> Iterator[Samples]:
    return (samples[at : at + length] for at in range(0, len(samples), length))


def told(chunks: list[SpeechChunk]) -> list[Mark]:
    return [mark for chunk in chunks for mark in chunk.marks]


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("length", [777, 1_000_000])
def test_the_sound_is_its_own_and_whole(rate: int, length: int) -> None:
    sound = tone((0.7, 0.0), (1.5, 0.4), (1.2, 0.0), (0.9, 0.3), (0.03, 0.0), rate=rate)
    chunks = list(recorded(cut(sound, length), rate, detector=Detector(), phonemes=Phonemes(), generation=7))
    assert np.array_equal(np.concatenate([chunk.samples for chunk in chunks]), sound)
    assert all(0 < len(chunk.samples) <= rate / 2 for chunk in chunks)
    assert {(chunk.sample_rate, chunk.generation) for chunk in chunks} == {(rate, 7)}


def test_shapes_are_where_speech_is_and_never_late() -> None:
    sound = tone((1.0, 0.0), (1.5, 0.4), (1.5, 0.0), (1.0, 0.3), (1.0, 0.0))
    chunks = list(recorded(cut(sound, 4000), 16_000, detector=Detector(), phonemes=Phonemes()))
    at_s = 0.0
    for chunk in chunks:
        assert all(mark.start_s >= at_s - 0.001 for mark in chunk.marks), "with the sound it begins in"
        at_s += len(chunk.samples) / 16_000
        assert all(mark.start_s < at_s for mark in chunk.marks)
    marks = told(chunks)
    assert all(one.end_s == pytest.approx(other.start_s) for one, other in itertools.pairwise(marks))
    assert marks[0].start_s == 0
    assert marks[-1].end_s == pytest.approx(6.0)

    def letters(first_s: float, last_s: float) -> set[str]:
        return {mark.text for mark in marks if mark.start_s < last_s and mark.end_s > first_s}

    assert letters(1.1, 2.4) == letters(4.1, 4.9) == {"A", "D"}
    assert letters(0.0, 0.8) == letters(2.8, 3.8) == letters(5.3, 6.0) == {"X"}


def test_the_same_shapes_however_the_recording_is_cut() -> None:
    sound = tone((0.5, 0.0), (7.0, 0.4), (0.6, 0.0), (2.0, 0.2))

    def shapes(length: int) -> list[tuple[str, float, float]]:
        marks = told(list(recorded(cut(sound, length), 16_000, detector=Detector(), phonemes=Phonemes())))
        return [(mark.text, round(mark.start_s, 6), round(mark.end_s, 6)) for mark in marks if mark.text != "X"]

    assert shapes(160_000) == shapes(1_000) == shapes(33_333)


def test_pieces_are_short_and_nothing_waits_for_the_end() -> None:
    phonemes, fed = Phonemes(), [0.0]

    def blocks() -> Iterator[Samples]:
        for block in cut(tone((120.0, 0.4)), 16_000):
            fed[0] += 1
            yield block

    done_s, lag_s = 0.0, 0.0
    for chunk in recorded(blocks(), 16_000, detector=Detector(), phonemes=phonemes):
        done_s += len(chunk.samples) / 16_000
        lag_s = max(lag_s, fed[0] - done_s)
    assert done_s == pytest.approx(120.0)
    assert lag_s < PIECE_S + 3
    assert max(audio.duration_s for audio in phonemes.asked) <= PIECE_S + 0.01
    assert sum(audio.duration_s for audio in phonemes.asked) == pytest.approx(120.0, abs=0.5)


@pytest.mark.parametrize("silent", [True, False])
def test_where_there_are_no_phonemes_the_sound_is_left_to_speak(silent: bool) -> None:
    def fails(audio: Audio) -> tuple[Mark, ...]:
        if silent:
            return ()
        raise EngineFailed("sphinx", "it died")

    for phonemes in (None, fails):
        sound = tone((1.0, 0.0), (1.5, 0.4), (1.0, 0.0))
        marks = told(list(recorded(cut(sound, 8000), 16_000, detector=Detector(), phonemes=phonemes)))
        assert {mark.text for mark in marks} == {"X"}
        assert not any(mark.end_s > 1.1 and mark.start_s < 2.4 for mark in marks)


@pytest.mark.parametrize("seconds", [0.001, 0.1, 3.0])
def test_silence_is_handed_on_with_a_shut_mouth(seconds: float) -> None:
    sound = np.zeros(round(seconds * 22_050), np.float32)
    chunks = list(recorded(iter([sound]), 22_050, detector=SileroDetector(), phonemes=Phonemes()))
    assert sum(len(chunk.samples) for chunk in chunks) == len(sound)
    assert {mark.text for mark in told(chunks)} <= {"X"}


def test_the_rate_is_the_recordings_own_within_bounds() -> None:
    assert [talk_rate(AudioInfo("wav", "pcm", rate, 1)) for rate in (6_000, 22_050, 192_000)] == [8_000, 22_050, 48_000]


def test_what_somebody_says_is_seen() -> None:
    """The real detector and the real recogniser of phonemes: lips meet for m, b and p, and open between them."""
    speech = say("my mommy may be mopping")
    quiet = np.zeros(16_000, np.float32)
    recogniser = SphinxRecognizer()
    try:
        blocks = iter([quiet, speech, quiet])
        marks = told(list(recorded(blocks, 16_000, detector=SileroDetector(), phonemes=recogniser.phonemes)))
    finally:
        recogniser.close()
    said = [mark.text for mark in marks if 1.0 < mark.start_s < 1.0 + len(speech) / 16_000]
    assert said.count("A") >= 3
    assert {"C", "D"} & set(said)
    assert not any(mark.text != "X" for mark in marks if mark.end_s < 0.7 or mark.start_s > 1.4 + len(speech) / 16_000)
