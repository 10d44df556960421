from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from fakes_voice import FAKE_VOICE, FakeSynthesizer
from talkie.engines.base import SynthesizeOptions
from talkie.errors import Cancelled, EngineFailed, InvalidValue, ShuttingDown, TalkieError
from talkie.runtime import speech_lane
from talkie.runtime.cancel import CancelToken
from talkie.runtime.speech_lane import Place, SpeechLane

OPTIONS = SynthesizeOptions()
WAIT_S = 20


@pytest.fixture
def gate() -> threading.Event:
    return threading.Event()


@pytest.fixture
def engine(gate: threading.Event) -> FakeSynthesizer:
    return FakeSynthesizer(gate=gate)


@pytest.fixture
def lane(engine: FakeSynthesizer, gate: threading.Event) -> Iterator[SpeechLane]:
    lane = SpeechLane(engine)
    yield lane
    gate.set()
    lane.close()


def say(place: Place, text: str, cancel: CancelToken | None = None) -> list[str]:
    return [mark.text for chunk in place.say(text, OPTIONS, cancel or CancelToken()) for mark in chunk.marks]


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_a_sentence_comes_as_it_is_made(lane: SpeechLane, gate: threading.Event) -> None:
    gate.set()
    with lane.open() as place:
        assert say(place, "one two three") == ["one", "two", "three"]


def test_sentences_of_two_requests_take_turns(lane: SpeechLane, engine: FakeSynthesizer, gate: threading.Event) -> None:
    with lane.open() as long, lane.open() as short, ThreadPoolExecutor(5) as pool:
        first = pool.submit(say, long, "a1")
        assert engine.started.wait(WAIT_S)
        for number, (text, place) in enumerate((("a2", long), ("a3", long), ("a4", long), ("b1", short)), 1):
            pool.submit(say, place, text)
            until(lambda number=number: lane.waiting == number)  # type: ignore[misc]
        gate.set()
        assert first.result(WAIT_S) == ["a1"]
    assert engine.texts[0] == "a1"
    assert engine.texts.index("b1") <= 2, "a long text lets a short one in between"


def test_what_is_urgent_goes_before(lane: SpeechLane, engine: FakeSynthesizer, gate: threading.Event) -> None:
    priorities = ("batch", "interactive", "live")
    with ThreadPoolExecutor(4) as pool, lane.open() as other:
        done = [pool.submit(say, other, "now")]
        assert engine.started.wait(WAIT_S)
        for number, priority in enumerate(priorities, 1):
            done.append(pool.submit(say, lane.open(priority), priority))  # type: ignore[arg-type]
            until(lambda number=number: lane.waiting == number)  # type: ignore[misc]
        gate.set()
        for one in done:
            one.result(WAIT_S)
    assert engine.texts == ["now", "live", "interactive", "batch"]


def test_who_leaves_stops_the_engine_at_its_next_piece(
    lane: SpeechLane, engine: FakeSynthesizer, gate: threading.Event
) -> None:
    gate.set()
    with lane.open() as place:
        speech = place.say("one " * 10_000, OPTIONS, CancelToken())
        next(speech)
        speech.close()  # type: ignore[attr-defined]
        assert engine.left.wait(WAIT_S)
        assert say(place, "two") == ["two"]
    assert len(engine.words) < 10_000


def test_a_cancelled_wait_ends_and_leaves_the_line(
    lane: SpeechLane, engine: FakeSynthesizer, gate: threading.Event
) -> None:
    cancel = CancelToken()
    with ThreadPoolExecutor(2) as pool, lane.open() as first, lane.open() as second:
        busy = pool.submit(say, first, "one")
        assert engine.started.wait(WAIT_S)
        waits = pool.submit(say, second, "two", cancel)
        until(lambda: lane.waiting == 1)
        cancel.cancel()
        with pytest.raises(Cancelled):
            waits.result(WAIT_S)
        assert lane.waiting == 0
        gate.set()
        assert busy.result(WAIT_S) == ["one"]
    assert engine.texts == ["one"]


@pytest.mark.parametrize(
    ("raised", "told"),
    [(InvalidValue("speed", "no"), InvalidValue), (ZeroDivisionError("secret words"), EngineFailed)],
)
def test_an_engine_that_fails_fails_one_sentence(
    engine: FakeSynthesizer, gate: threading.Event, lane: SpeechLane, raised: Exception, told: type[TalkieError]
) -> None:
    gate.set()
    engine.fails["bad words"] = raised
    with lane.open() as place:
        with pytest.raises(told) as failed:
            say(place, "bad words")
        assert "secret" not in failed.value.message
        assert say(place, "good") == ["good"]


def test_an_engine_that_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_lane, "MAX_SENTENCE_S", 2.0)
    lane = SpeechLane(FakeSynthesizer())
    with lane.open() as place, pytest.raises(EngineFailed, match="no end"):
        say(place, "la " * 1000)
    lane.close()


def test_a_slow_listener_holds_no_thread(lane: SpeechLane, gate: threading.Event) -> None:
    gate.set()
    with lane.open() as slow, lane.open() as other:
        speech = slow.say("one two three four", OPTIONS, CancelToken())
        next(speech)
        assert say(other, "five") == ["five"]
        assert len(list(speech)) == 3


def test_as_many_at_once_as_the_engine_gains_from(gate: threading.Event) -> None:
    engine = FakeSynthesizer(replace(FAKE_VOICE, workers=2), gate)
    lane = SpeechLane(engine)
    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(say, lane.open(), text) for text in ("one", "two")]
        until(lambda: len(engine.texts) == 2)
        assert sorted(engine.texts) == ["one", "two"], "both are at work"
        gate.set()
        assert sorted(one.result(WAIT_S)[0] for one in done) == ["one", "two"]
    lane.close()


def test_closing_refuses_what_waits_and_ends_what_is_at_work(engine: FakeSynthesizer, gate: threading.Event) -> None:
    lane = SpeechLane(engine)
    with ThreadPoolExecutor(3) as pool:
        place = lane.open()
        at_work = pool.submit(say, place, "one")
        assert engine.started.wait(WAIT_S)
        waits = pool.submit(say, lane.open(), "two")
        until(lambda: lane.waiting == 1)
        closing = pool.submit(lane.close)
        for job in (waits, at_work):
            with pytest.raises(ShuttingDown):
                job.result(WAIT_S)
        gate.set()
        closing.result(WAIT_S)
    assert engine.closed and engine.texts == ["one"]
    with pytest.raises(ShuttingDown):
        lane.open()
