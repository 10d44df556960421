"""Hours of audio: memory bounded, segments early, the model kept fed, errors in their place, the words of the parts."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from fakes import FAKE_INFO, FakeRecognizer, LoudnessDetector, hear_its_place, heard, recording
from talkie.audio.gate import FRAME
from talkie.engines.base import RecognizeOptions
from talkie.errors import UndecodableAudio
from talkie.pipeline.feeding import PREPARED_S
from talkie.pipeline.transcribe import TranscribePlan, transcribe
from talkie.types import SAMPLE_RATE_HZ, Audio, Samples, Segment, Span, Transcript

BLOCK_S = 10
EN = RecognizeOptions(language="en")
WAIT_S = 20.0


class Tape:
    """Lazily so many blocks: seven seconds of a tone, three of silence; what was drawn is counted."""

    def __init__(self, blocks: int) -> None:
        self.left = blocks
        self.drawn = 0

    def __iter__(self) -> Iterator[Samples]:
        tone = (np.arange(BLOCK_S * SAMPLE_RATE_HZ) < 5 * SAMPLE_RATE_HZ) * np.float32(0.5)
        for _ in range(self.left):
            self.drawn += 1
            yield tone.astype(np.float32)


def plan_of(recognizer: FakeRecognizer, **changes: object) -> TranscribePlan:
    plan = TranscribePlan(recognizer.submit, recognizer.info, EN, LoudnessDetector(), lookahead=8)
    return replace(plan, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("vad", [True, False])
def test_two_hours_in_bounded_memory(vad: bool) -> None:
    tape = Tape(2 * 360)
    engine = FakeRecognizer(hear_its_place)

    def submit(audio: Audio, options: RecognizeOptions) -> Future[Transcript]:
        engine.batches.clear()  # the fake keeps what it heard
        return engine.submit(audio, options)

    plan = plan_of(engine, submit=submit, detector=LoudnessDetector() if vad else None)
    tracemalloc.start()
    try:
        events = transcribe(tape, plan)
        first = next(event for event in events if isinstance(event, Segment))
        assert first.start_s == 0
        assert tape.drawn * BLOCK_S <= PREPARED_S + 8 * 30 + 60
        *_, last = events
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(last, Transcript)
    assert last.duration_s == 2 * 3600
    assert last.segments[-1].end_s == pytest.approx(2 * 3600, abs=6)
    assert peak < (PREPARED_S + 8 * 30 + 120) * SAMPLE_RATE_HZ * 4


def test_the_next_windows_are_submitted_while_one_is_awaited() -> None:
    """The first answer comes only after the eighth window has arrived: nobody else could have brought it."""
    arrived = threading.Semaphore(0)
    recognizer = FakeRecognizer()
    asked = 0

    with ThreadPoolExecutor(1) as model:

        def work(audio: Audio) -> Transcript:
            if audio.start_s == 0:
                for _ in range(8):
                    assert arrived.acquire(timeout=WAIT_S)
            return hear_its_place(audio, EN)

        def submit(audio: Audio, options: RecognizeOptions) -> Future[Transcript]:
            nonlocal asked
            asked += 1
            arrived.release()
            return model.submit(work, audio)

        *_, last = transcribe(Tape(40), plan_of(recognizer, submit=submit))
    assert isinstance(last, Transcript)
    assert len(last.segments) == asked == 40


def test_others_follow_as_soon_as_the_language_is_known() -> None:
    recognizer = FakeRecognizer()
    *_, last = transcribe(Tape(6), plan_of(recognizer, options=RecognizeOptions()))
    assert isinstance(last, Transcript)
    assert [options.language for options in recognizer.options] == [None, *["en"] * 5]


def test_a_first_batch_is_not_of_one_window() -> None:
    counts: list[int] = []
    recognizer = FakeRecognizer(info=replace(FAKE_INFO, max_batch=8))
    tape = Tape(20)

    def submit(audio: Audio, options: RecognizeOptions) -> Future[Transcript]:
        counts.append(tape.drawn)
        return recognizer.submit(audio, options)

    list(transcribe(tape, plan_of(recognizer, submit=submit, first_batch=4)))
    assert counts[0] >= 4
    assert counts[:4] == [counts[0]] * 4


def test_damage_is_told_after_what_was_heard_before_it() -> None:
    def blocks() -> Iterator[Samples]:
        yield from Tape(3)
        raise UndecodableAudio("its data is damaged.")

    segments: list[Segment] = []
    with pytest.raises(UndecodableAudio):
        for event in transcribe(blocks(), plan_of(FakeRecognizer())):
            segments += [event] if isinstance(event, Segment) else []
    assert [segment.start_s for segment in segments] == pytest.approx([0, 9.7, 19.7], abs=0.03)


def test_a_window_that_is_refused_is_told_in_its_place() -> None:
    recognizer = FakeRecognizer()

    def submit(audio: Audio, options: RecognizeOptions) -> Future[Transcript]:
        if audio.start_s > 15:
            raise UndecodableAudio("refused")
        return recognizer.submit(audio, options)

    segments: list[Segment] = []
    with pytest.raises(UndecodableAudio):
        for event in transcribe(Tape(9), plan_of(recognizer, submit=submit)):
            segments += [event] if isinstance(event, Segment) else []
    assert len(segments) == 2


def test_a_caller_who_leaves_takes_the_thread_along() -> None:
    tape = Tape(1000)
    events = transcribe(tape, plan_of(FakeRecognizer()))
    assert next(events)
    drawn = tape.drawn
    events.close()  # type: ignore[attr-defined]
    assert tape.drawn == drawn
    assert not any(thread.name == "talkie-ahead" for thread in threading.enumerate())


def test_the_same_words_as_the_file_cut_at_its_silences() -> None:
    """Each window says how loud it is, to five digits: another cut would be another text."""

    def hear(audio: Audio, options: RecognizeOptions) -> Transcript:
        return heard(audio, f"{np.sqrt(np.mean(audio.samples**2)):.5f}")

    spans = [Span(start, start + 2 + start % 5) for start in range(2, 600, 13)]
    whole = np.concatenate(recording(610, *spans))
    cuts = [0, *(int((span.start_s - 2) * SAMPLE_RATE_HZ) // FRAME * FRAME for span in spans[10::10]), len(whole)]

    def text(samples: Samples) -> str:
        blocks = np.array_split(samples, max(1, len(samples) // 100_000))
        *_, last = transcribe(blocks, plan_of(FakeRecognizer(hear), filters=False))
        assert isinstance(last, Transcript)
        return last.text

    parts = [text(whole[start:end]) for start, end in pairwise(cuts)]
    assert len(parts) == 5
    assert text(whole).split() == " ".join(parts).split()
