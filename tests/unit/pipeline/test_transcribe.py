from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from fakes import FAKE_INFO, FakeRecognizer, LoudnessDetector, hear_its_place, heard, recording
from talkie.engines.base import DecodingOptions, RecognizeOptions
from talkie.pipeline.heard import MAX_RESUMES
from talkie.pipeline.transcribe import TranscribePlan, transcribe
from talkie.types import Audio, Progress, Segment, Span, Transcript

EARLY = replace(FAKE_INFO, may_stop_early=True)


def plan_of(recognizer: FakeRecognizer, **changes: object) -> TranscribePlan:
    plan = TranscribePlan(recognizer.submit, recognizer.info, detector=LoudnessDetector())
    return replace(plan, **changes)  # type: ignore[arg-type]


def result(blocks: list, plan: TranscribePlan) -> Transcript:
    *events, last = transcribe(blocks, plan)
    assert isinstance(last, Transcript)
    assert tuple(event for event in events if isinstance(event, Segment)) == last.segments
    return last


def test_windows_hold_speech_in_original_time() -> None:
    recognizer = FakeRecognizer()
    transcript = result(recording(40, Span(5, 8), Span(20, 24)), plan_of(recognizer))

    (first,), (second,) = recognizer.batches
    assert first.start_s == pytest.approx(5, abs=0.5)
    assert second.start_s == pytest.approx(20, abs=0.5)
    assert second.end_s == pytest.approx(24, abs=0.5)
    assert [segment.start_s for segment in transcript.segments] == [first.start_s, second.start_s]
    assert transcript.duration_s == 40
    assert transcript.language == "en"


def test_silence_is_never_given_to_an_engine() -> None:
    recognizer = FakeRecognizer()
    transcript = result(recording(60), plan_of(recognizer))
    assert recognizer.batches == []
    assert (transcript.text, transcript.duration_s) == ("", 60)


def test_no_recording_at_all() -> None:
    assert result([], plan_of(FakeRecognizer())).duration_s == 0
    assert result([], plan_of(FakeRecognizer(), detector=None)).duration_s == 0


def test_progress_ends_at_the_end() -> None:
    events = list(transcribe(recording(40, Span(5, 8), Span(20, 24)), plan_of(FakeRecognizer()), total_s=40))
    done = [event.done_s for event in events if isinstance(event, Progress)]
    assert done == sorted(done)
    assert done[-1] == 40


def test_what_a_decoder_leaves_out_is_decoded_again() -> None:
    """A decoder that ends after four seconds, whatever it is given: no speech may be lost."""

    def stops_early(audio: Audio, options: RecognizeOptions) -> Transcript:
        end_s = min(audio.end_s, audio.start_s + 4)
        return replace(heard(audio, f"until {end_s:g}", until_s=end_s), decoded_until_s=audio.end_s)

    recognizer = FakeRecognizer(stops_early, EARLY)
    transcript = result(recording(30, Span(2, 19)), plan_of(recognizer))
    ends = [segment.end_s for segment in transcript.segments]
    assert len(recognizer.batches) == 5
    assert ends[-1] == pytest.approx(19, abs=1.0)
    assert all(later - earlier == pytest.approx(4, abs=0.5) for earlier, later in itertools.pairwise(ends[:-1]))


def test_an_engine_that_never_stops_early_is_not_asked_again() -> None:
    recognizer = FakeRecognizer(lambda audio, _: heard(audio, "short", until_s=audio.start_s + 1))
    result(recording(30, Span(2, 19)), plan_of(recognizer))
    assert len(recognizer.batches) == 1


def test_a_window_that_is_no_speech_to_the_decoder_is_not_decoded_again() -> None:
    recognizer = FakeRecognizer(lambda audio, _: heard(audio), EARLY)
    assert result(recording(30, Span(2, 19)), plan_of(recognizer)).text == ""
    assert len(recognizer.batches) == 1


def test_a_decoder_that_hardly_moves_is_given_up_with_a_notice() -> None:
    recognizer = FakeRecognizer(lambda audio, _: heard(audio, "slow", until_s=audio.start_s + 0.1), EARLY)
    transcript = result(recording(40, Span(2, 25)), plan_of(recognizer, filters=False))
    assert len(recognizer.batches) == MAX_RESUMES + 1
    assert [notice.code for notice in transcript.notices] == ["speech_missing"]


