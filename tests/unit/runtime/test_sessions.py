"""The table of sessions: how many, whose, and the end of all."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from fakes import FakeRecognizer
from live_sessions import WAIT_S, a_house, events, finals, pcm, say
from talkie.errors import SessionEnded, SessionNotFound, ShuttingDown, TooManySessions
from talkie.runtime.metrics import REGISTRY
from talkie.runtime.requests import LiveRequest
from talkie.runtime.sessions import LABEL_CHARS, label
from talkie.types import Span


def count(door: str = "cli") -> float:
    return REGISTRY.get_sample_value("talkie_live_sessions", {"door": door}) or 0.0


def test_a_card_says_who_and_never_what(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        session = house.open(LiveRequest(prompt="secret"), client="my\x1b[2J phone\n", owner="me")
        session.offer(pcm(1.5))
        [card] = house.table.cards()
        assert (card.id, card.door, card.model, card.client) == (session.id, "cli", "fake", "my[2J phone")
        assert card.heard_s == 1.5 and 0 <= card.lag_s <= 1.5 and abs(card.started_s - time.time()) < 60
        assert card.id.startswith("live_") and len(card.id) > 20
        assert "secret" not in repr(card)


def test_labels_are_short_and_printable() -> None:
    assert label("x" * 1000) == "x" * LABEL_CHARS
    assert label("\x00\u202e\n\t ") == "" and label("日本 é") == "日本 é"


def test_whose_sessions(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        mine, theirs = house.open(owner="me"), house.open(owner="them")
        assert [card.id for card in house.table.cards("me")] == [mine.id]
        assert [card.id for card in house.table.cards()] == [mine.id, theirs.id]
        with pytest.raises(SessionNotFound):
            house.table.end(theirs.id, "me")
        assert not theirs.ended
        house.table.end(theirs.id)
        with pytest.raises(SessionEnded):
            events(theirs)
        with pytest.raises(SessionNotFound):
            house.table.end(theirs.id)
        house.table.end(mine.id, "me")
        assert house.table.cards() == []


def test_one_too_many(tmp_path: Path) -> None:
    before = count()
    with a_house(tmp_path, most=2) as house:
        first, _ = house.open(), house.open()
        assert count() == before + 2
        with pytest.raises(TooManySessions):
            house.open()
        first.close()
        house.open()
    assert count() == before


def test_sessions_on_their_way_out_are_bounded_too(tmp_path: Path) -> None:
    """A client that comes and goes while a model loads leaves a thread behind each time, until it has loaded."""
    with a_house(tmp_path, most=2) as house:
        house.loading.clear()
        for _ in range(4):
            house.open().close()
        assert house.table.cards() == []
        with pytest.raises(TooManySessions):
            house.open()
        house.loading.set()
        with house.table._changed:
            assert house.table._changed.wait_for(lambda: not house.table._threads, WAIT_S)
        house.open().close()


def test_the_end_of_the_service_ends_all(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        sessions = [house.open() for _ in range(3)]
        for session in sessions:
            say(session, pcm(1.0, Span(0.2, 1)))
        house.table.close()
        for session in sessions:
            with pytest.raises(ShuttingDown):
                events(session)
        with pytest.raises(ShuttingDown):
            house.open()
        assert not [thread for thread in threading.enumerate() if thread.name == "talkie-live"]


def test_what_was_said_may_be_heard_to_its_end(tmp_path: Path) -> None:
    gate = threading.Event()
    with a_house(tmp_path, FakeRecognizer(gate=gate)) as house:
        session = house.open(LiveRequest(partials=False))
        say(session, pcm(2.0, Span(0.5, 1.9)))
        closing = threading.Thread(target=house.table.close, args=(WAIT_S,))
        closing.start()
        assert house.recognizer.started.wait(WAIT_S)  # the end of the service ended the utterance
        gate.set()
        closing.join(WAIT_S)
        assert len(finals(events(session))) == 1
