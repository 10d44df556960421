"""The pipeline over real Whisper engines: nothing is lost, and windows follow each other as in the reference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fakes import LoudnessDetector, recording
from speech import say
from talkie.bench.shape_true import Script, make_shape_true, written_text
from talkie.engines.asr.whisper import WhisperRecognizer
from talkie.engines.base import DecodingOptions, RecognizeOptions
from talkie.engines.vad.silero import SileroDetector
from talkie.pipeline.transcribe import TranscribePlan, transcribe
from talkie.pipeline.windows import HOP
from talkie.runtime.jobs import Job
from talkie.runtime.scheduler import Lane
from talkie.text.wer import word_error_rate
from talkie.types import SAMPLE_RATE_HZ, Audio, Samples, Span, Transcript
from whisper_reference import reference_model, to_segment

TRAINED = Path(__file__).parents[1] / "fixtures" / "whisper-test"
GREEDY = DecodingOptions(beam_size=1, best_of=1, temperatures=(0.0,))
EN = RecognizeOptions(language="en", decoding=GREEDY)
SENTENCES = ("three four five six", "open the door please", "seven eight nine", "yes stop the light") * 3

trained = pytest.mark.skipif(not (TRAINED / "model.bin").exists(), reason="the trained test model is not here")


@pytest.fixture
def open_lane() -> Iterator[object]:
    lanes: list[Lane] = []

    def open_(path: Path) -> Lane:
        lanes.append(Lane(WhisperRecognizer(path, compute_type="int8", threads=1)))
        return lanes[-1]

    yield open_
    for lane in lanes:
        lane.close()


def whole(blocks: list[Samples], plan: TranscribePlan) -> Transcript:
    *_, last = transcribe(blocks, plan)
    assert isinstance(last, Transcript)
    return last


def long_speech() -> Samples:
    pause = np.zeros(int(1.5 * SAMPLE_RATE_HZ), np.float32)
    return np.concatenate([part for text in SENTENCES for part in (say(text), pause)])


def test_a_decoder_that_stops_early_loses_no_speech(open_lane, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """A real decoder that always ends eight seconds into its window, on 25 s of speech."""
    script = Script(words=10, segments=1, until_s=8.0)
    lane = open_lane(make_shape_true(tmp_path / "early", "micro", script=script))
    plan = TranscribePlan(lane.open().submit, lane.recognizer.info, EN, LoudnessDetector(), filters=False)
    transcript = whole(recording(40, Span(5, 30)), plan)

    starts = [segment.start_s for segment in transcript.segments]
    assert len(starts) == 4
    assert np.diff(starts) == pytest.approx([8, 8, 8], abs=0.1)
    assert transcript.segments[-1].end_s == pytest.approx(30, abs=0.5)
    assert transcript.text == " ".join([written_text(script)] * 4)


@trained
def test_voice_activity_finds_every_sentence_where_it_was_spoken(open_lane) -> None:  # type: ignore[no-untyped-def]
    samples = long_speech()
    lane = open_lane(TRAINED)
    transcript = whole([samples], TranscribePlan(lane.open().submit, lane.recognizer.info, EN, SileroDetector()))
    assert word_error_rate(" ".join(SENTENCES), transcript.text).rate < 0.25
    place_s, begins = 0.0, []
    for text in SENTENCES:
        begins.append(place_s)
        place_s += len(say(text)) / SAMPLE_RATE_HZ + 1.5
    heard = [segment.start_s for segment in transcript.segments]
    near = [min(abs(begin - start) for start in heard) for begin in begins]
    assert np.median(near) < 0.3


class Recorded:
    """A job that keeps what went through it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.windows: list[Audio] = []
        self.transcripts: list[Transcript] = []

    def submit(self, audio: Audio, options: RecognizeOptions):  # type: ignore[no-untyped-def]
        future = self.job.submit(audio, options)
        self.windows.append(audio)
        self.transcripts.append(future.result(60))
        return future


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("model", [pytest.param("trained", marks=trained), "shape-true"])
def test_windows_of_a_long_file_equal_the_reference(model: str, words: bool, open_lane, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Without voice activity: each window gives what faster-whisper gives for it, and the next begins where the
    reference would go on."""
    script = Script(words=20, segments=3, until_s=22.0, open_end=True)
    path = TRAINED if model == "trained" else make_shape_true(tmp_path / "model", "micro", script=script)
    lane = open_lane(path)
    recorded = Recorded(lane.open())
    samples = np.tile(long_speech(), 2)[: 66 * SAMPLE_RATE_HZ]  # the fixed text of 22 s fits three times
    options = replace(EN, words=words)
    whole([samples], TranscribePlan(recorded.submit, lane.recognizer.info, options, filters=False))

    assert len(recorded.windows) >= 2
    place = 0
    for window, ours in zip(recorded.windows, recorded.transcripts, strict=True):
        assert round(window.start_s * SAMPLE_RATE_HZ) == place
        reference = _first_window(path, window, words)
        assert [segment.tokens for segment in ours.segments] == [segment.tokens for segment in reference.segments]
        assert [segment.text for segment in ours.segments] == [segment.text for segment in reference.segments]
        alone = lane.open().submit(Audio(window.samples), options).result(60)
        assert _times(alone) == pytest.approx(_times(reference), abs=1e-3)
        # Added to a start such as 22.0, a time may round to the other side of a rule's bound: one word, 0.2 s at most.
        assert _times(ours, window.start_s) == pytest.approx(_times(reference), abs=0.2)
        place = round(ours.decoded_until_s * 100) * 160
    assert place > len(samples) - HOP


def _first_window(path: Path, window: Audio, words: bool) -> Transcript:
    """What the reference hears before it goes on to what its first pass left over."""
    options = {"beam_size": 1, "best_of": 1, "temperature": [0.0], "condition_on_previous_text": False}
    found, _ = reference_model(path).transcribe(window.samples, language="en", word_timestamps=words, **options)
    return Transcript(tuple(to_segment(one) for one in found if one.seek == 0))


def _times(transcript: Transcript, offset_s: float = 0.0) -> list[float]:
    return [
        time - offset_s
        for segment in transcript.segments
        for time in (segment.start_s, segment.end_s, *(t for word in segment.words for t in (word.start_s, word.end_s)))
    ]


@trained
def test_a_long_recording_says_what_its_parts_say(open_lane) -> None:  # type: ignore[no-untyped-def]
    """Cut at its silences, each part heard by itself: the same text. Windows of one part never reach into the next."""
    lane = open_lane(TRAINED)
    silence = np.zeros(int(6 * SAMPLE_RATE_HZ), np.float32)
    parts = [np.concatenate([say(text), silence]) for text in SENTENCES[:4]]

    def hear(samples: Samples) -> str:
        with lane.open() as job:
            plan = TranscribePlan(job.submit, lane.recognizer.info, EN, SileroDetector(), lookahead=job.lookahead)
            return whole([samples], plan).text

    texts = [hear(part) for part in parts]
    assert all(texts)
    assert hear(np.concatenate(parts * 3)) == " ".join(texts * 3)
