"""Engines with guesses of their own: fed apart from the session, agreed upon, given up where they cannot keep up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

import pytest

from live_engine import Session, loud, quiet, sound
from talkie.engines.base import Partial, RecognizeOptions
from talkie.errors import EngineFailed, QueueFull
from talkie.pipeline.live_native import PIECE_S
from talkie.types import SAMPLE_RATE_HZ, LiveFinal, LiveNotice, Samples, Segment, Transcript

PATIENCE_S = 20.0


@dataclass
class FakeStream:
    """Says `n0 n1 …`, one word for each half second fed. `pieces` are what it was fed, in seconds."""

    hear: Callable[[float], str] = lambda seconds: " ".join(f"n{number}" for number in range(int(seconds / 0.5)))
    pieces: list[float] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)
    gate: threading.Event | None = None
    fails: bool = False
    settles_at_s: float = inf
    said: str = ""

    def feed(self, samples: Samples) -> Partial | None:
        if self.gate is not None:
            assert self.gate.wait(PATIENCE_S)
        if self.fails:
            raise EngineFailed("fake", "broken")
        self.pieces.append(len(samples) / SAMPLE_RATE_HZ)
        text = self.hear(sum(self.pieces))
        if sum(self.pieces) >= self.settles_at_s:
            self.settles_at_s, self.pieces = inf, []
            return Partial(Segment(text, 0.0, 1.0), final=True)
        if text == self.said:
            return None
        self.said = text
        return Partial(Segment(text, 0.0, sum(self.pieces)))

    def finish(self) -> Transcript:
        raise AssertionError("finals are heard by the recogniser")

    def close(self) -> None:
        self.closed.set()


class Engine:
    """`streams` are those that were opened. `full`: there is no place for one."""

    def __init__(self, *, full: bool = False, **values: object) -> None:
        self.streams: list[FakeStream] = []
        self.options: list[RecognizeOptions] = []
        self.full, self._values = full, values
        self.asked = threading.Event()

    def open(self, options: RecognizeOptions) -> FakeStream:
        self.asked.set()
        if self.full:
            raise QueueFull(1)
        self.options.append(options)
        self.streams.append(FakeStream(**self._values))  # type: ignore[arg-type]
        return self.streams[-1]


class Told(threading.Event):
    """Set when a session has news."""


def collected(session: Session, done: Callable[[], bool]) -> None:
    """Collect until it is so; news come from a thread."""
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, "nothing came"
        session.collect()
        time.sleep(0.001)


def spoken(session: Session, seconds: float, step_s: float = 0.4) -> None:
    """Speech, each piece of it heard before the next comes."""
    for _ in range(round(seconds / step_s)):
        calls = session.calls
        session.feed(loud(step_s), step_s)
        collected(session, lambda calls=calls: session.calls > calls)  # type: ignore[misc]


def test_its_guesses_are_agreed_upon_and_the_final_is_heard_anew() -> None:
    engine = Engine()
    session = Session(native=engine.open)
    session.feed(quiet(1.0))
    spoken(session, 3.2)
    session.feed(quiet(2.0))
    assert session.guesses.asked == []
    texts = [partial.text.split() for partial in session.partials()]
    assert texts[-1][:5] == ["n0", "n1", "n2", "n3", "n4"]
    assert session.partials()[-1].committed
    [final] = [event for event in session.events if isinstance(event, LiveFinal)]
    assert final.transcript.text == "w2 w3 w4 w5 w6 w7 w8"
    [stream] = engine.streams
    assert stream.closed.wait(PATIENCE_S)


def test_it_is_given_the_whole_utterance_in_pieces_of_some_length() -> None:
    engine = Engine()
    session = Session(native=engine.open)
    session.feed(sound(1.0, 0.1), 0.01)
    for _ in range(300):
        session.feed(loud(0.01), 0.01)
    collected(session, lambda: bool(engine.streams) and sum(engine.streams[0].pieces) > 2.9)
    [stream] = engine.streams
    assert min(stream.pieces) >= PIECE_S - 1e-6
    assert sum(stream.pieces) <= 3.4
    session.hearing.close()
    assert stream.closed.wait(PATIENCE_S)


def test_what_it_settled_stays_before_what_it_says_next() -> None:
    engine = Engine(settles_at_s=2.0)
    session = Session(native=engine.open)
    session.feed(quiet(1.0))
    spoken(session, 4.8)
    words = session.partials()[-1].text.split()
    assert words[:5] == ["n0", "n1", "n2", "n3", "n0"]
    session.hearing.close()


def test_where_it_has_no_place_there_are_no_guesses_and_that_is_told_once() -> None:
    engine = Engine(full=True)
    session = Session(native=engine.open)
    for _ in range(2):
        session.feed(sound(1.0, 1.0))
        assert engine.asked.wait(PATIENCE_S)
        collected(session, lambda: any(isinstance(event, LiveNotice) for event in session.events))
        session.feed(quiet(1.0))
    notices = [event.notice.code for event in session.events if isinstance(event, LiveNotice)]
    assert notices == ["no_partials"]
    assert session.partials() == []
    assert len(session.texts()) == 2


def test_one_that_breaks_costs_guesses_and_nothing_else() -> None:
    engine = Engine(fails=True)
    session = Session(native=engine.open)
    session.feed(sound(1.0, 2.0))
    collected(session, lambda: bool(engine.streams) and engine.streams[0].closed.is_set())
    session.feed(quiet(1.0))
    assert session.texts() == ["w2 w3 w4 w5"]
    assert session.partials() == []


def test_one_that_cannot_keep_up_is_given_up() -> None:
    gate = threading.Event()
    engine = Engine(gate=gate)
    session = Session(native=engine.open)
    session.feed(sound(1.0, 12.0))
    gate.set()
    collected(session, lambda: bool(engine.streams) and engine.streams[0].closed.wait(0.01))
    session.feed(quiet(1.0))
    assert sum(engine.streams[0].pieces) < 12.0
    assert len(session.texts()) == 1


def test_a_session_that_is_pressed_gives_it_up() -> None:
    every_s = 0.6
    engine = Engine()
    session = Session(native=engine.open, partial_every_s=lambda: every_s)
    session.feed(quiet(1.0))
    spoken(session, 1.2)
    every_s = inf
    session.feed(loud(1.0))
    assert engine.streams[0].closed.wait(PATIENCE_S)
    session.hearing.close()


@pytest.mark.parametrize("while_opening", [False, True])
def test_a_session_that_goes_leaves_no_thread(while_opening: bool) -> None:
    gate = threading.Event()
    engine = Engine(gate=None if while_opening else gate)
    opening, may_open = engine.open, threading.Event()

    def slow(options: RecognizeOptions) -> FakeStream:
        if while_opening:
            assert may_open.wait(PATIENCE_S)
        return opening(options)

    before = set(threading.enumerate())
    session = Session(native=slow)
    session.feed(sound(1.0, 2.0))
    [thread] = set(threading.enumerate()) - before
    session.hearing.close()
    may_open.set()
    gate.set()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert all(stream.closed.is_set() for stream in engine.streams)
