"""Passes over an utterance that goes on: when they are made, over what, and what they may say."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from math import inf

import numpy as np
import pytest

from fakes import FAKE_INFO, heard
from live_engine import HandSubmit, Session, loud, quiet, said, sound
from talkie.audio.segment import SegmentOptions
from talkie.engines.base import PRESETS, RecognizeOptions
from talkie.errors import EngineFailed, QueueFull
from talkie.pipeline.live_guesses import LONG_PASS_S
from talkie.types import Audio, LiveFinal, Segment, Transcript


def heard_of(session: Session) -> list[float]:
    return [one.audio.end_s for one in session.guesses.asked]


def test_one_pass_at_a_time_over_all_that_was_said() -> None:
    session = Session(at_once=False)
    session.feed(sound(1.0, 3.0))
    [first] = session.guesses.asked
    assert first.audio.start_s == pytest.approx(0.7, abs=0.04)
    first.answer()
    session.collect()
    session.feed(loud(0.1))
    assert len(session.guesses.asked) == 2
    assert session.guesses.asked[1].audio.start_s == first.audio.start_s
    assert session.guesses.asked[1].audio.end_s == pytest.approx(4.1, abs=0.04)


@pytest.mark.parametrize("every_s", [0.3, 0.6, 1.2])
def test_a_pass_waits_for_new_sound(every_s: float) -> None:
    session = Session(partial_every_s=lambda: every_s)
    session.feed(sound(1.0, 6.0), 0.032)
    ends = heard_of(session)
    assert ends[0] >= 0.7 + every_s - 0.05
    gaps = np.diff(ends)
    assert gaps.min() >= every_s - 1e-6
    assert gaps.max() <= every_s + 0.05
    assert ends[-1] > 7.0 - every_s - 0.1


def test_a_session_that_is_pressed_makes_fewer_or_none() -> None:
    every_s = 0.6
    session = Session(partial_every_s=lambda: every_s)
    session.feed(sound(1.0, 2.0))
    before = len(session.guesses.asked)
    every_s = inf
    session.feed(loud(3.0))
    assert len(session.guesses.asked) == before
    every_s = 1.2
    session.feed(loud(2.6))
    assert before < len(session.guesses.asked) <= before + 3


def test_no_pass_in_a_pause() -> None:
    session = Session()
    session.feed(sound(1.0, 1.0))
    before = len(session.guesses.asked)
    session.feed(quiet(0.4))
    assert len(session.guesses.asked) == before


def test_none_are_made_where_none_are_wanted() -> None:
    session = Session(partials=False)
    session.feed(sound(1.0, 3.0, 1.0))
    assert session.guesses.asked == []
    assert session.texts() == ["w2 w3 w4 w5 w6 w7"]


def test_a_pass_at_work_when_the_utterance_ends_is_taken_back() -> None:
    session = Session(at_once=False)
    session.feed(sound(1.0, 2.0, 1.0))
    [guess] = session.guesses.asked
    assert guess.future.cancelled()
    assert session.hearing.cancelled == 1
    assert len(session.finals.waiting) == 1


def test_a_pass_that_came_in_time_is_told_before_the_end() -> None:
    session = Session(at_once=False)
    session.feed(sound(1.0, 2.0))
    session.guesses.asked[0].answer(heard(session.guesses.asked[0].audio, "w2"))
    session.finish()
    session.finals.asked[0].answer()
    session.collect()
    assert session.told() == ["0 SpeechStarted", "0 |w2", "0 SpeechStopped", "0 = w2 w3 w4 w5"]


def test_a_pass_is_quick_and_a_final_is_careful() -> None:
    options = RecognizeOptions(language="en", words=True, prompt="names", decoding=PRESETS["balanced"])
    session = Session(options=options)
    session.feed(sound(1.0, 2.0, 1.0))
    guess, final = session.guesses.asked[0].options, session.finals.asked[0].options
    assert final == options
    assert (guess.context, guess.words, guess.prompt, guess.language) == ("guess", False, "names", "en")
    assert (guess.decoding.beam_size, guess.decoding.best_of, guess.decoding.temperatures) == (1, 1, (0.0,))
    assert guess.decoding.max_new_tokens == 24 + 16
    last = session.guesses.asked[-1]
    assert 1.0 < last.audio.duration_s < 2.0
    assert last.options.decoding.max_new_tokens == 24 + 2 * 16


def test_a_pass_uses_the_language_that_was_found() -> None:
    session = Session(info=FAKE_INFO)
    session.feed(sound(1.0, 2.0, 1.0))
    assert {one.options.language for one in session.guesses.asked} == {None}
    count = len(session.guesses.asked)
    session.feed(sound(0.1, 2.0, 1.0))
    assert {one.options.language for one in session.guesses.asked[count:]} == {"en"}


@pytest.mark.parametrize("error", [EngineFailed("fake", "broken"), QueueFull(3)])
def test_a_pass_that_fails_is_forgotten(error: Exception) -> None:
    session = Session(at_once=False)
    session.feed(sound(1.0, 1.0))
    session.guesses.asked[0].future.set_exception(error)
    session.feed(loud(1.0))
    session.guesses.asked[1].answer()
    session.collect()
    assert len(session.partials()) == 1


def test_a_line_that_is_full_costs_a_guess_and_nothing_else() -> None:
    def full(audio: Audio, options: RecognizeOptions) -> Future[Transcript]:
        raise QueueFull(3)

    session = Session(submit_partial=full)
    session.feed(sound(1.0, 2.0, 1.0))
    assert session.partials() == []
    assert session.texts() == ["w2 w3 w4 w5"]


@pytest.mark.parametrize(
    "lie",
    [
        lambda audio: Segment("♪♪♪", audio.start_s, audio.end_s),
        lambda audio: Segment("no " * 60, audio.start_s, audio.end_s, compression_ratio=9.0),
        lambda audio: Segment("Привет всем людям", audio.start_s, audio.end_s),
        lambda audio: Segment("Thanks for watching!", audio.start_s, audio.end_s, tokens=(1,), no_speech_prob=0.9),
    ],
)
def test_what_a_filter_takes_exception_to_tells_nothing(lie: Callable[[Audio], Segment]) -> None:
    session = Session(at_once=False, options=RecognizeOptions(language="en"))
    session.feed(sound(1.0, 2.0))
    _answer_all(session, said)
    session.feed(loud(0.1))
    _answer_all(session, said)
    session.feed(loud(0.7))
    for one in session.guesses.waiting:
        one.answer(replace(said(one.audio, one.options), segments=(lie(one.audio),), language="en"))
    session.collect()
    session.feed(loud(0.7))
    _answer_all(session, said)
    texts = [partial.text for partial in session.partials()]
    assert all(text.replace(" ", "").replace("w", "").isdigit() for text in texts)
    assert session.partials()[-1].committed


def _answer_all(session: Session, hear: Callable[[Audio, RecognizeOptions], Transcript]) -> None:
    for one in session.guesses.waiting:
        one.answer(hear(one.audio, one.options))
    session.collect()


def test_a_silent_window_tells_nothing() -> None:
    session = Session(at_once=False)
    session.feed(sound(1.0, 1.0))
    _answer_all(session, lambda audio, options: Transcript(language="en"))
    assert session.partials() == []


# -- long utterances --------------------------------------------------------------------------------------------------


def by_segments(audio: Audio, options: RecognizeOptions) -> Transcript:
    """As `said`, three words to a segment that has its times."""
    words = said(audio, options).text.split()
    groups = [words[at : at + 3] for at in range(0, len(words), 3)]
    segments = tuple(
        Segment(" ".join(group), int(group[0][1:]) * 0.5, int(group[-1][1:]) * 0.5 + 0.5) for group in groups
    )
    return Transcript(segments, "en", decoded_until_s=audio.end_s)


class Told(HandSubmit):
    def __init__(self, hear: Callable[[Audio, RecognizeOptions], Transcript]) -> None:
        super().__init__()
        self.hear = hear

    def __call__(self, audio: Audio, options: RecognizeOptions) -> Future[Transcript]:
        future = super().__call__(audio, options)
        self.asked[-1].answer(self.hear(audio, options))
        return future


def test_a_long_utterance_is_heard_again_only_from_its_last_phrases_on() -> None:
    guesses = Told(by_segments)
    session = Session(submit_partial=guesses)
    session.feed(sound(1.0, 28.0, 1.0))
    assert max(one.audio.duration_s for one in guesses.asked) < LONG_PASS_S + 2.0
    last = session.partials()[-1]
    assert last.text.split() == [f"w{number}" for number in range(2, 2 + len(last.text.split()))]
    assert len(last.text.split()) > 50
    committed = ""
    for partial in session.partials():
        assert partial.committed.startswith(committed)
        committed = partial.committed


def test_without_times_the_whole_utterance_is_heard_again() -> None:
    session = Session()
    session.feed(sound(1.0, 20.0))
    assert session.guesses.asked[-1].audio.start_s == session.guesses.asked[0].audio.start_s
    assert len(session.partials()[-1].committed.split()) > 35


def test_no_pass_is_longer_than_the_engine_can_hear() -> None:
    session = Session(
        by_client=True, segmenting=SegmentOptions(max_seconds=4.0), info=replace(FAKE_INFO, max_seconds=4)
    )
    session.feed(sound(1.0, 3.0, 3.0, 3.0, 3.0, 9.0))
    session.keep(session.hearing.commit())
    assert max(one.audio.duration_s for one in session.guesses.asked) <= 4.0
    [final] = [event for event in session.events if isinstance(event, LiveFinal)]
    assert "w2" in final.transcript.text
