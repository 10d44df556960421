"""A live session with its thread: what goes in, what comes out, and every way in which it ends."""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fakes import FAKE_INFO, FakeRecognizer, hear_its_place
from live_sessions import WAIT_S, Clock, a_house, events, finals, pcm, say
from talkie.audio.formats import RawFormat
from talkie.engines.base import RecognizeOptions
from talkie.errors import (
    EngineFailed,
    InvalidValue,
    ModelNotFound,
    SessionEnded,
    SessionIdle,
    SessionLagging,
    SlowReader,
    TalkieError,
    UnsupportedByModel,
)
from talkie.runtime.live import LiveSession
from talkie.runtime.live_events import Unread
from talkie.runtime.live_line import MAX_COMMANDS
from talkie.runtime.metrics import REGISTRY
from talkie.runtime.requests import LiveRequest, TurnOptions
from talkie.types import Audio, LiveNotice, LivePartial, Notice, Span, SpeechStarted, SpeechStopped, Transcript

TWO = pcm(8.0, Span(1, 2), Span(4, 6))


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"talkie_live_{name}", labels) or 0.0


def error_of(session: LiveSession) -> TalkieError:
    with pytest.raises(TalkieError) as told:
        events(session)
    return told.value


def test_sound_in_finals_out(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        session = house.open(LiveRequest(partials=False))
        say(session, TWO, 999)  # an odd number of bytes
        session.finish()
        told = events(session)
        assert finals(told) == ["at 0.692", "at 3.7"]
        kinds = [type(event).__name__ for event in told]
        assert kinds[:1] == ["SpeechStarted"] and kinds.count("SpeechStopped") == 2
        assert session.ended and session.heard_s == pytest.approx(8.0) and session.lag_s == 0
        assert session.take() == []


@pytest.mark.parametrize(
    "raw", [RawFormat(8000), RawFormat(48_000, 2), RawFormat(44_100, 1, "f32le"), RawFormat(8000, 1, "mulaw")]
)
def test_sound_in_any_format(tmp_path: Path, raw: RawFormat) -> None:
    sound = np.frombuffer(TWO, "<i2").astype(np.float32) / 32768
    times = np.arange(8 * raw.sample_rate) * (16_000 / raw.sample_rate)
    samples = np.repeat(np.interp(times, np.arange(len(sound)), sound), raw.channels)
    with a_house(tmp_path) as house:
        session = house.open(LiveRequest(partials=False, raw=raw))
        if raw.encoding == "f32le":
            data = samples.astype("<f4").tobytes()
        elif raw.encoding == "mulaw":
            data = bytes(
                np.where(np.abs(samples) < 0.01, 0xFF, 0x80 | (np.arange(len(samples)) % 2 << 7 ^ 0x80)).astype(
                    np.uint8
                )
            )
        else:
            data = (samples * 32767).astype("<i2").tobytes()
        say(session, data, 1000)
        session.finish()
        assert len(finals(events(session))) == 2
        assert session.heard_s == pytest.approx(8.0)


def test_partials_come_while_somebody_speaks(tmp_path: Path) -> None:
    with a_house(tmp_path, FakeRecognizer(hear_its_place)) as house:
        session = house.open()
        say(session, TWO[: 2 * 16_000 * 5], 3200)
        told = events(session, lambda told: any(isinstance(event, LivePartial) for event in told))
        assert isinstance(told[0], SpeechStarted)


def test_a_commit_with_nothing_said_is_answered(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        session = house.open(LiveRequest(turns=None))
        session.commit()
        say(session, TWO)
        session.commit()
        told = events(session, lambda told: len(finals(told)) == 2)
        assert finals(told) == ["", "at 0.692"]


def test_what_was_cleared_is_not_told(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        session = house.open(LiveRequest(turns=None, partials=False))
        say(session, pcm(2.0, Span(0.5, 1.5)))
        session.clear()
        say(session, TWO)
        session.finish()
        assert [text for text in finals(events(session)) if text] == ["at 2.692"]


def test_another_way_from_the_next_utterance_on(tmp_path: Path) -> None:
    asked: list[RecognizeOptions] = []

    def hear(audio: Audio, options: RecognizeOptions) -> Transcript:
        asked.append(options)
        return hear_its_place(audio, options)

    with a_house(tmp_path, FakeRecognizer(hear)) as house:
        session = house.open(LiveRequest(language="en", partials=False))
        say(session, pcm(4.0, Span(1, 2)))
        session.change(LiveRequest(language="de", partials=False, prompt="Wetter", raw=RawFormat(32_000)))
        say(session, np.repeat(np.frombuffer(pcm(4.0, Span(1, 2)), "<i2"), 2).tobytes())
        session.finish()
        told = events(session)
        assert [options.language for options in asked] == ["en", "de"] and asked[1].prompt == "Wetter"
        assert len(finals(told)) == 2 and session.heard_s == pytest.approx(8.0)


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        (LiveRequest(preset="best"), "preset"),
        (LiveRequest(prompt="x" * 10_001), "prompt"),
        (LiveRequest(turns=TurnOptions(threshold=1.5)), "threshold"),
        (LiveRequest(turns=TurnOptions(silence_ms=float("nan"))), "silence_duration_ms"),
        (LiveRequest(turns=TurnOptions(padding_ms=-1)), "prefix_padding_ms"),
    ],
)
def test_values_that_cannot_be_are_refused_at_once(tmp_path: Path, request_: LiveRequest, param: str) -> None:
    with a_house(tmp_path) as house:
        with pytest.raises(InvalidValue) as told:
            house.open(request_)
        assert told.value.param == param
        session = house.open()
        with pytest.raises(InvalidValue):
            session.change(request_)
        say(session, TWO)
        session.finish()
        assert len(finals(events(session))) == 2
        assert house.table.cards() == []


def test_what_the_model_cannot_do_ends_the_session(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        error = error_of(house.open(LiveRequest(language="fr")))
        assert isinstance(error, UnsupportedByModel) and error.param == "language"
        session = house.open()
        session.change(LiveRequest(language="fr"))
        assert isinstance(error_of(session), UnsupportedByModel)


def test_a_model_that_cannot_be_loaded(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        house.fails = ModelNotFound("fake")
        session = house.open()
        assert isinstance(error_of(session), ModelNotFound)
        for method in (session.commit, session.clear, session.finish, lambda: session.offer(b"12"), session.take):
            with pytest.raises(ModelNotFound):
                method()
        session.close()
        assert house.table.cards() == []


def test_notices_come_first(tmp_path: Path) -> None:
    silent = FakeRecognizer(info=FAKE_INFO.__class__("fake", "fake", ("en",), words=False))
    with a_house(tmp_path, silent) as house:
        session = house.open(notices=(Notice("built_in_model", "…"),))
        told = events(session, lambda told: len(told) == 2)
        assert [event.notice.code for event in told if isinstance(event, LiveNotice)] == [
            "built_in_model",
            "no_word_times",
        ]


def test_sound_waits_while_the_model_loads(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        house.loading.clear()
        session = house.open(LiveRequest(partials=False))
        assert session.offer(pcm(4.0, Span(1, 2))) and session.state == "loading" and session.lag_s == 4
        house.loading.set()
        session.finish()
        assert len(finals(events(session))) == 1


def test_a_file_is_held_back_and_nothing_of_it_is_lost(tmp_path: Path) -> None:
    """Ten minutes at once: little of it is in memory, and its sender is woken when there is room."""
    with a_house(tmp_path) as house:
        house.loading.clear()
        session = house.open(LiveRequest(partials=False))
        second = pcm(1.0)
        took = next(count for count in range(100) if not session.offer(second))
        assert took <= 7
        assert not session.offer(second)
        woken = threading.Event()
        session.wake(woken.set)
        house.loading.set()
        assert woken.wait(WAIT_S)
        say(session, pcm(600.0 - took, *(Span(at, at + 1) for at in range(5, 590, 10))))
        session.finish()
        assert len(finals(events(session))) == 59 and session.heard_s == pytest.approx(600)


def test_a_speaker_whom_the_machine_cannot_follow(tmp_path: Path) -> None:
    clock, before = Clock(), metric("dropped_total", reason="session_lagging")
    with a_house(tmp_path, max_lag_s=10.0, clock=clock) as house:
        house.loading.clear()
        session = house.open()
        second = pcm(1.0)
        for _ in range(10):
            assert session.offer(second)
            clock.now_s += 1
        with pytest.raises(SessionLagging):
            session.offer(second)
        with pytest.raises(SessionLagging):
            session.finish()
        assert session.ended and house.table.cards() == []
        assert isinstance(error_of(session), SessionLagging)
        assert metric("dropped_total", reason="session_lagging") == before + 1


def test_partials_are_given_up_before_the_session_is(tmp_path: Path) -> None:
    clock, gate = Clock(), threading.Event()
    with a_house(tmp_path, FakeRecognizer(gate=gate), clock=clock) as house:
        session = house.open()
        say(session, pcm(4.0, Span(1, 2)))
        told = events(session, lambda told: any(isinstance(event, SpeechStopped) for event in told))
        clock.now_s += 8  # its text is owed since
        assert session.lag_s >= 8
        say(session, pcm(3.0, Span(0.1, 3)), 3200)
        told += events(session, lambda told: any(isinstance(event, LiveNotice) for event in told))
        assert [event.notice.code for event in told if isinstance(event, LiveNotice)] == ["partials_paused"]
        gate.set()
        session.finish()
        rest = events(session)
        assert len(finals([*told, *rest])) == 2
        assert not any(isinstance(event, LiveNotice) for event in rest)


def test_who_does_not_read_is_cut(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        session = house.open(LiveRequest(turns=None))
        session._unread = Unread(20)
        for _ in range(30):
            session.commit()
        ended = threading.Event()
        session.wake(lambda: ended.set() if session.ended else None)
        assert ended.wait(WAIT_S)
        assert len(session.take()) == 20
        with pytest.raises(SlowReader):
            session.take()


def test_a_flood_of_commands_is_cut(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        house.loading.clear()
        session = house.open()
        for _ in range(5 * MAX_COMMANDS):  # of wishes only the last one counts
            session.change(LiveRequest(language="en"))
        with pytest.raises(SessionLagging):
            for _ in range(5 * MAX_COMMANDS):
                session.commit()


def test_bytes_one_by_one_take_no_more_room(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        house.loading.clear()
        session = house.open()
        for _ in range(32_000):
            assert session.offer(b"\0")
        assert len(session._line) <= 11


def test_silence_of_the_line_ends_a_session_and_sound_keeps_it(tmp_path: Path) -> None:
    clock = Clock()
    with a_house(tmp_path, idle_s=60.0, clock=clock) as house:
        session = house.open(notices=(Notice("it_listens", "…"),))
        events(session, lambda told: bool(told))
        for _ in range(5):
            clock.now_s += 40
            say(session, pcm(0.5))
            session.clear()
        assert not session.ended
        clock.now_s += 61
        session.commit()  # is no sound, and has the session look at the clock
        assert isinstance(error_of(session), SessionIdle)


def test_without_any_call_an_idle_session_ends_too(tmp_path: Path) -> None:
    with a_house(tmp_path, idle_s=0.05) as house:
        assert isinstance(error_of(house.open()), SessionIdle)
        assert house.table.cards() == []


def test_a_text_that_is_owed_is_waited_for(tmp_path: Path) -> None:
    gate = threading.Event()
    with a_house(tmp_path, FakeRecognizer(gate=gate), idle_s=0.2) as house:
        session = house.open(LiveRequest(partials=False))
        say(session, TWO)
        session.finish()
        news = threading.Event()
        session.wake(lambda: news.set() if session.ended else None)
        assert not news.wait(0.6)  # three times as long as it may be idle
        gate.set()
        assert len(finals(events(session))) == 2


def test_an_engine_that_fails_ends_the_session(tmp_path: Path) -> None:
    def fail(audio: Audio, options: RecognizeOptions) -> Transcript:
        raise EngineFailed("fake", "it broke")

    before = metric("dropped_total", reason="engine_failed")
    with a_house(tmp_path, FakeRecognizer(fail)) as house:
        session = house.open(LiveRequest(partials=False))
        say(session, pcm(3.0, Span(1, 2)))
        news = threading.Event()
        session.wake(lambda: news.set() if session.ended else None)
        assert news.wait(WAIT_S)
        assert isinstance(error_of(session), EngineFailed)
        assert metric("dropped_total", reason="engine_failed") == before + 1


def test_a_fault_of_ours_is_logged_without_words(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with a_house(tmp_path) as house:
        session = house.open()
        session._figures.arrivals.of = lambda at_s: 1 / 0  # type: ignore[assignment, method-assign, return-value]
        session.offer(TWO)
        error = error_of(session)
        assert error.code == "internal_error" and "division" not in error.message
        assert any(record.levelno == logging.ERROR for record in caplog.records)


def test_closing_takes_back_what_waits_and_frees_everything(tmp_path: Path) -> None:
    gate, before = threading.Event(), metric("cancelled_total")
    with a_house(tmp_path, FakeRecognizer(gate=gate)) as house:
        busy = house.open(LiveRequest(partials=False))
        say(busy, pcm(3.0, Span(1, 2)))
        assert house.recognizer.started.wait(WAIT_S)  # the engine is taken, what follows waits in line
        session = house.open(LiveRequest(partials=False))
        say(session, TWO)
        events(session, lambda told: any(isinstance(event, SpeechStopped) for event in told))
        known = weakref.ref(session)
        session.close()
        session.close()
        assert session.ended and session.take() == [] and session.offer(b"12")
        assert [card.id for card in house.table.cards()] == [busy.id]
        with house.table._changed:
            assert house.table._changed.wait_for(lambda: len(house.table._threads) == 1, WAIT_S)
        assert metric("cancelled_total") >= before + 1
        del session
        gc.collect()
        assert known() is None
        gate.set()
        busy.finish()
        assert len(finals(events(busy))) == 1
    assert len(house.recognizer.batches) == 1


def test_closing_while_the_model_loads_waits_for_nothing(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        house.loading.clear()
        session = house.open()
        session.offer(TWO)
        session.close()
        assert session.ended and house.table.cards() == []


@pytest.mark.parametrize("end", [LiveSession.close, lambda session: session.end(SessionEnded())])
def test_it_is_over_once(tmp_path: Path, end: Callable[[LiveSession], None]) -> None:
    with a_house(tmp_path) as house:
        session = house.open()
        ends: list[bool] = []
        session._was_over = lambda session: ends.append(session.ended)
        end(session)
        session.finish_quietly()
        session.end(EngineFailed("fake", "too late"))
        session.close()
        assert ends == [True]
        assert session._error is None or isinstance(session._error, SessionEnded)


def test_whoever_comes_late_is_woken(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        session = house.open()
        session.end(SessionEnded())
        woken = threading.Event()
        session.wake(woken.set)
        assert woken.is_set()
