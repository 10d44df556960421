"""A session from sound to events: order, commits, clears, changes, and nothing in silence."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes import FAKE_INFO, LoudnessDetector
from live_engine import INFO, HandSubmit, Session, loud, quiet, sound
from talkie.audio.segment import SegmentOptions
from talkie.engines.base import RecognizeOptions
from talkie.errors import EngineFailed, TalkieError
from talkie.pipeline.live import MAX_COMMIT_S, LiveHearing, LivePlan
from talkie.pipeline.live_guesses import PassPace
from talkie.types import LiveFinal, LivePartial, Segment, SpeechStarted, SpeechStopped, Transcript

SHORT = SegmentOptions(max_seconds=4.0)


def test_an_utterance_begins_is_guessed_at_ends_and_is_told() -> None:
    session = Session()
    session.feed(sound(1.0, 3.0, 2.0))
    assert session.told() == [
        "0 SpeechStarted", "0 |w2", "0 w2|w3 w4", "0 w2 w3 w4|w5", "0 w2 w3 w4 w5|w6", "0 SpeechStopped",
        "0 = w2 w3 w4 w5 w6 w7",
    ]  # fmt: skip
    assert session.hearing.heard_s == pytest.approx(6.0)
    assert not session.hearing.pending


def test_times_are_those_of_the_session() -> None:
    session = Session()
    session.feed(sound(10.0, 2.0, 2.0))
    started, *_, stopped, final = session.events
    assert isinstance(started, SpeechStarted)
    assert isinstance(stopped, SpeechStopped)
    assert isinstance(final, LiveFinal)
    assert started.at_s == final.span.start_s == pytest.approx(9.7, abs=0.04)  # the room before it is kept
    assert stopped.at_s == final.span.end_s == pytest.approx(12.3, abs=0.04)
    assert [segment.start_s for segment in final.transcript.segments] == [started.at_s]
    assert all(started.at_s < partial.end_s < stopped.at_s for partial in session.partials())
    assert final.transcript.duration_s == pytest.approx(final.span.duration_s)


def test_silence_and_noise_tell_nothing_and_ask_nothing() -> None:
    session = Session()
    session.feed(quiet(120.0), 1.0)
    session.feed(np.random.default_rng(1).normal(0, 0.01, 960_000).astype(np.float32), 1.0)
    session.finish()
    assert (session.events, session.finals.asked, session.guesses.asked) == ([], [], [])


def test_the_next_utterance_may_begin_before_the_last_is_told() -> None:
    session = Session(at_once=False)
    session.feed(sound(1.0, 1.0, 1.0, 2.0, 1.0))
    assert session.told() == ["0 SpeechStarted", "0 SpeechStopped", "1 SpeechStarted", "1 SpeechStopped"]
    assert session.hearing.unheard_s == pytest.approx(1.6 + 2.6, abs=0.1)
    first, second = session.finals.asked
    second.answer()
    session.collect()
    assert session.told() == []
    first.answer()
    assert session.calls > 0
    session.collect()
    assert session.told() == ["0 = w2 w3", "1 = w6 w7 w8 w9"]
    assert session.hearing.unheard_s == 0


def test_the_end_of_sound_ends_the_utterance() -> None:
    session = Session()
    session.feed(sound(1.0, 2.0))
    session.told()
    session.finish()
    assert session.told() == ["0 SpeechStopped", "0 = w2 w3 w4 w5"]


def test_an_utterance_without_end_is_cut_and_goes_on_as_the_next() -> None:
    session = Session(segmenting=SHORT, partials=False)
    session.feed(sound(1.0, 10.0, 1.0))
    session.finish()
    finals = [event for event in session.events if isinstance(event, LiveFinal)]
    assert len(finals) >= 3
    assert all(final.span.duration_s <= 4.0 for final in finals)
    ends = [final.span.end_s for final in finals]
    assert [final.span.start_s for final in finals[1:]] == ends[:-1]
    assert [line for line in session.told() if "Started" in line][:2] == ["0 SpeechStarted", "1 SpeechStarted"]


def test_filters_take_out_what_nobody_said() -> None:
    session = Session(at_once=False)
    session.feed(sound(1.0, 2.0, 2.0))
    [final] = session.finals.asked
    spoken = Transcript((replace(_segment(), text="♪♪♪"), _segment()), "en")
    final.answer(spoken)
    session.collect()
    assert session.told()[-1] == "0 = yes"
    unfiltered = Session(at_once=False, filters=False)
    unfiltered.feed(sound(1.0, 2.0, 2.0))
    unfiltered.finals.asked[0].answer(spoken)
    unfiltered.collect()
    assert unfiltered.told()[-1] == "0 = ♪♪♪ yes"


def _segment() -> Segment:
    return Segment("yes", 1.2, 2.5)


def test_an_error_of_the_engine_is_raised_once_in_its_turn() -> None:
    session = Session(at_once=False)
    session.feed(sound(1.0, 1.0, 1.0, 1.0, 1.0))
    first, second = session.finals.asked
    first.future.set_exception(EngineFailed("fake", "broken"))
    with pytest.raises(EngineFailed):
        session.collect()
    second.answer()
    session.collect()
    assert session.told()[-1] == "1 = w6 w7"


# -- the client says where an utterance ends --------------------------------------------------------------------------


def test_a_client_commits() -> None:
    session = Session(by_client=True)
    session.feed(sound(1.0, 1.0, 1.5, 1.0, 3.0))  # a pause that would end a turn
    assert session.told()[-1].startswith("0 ")
    session.keep(session.hearing.commit())
    assert session.told()[-2:] == ["0 SpeechStopped", "0 = w2 w3 w4 w5 w6 w7 w8"]
    session.feed(sound(0.5, 1.0))
    session.keep(session.hearing.commit())
    assert session.told()[-1] == "1 = w16 w17"
    assert [one.audio.speech != () for one in session.finals.asked] == [True, True]


def test_silence_that_is_committed_is_an_empty_final() -> None:
    session = Session(by_client=True)
    for _ in range(2):
        session.feed(quiet(2.0))
        session.keep(session.hearing.commit())
    first, second = (event for event in session.events if isinstance(event, LiveFinal))
    assert (first.transcript.text, first.transcript.model, first.span.end_s) == ("", "fake", 2.0)
    assert (second.utterance, second.span.end_s) == (1, 4.0)
    assert session.told() == ["0 SpeechStopped", "0 = ", "1 SpeechStopped", "1 = "]
    assert session.finals.asked == []


def test_a_long_commit_is_heard_window_by_window_while_it_is_spoken() -> None:
    session = Session(by_client=True, segmenting=SHORT)
    session.feed(sound(1.0, 14.0))
    asked = len(session.finals.asked)
    assert asked >= 2
    committed = session.partials()[-1].committed
    assert committed.startswith("w2 w3")
    session.keep(session.hearing.commit())
    assert session.texts()[-1].split()[:3] == ["w2", "w3", "w4"]
    assert session.texts()[-1].split()[-1] == "w29"
    assert len([event for event in session.events if isinstance(event, SpeechStopped)]) == 1


def test_a_client_that_never_commits_is_not_listened_to_for_ever() -> None:
    session = Session(by_client=True, partials=False)
    speech = sound(0.5, 19.5)
    for _ in range(32):
        session.feed(speech, 1.0)
    [stopped] = [event for event in session.events if isinstance(event, SpeechStopped)]
    assert not stopped.by_client
    assert stopped.at_s == pytest.approx(MAX_COMMIT_S, abs=2)
    session.keep(session.hearing.commit())
    words = " ".join(session.texts()).split()
    assert len(words) == len(set(words)) > 1100


def test_a_client_may_commit_within_turns_too() -> None:
    session = Session()
    session.feed(sound(1.0, 1.5))
    session.keep(session.hearing.commit())
    stopped = next(event for event in session.events if isinstance(event, SpeechStopped))
    assert stopped.by_client
    assert session.texts() == ["w2 w3 w4"]
    session.feed(sound(1.0, 1.0, 1.0))
    assert session.texts() == ["w2 w3 w4", "w7 w8"]


def test_the_end_of_sound_is_a_commit_where_something_was_said() -> None:
    session = Session(by_client=True)
    session.feed(sound(1.0, 1.0, 1.0))
    session.finish()
    assert session.texts() == ["w2 w3"]
    silent = Session(by_client=True)
    silent.feed(quiet(3.0))
    silent.finish()
    assert silent.events == []


# -- clear, change, close ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_client", [False, True])
def test_what_is_cleared_is_not_heard(by_client: bool) -> None:
    session = Session(at_once=False, by_client=by_client, segmenting=SHORT)
    session.feed(sound(1.0, 3.0))
    assert "0 SpeechStarted" in session.told()
    session.hearing.clear()
    session.collect()
    assert session.told() == ["0 SpeechStopped", "0 = "]
    assert not session.hearing.pending
    assert not session.finals.waiting
    session.feed(quiet(1.0))
    session.hearing.clear()
    session.collect()
    assert session.told() == []
    session.feed(sound(0.5, 1.0, 1.0))
    session.keep(session.hearing.commit() if by_client else [])
    assert session.finals.asked[-1].audio.start_s == pytest.approx(5.2, abs=0.05)


def test_windows_of_a_long_commit_are_taken_back_when_it_is_cleared() -> None:
    session = Session(at_once=False, by_client=True, segmenting=SHORT)
    session.feed(sound(1.0, 9.0))
    assert session.finals.waiting
    session.hearing.clear()
    assert all(one.future.cancelled() for one in session.finals.asked)
    assert session.hearing.cancelled >= len(session.finals.asked)
    session.collect()
    assert session.told()[-1] == "0 = "


def test_a_change_waits_for_the_end_of_the_utterance() -> None:
    session = Session(at_once=False)
    session.feed(sound(1.0, 1.0))
    session.hearing.change(replace(session.plan, options=RecognizeOptions(prompt="names")))
    session.feed(sound(1.5, 1.0, 1.5))
    assert [one.options.prompt for one in session.finals.asked] == ["", "names"]


def test_turns_may_be_changed_in_silence_and_no_beginning_is_lost() -> None:
    session = Session(at_once=False, by_client=True, partials=False)
    session.feed(sound(3.0, 0.1))  # the first tenth of a word, not speech for certain
    session.hearing.change(replace(session.plan, by_client=False))
    session.feed(np.concatenate([loud(1.0), quiet(1.5)]))
    [asked] = session.finals.asked
    assert asked.audio.start_s == pytest.approx(2.7, abs=0.04)
    session.hearing.change(replace(session.plan, by_client=True))
    session.feed(sound(0.5, 1.0, 2.0))
    assert len(session.finals.asked) == 1
    session.hearing.commit()
    assert len(session.finals.asked) == 2


def test_the_language_is_found_once_and_kept() -> None:
    """Until it is known one window at a time is asked for; another wish is another search."""
    session = Session(at_once=False, info=FAKE_INFO, partials=False)
    session.feed(sound(1.0, 1.0, 1.0, 1.0, 1.0))
    [first] = session.finals.asked
    first.answer(replace(_german(), language="de"))
    session.collect()
    assert [one.options.language for one in session.finals.asked] == [None, "de"]
    session.finals.asked[-1].answer(replace(_german(), language="de"))
    session.collect()
    final = session.events[-1]
    assert isinstance(final, LiveFinal)
    assert final.transcript.language == "de"
    session.hearing.change(replace(session.plan, options=RecognizeOptions(language="en")))
    session.feed(sound(1.0, 1.0, 1.0))
    assert session.finals.asked[-1].options.language == "en"


def _german() -> Transcript:
    return Transcript((replace(_segment(), text="ja"),), "de")


def test_closing_takes_everything_back() -> None:
    session = Session(at_once=False)
    session.feed(sound(1.0, 1.0, 1.0, 2.0))
    assert session.finals.waiting
    assert session.guesses.waiting
    session.hearing.close()
    session.hearing.close()
    assert all(one.future.cancelled() for one in [*session.finals.asked, *session.guesses.asked[-1:]])
    assert not session.hearing.pending
    assert session.hearing.cancelled >= 2


# -- whatever comes ---------------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("quiet"), st.floats(0.1, 3.0)),
        st.tuples(st.just("loud"), st.floats(0.1, 6.0)),
        st.tuples(st.sampled_from(["commit", "clear", "change", "answer", "fail"]), st.just(0.0)),
    ),
    max_size=14,
)


@settings(max_examples=80, deadline=None)
@given(steps=STEPS, by_client=st.booleans(), at_once=st.booleans())
def test_events_keep_their_order_whatever_comes(steps: list[tuple[str, float]], by_client: bool, at_once: bool) -> None:
    session = Session(at_once=at_once, by_client=by_client, segmenting=SHORT)
    for what, seconds in steps:
        match what:
            case "quiet" | "loud":
                session.feed(quiet(seconds) if what == "quiet" else loud(seconds), 0.25)
            case "commit":
                session.keep(session.hearing.commit())
            case "clear":
                session.hearing.clear()
            case "change":
                by_client = not by_client
                session.hearing.change(replace(session.plan, by_client=by_client))
            case _:
                for one in session.guesses.waiting[:1] if what == "fail" else session.finals.waiting[:1]:
                    _answer(one, fails=what == "fail")
                session.collect()
    session.finish()
    for _ in range(100):
        for one in session.finals.waiting:
            one.answer()
        session.collect()
        if not session.hearing.pending:
            break
    check_order(session)


def _answer(one, *, fails: bool) -> None:  # type: ignore[no-untyped-def]
    if fails:
        one.future.set_exception(TalkieError("no", hint=""))
    else:
        one.answer()


def check_order(session: Session) -> None:
    """Of each utterance: started, partials, stopped, one final; finals in order; committed text only grows."""
    assert not session.hearing.pending
    state: dict[int, str] = {}
    committed: dict[int, str] = {}
    finals: list[int] = []
    for event in session.events:
        if isinstance(event, SpeechStarted):
            assert event.utterance not in state
            assert all(other in ("stopped", "final") for other in state.values())
            state[event.utterance] = "started"
        elif isinstance(event, LivePartial):
            assert state[event.utterance] == "started"
            assert event.committed.startswith(committed.get(event.utterance, ""))
            committed[event.utterance] = event.committed
        elif isinstance(event, SpeechStopped):
            assert state.get(event.utterance, "started" if event.by_client else "") == "started"
            state[event.utterance] = "stopped"
        elif isinstance(event, LiveFinal):
            assert state[event.utterance] == "stopped"
            assert event.span.start_s <= event.span.end_s <= session.hearing.heard_s + 1e-6
            state[event.utterance] = "final"
            finals.append(event.utterance)
    assert finals == list(range(len(finals)))
    assert set(state.values()) <= {"final"}
    assert INFO.name == "fake"


@pytest.mark.parametrize("at_once", [False, True])
def test_a_session_that_is_closed_leaves_nothing_behind(at_once: bool) -> None:
    """Without waiting for Python to look for cycles: its sound would pile up meanwhile."""
    gc.disable()
    try:
        finals, guesses = HandSubmit(at_once=at_once), HandSubmit(at_once=at_once)
        hearing = LiveHearing(LivePlan(finals, guesses, INFO, LoudnessDetector()), lambda: None)
        for piece in np.array_split(sound(1.0, 1.0, 1.0, 2.0), 50):
            hearing.feed(piece)
        assert finals.asked
        assert guesses.asked
        gone = [weakref.ref(hearing), *(weakref.ref(one.future) for one in (*finals.asked, *guesses.asked))]
        hearing.close()
        for submit in (finals, guesses):  # a line forgets what was cancelled
            submit.asked.clear()
        del hearing
        assert [one() for one in gone] == [None] * len(gone)
    finally:
        gc.enable()


def test_slow_passes_are_made_less_often() -> None:
    now_s = 0.0
    pace = PassPace(clock=lambda: now_s)
    assert pace.every_s(0.6) == 0.6
    for _ in range(8):
        answered = pace.asked()
        now_s += 1.0
        answered()
    assert pace.every_s(0.6) == pytest.approx(3.0, abs=0.1)
    assert pace.every_s(float("inf")) == float("inf")
    for _ in range(12):
        pace.asked()()
    assert pace.every_s(0.6) == 0.6