def test_the_language_is_found_once_and_kept() -> None:
    recognizer = FakeRecognizer()
    result(recording(60, Span(2, 8), Span(20, 24), Span(40, 44)), plan_of(recognizer, lookahead=4))
    assert [options.language for options in recognizer.options] == [None, "en", "en"]


def test_an_engine_of_one_language_has_nothing_to_find_out() -> None:
    recognizer = FakeRecognizer(info=replace(FAKE_INFO, languages=("de",)))
    assert result(recording(60, Span(2, 8), Span(20, 24)), plan_of(recognizer)).language == "de"
    assert [options.language for options in recognizer.options] == ["de", "de"]
    assert result(recording(5), plan_of(recognizer)).language == "de"


def test_a_given_language_stays() -> None:
    recognizer = FakeRecognizer()
    plan = plan_of(recognizer, options=RecognizeOptions(language="de"))
    assert result(recording(30, Span(2, 8)), plan).language == "de"


def test_previous_text_is_handed_on_only_when_asked_for() -> None:
    blocks = recording(60, Span(2, 8), Span(20, 24))
    plain, conditioned = FakeRecognizer(), FakeRecognizer()
    result(blocks, plan_of(plain, options=RecognizeOptions(prompt="names")))
    assert [options.prompt for options in plain.options] == ["names", "names"]
    options = RecognizeOptions(prompt="names", decoding=DecodingOptions(condition_on_previous_text=True))
    text = result(blocks, plan_of(conditioned, options=options)).segments[0].text
    assert [options.prompt for options in conditioned.options] == ["names", f"names {text}"]


def test_filtered_segments_are_listed_with_their_reason() -> None:
    loop = "so it goes " * 30
    recognizer = FakeRecognizer(lambda audio, _: heard(audio, "plain words here", loop.strip()))
    blocks = recording(30, Span(2, 12))
    transcript = result(blocks, plan_of(recognizer))
    assert transcript.text == "plain words here"
    assert [dropped.segment.text for dropped in transcript.dropped] == [loop.strip()]
    assert all(dropped.reason for dropped in transcript.dropped)
    assert len(result(blocks, plan_of(recognizer, filters=False)).segments) == 2


class TestSeeking:
    """Without voice activity, as the reference goes through a file."""

    def test_windows_follow_where_the_decoder_got_to(self) -> None:
        recognizer = FakeRecognizer(
            lambda audio, _: heard(audio, "words", until_s=min(audio.end_s, audio.start_s + 25))
        )
        result(recording(70, Span(0, 70)), plan_of(recognizer, detector=None))
        windows = [(audio.start_s, round(audio.duration_s, 3)) for (audio,) in recognizer.batches]
        assert windows == [(0, 30), (25, 30), (50, 20)]

    def test_a_decoder_that_does_not_move_is_moved_on(self) -> None:
        recognizer = FakeRecognizer(lambda audio, _: heard(audio, "stuck", until_s=audio.start_s))
        result(recording(70, Span(0, 70)), plan_of(recognizer, detector=None))
        assert [audio.start_s for (audio,) in recognizer.batches] == [0, 30, 60]

    def test_a_decoder_that_claims_more_than_there_is(self) -> None:
        recognizer = FakeRecognizer(lambda audio, _: heard(audio, "far", until_s=audio.end_s + 100))
        result(recording(70, Span(0, 70)), plan_of(recognizer, detector=None))
        assert [audio.start_s for (audio,) in recognizer.batches] == [0, 30, 60]


def test_closing_early_takes_windows_in_flight_back() -> None:
    from concurrent.futures import Future

    futures: list[Future[Transcript]] = []

    def submit(audio: Audio, options: RecognizeOptions) -> Future[Transcript]:
        future: Future[Transcript] = Future()
        if not futures:
            future.set_result(hear_its_place(audio, options))
        futures.append(future)
        return future

    spans = [Span(start, start + 3) for start in range(2, 90, 8)]
    plan = TranscribePlan(
        submit,
        FAKE_INFO,
        RecognizeOptions(language="en"),
        LoudnessDetector(),
        lookahead=3,
        first_batch=3,
        wait=_wait_or_stop,
    )
    with pytest.raises(TimeoutError):
        list(transcribe(recording(100, *spans), plan))
    assert 3 <= len(futures) <= 4
    assert all(future.cancelled() for future in futures[1:])


def _wait_or_stop(future: object) -> Transcript:
    return future.result(timeout=0)  # type: ignore[attr-defined, no-any-return]
