"""Live faces as a service counts them: a bound, a list, an end for each, and nothing left of those that were left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from face_parts import WAIT_S, LevelFace, Voice, until
from talkie.errors import BadAvatar, SessionEnded, SessionNotFound, ShuttingDown, TooManySessions
from talkie.runtime.face_options import FaceOptions
from talkie.runtime.face_session import LiveFace
from talkie.runtime.face_table import FaceTable
from talkie.runtime.speech import SpeakRequest

OPTIONS = FaceOptions(SpeakRequest(""))


class Faces:
    """What the table opens, and how often it was given back."""

    def __init__(self) -> None:
        self.face, self.opened, self.closed = LevelFace(), 0, 0

    @contextmanager
    def open(self) -> Iterator[LevelFace]:
        self.opened += 1
        try:
            yield self.face
        finally:
            self.closed += 1


def begin(table: FaceTable, faces: Faces, owner: str = "", voice: Voice | None = None) -> LiveFace:
    return table.open(
        faces.open, (voice or Voice()).speak, OPTIONS, door="test", avatar="levels", owner=owner, client="a\nclient"
    )


@pytest.fixture
def faces() -> Faces:
    return Faces()


@pytest.fixture
def table() -> Iterator[FaceTable]:
    made = FaceTable(3)
    yield made
    made.close()


def test_sessions_are_listed_ended_and_bounded(table: FaceTable, faces: Faces) -> None:
    one, two, three = (begin(table, faces, owner) for owner in ("ann", "bob", "ann"))
    with pytest.raises(TooManySessions) as refused:
        begin(table, faces)
    assert "max_faces" in str(refused.value.hint) and faces.opened == 3
    card = table.cards("bob")[0]
    assert (card.id, card.door, card.model, card.state, card.client) == (two.id, "test", "levels", "idle", "aclient")
    assert [card.id for card in table.cards("ann")] == [one.id, three.id]
    with pytest.raises(SessionNotFound):
        table.end(two.id, "ann")
    table.end(two.id, "bob")
    with pytest.raises(SessionEnded):
        two.next_tick(0)
    until(lambda: faces.closed == 1)
    begin(table, faces)


def test_a_face_that_cannot_be_opened_takes_no_place(table: FaceTable, faces: Faces) -> None:
    @contextmanager
    def broken() -> Iterator[LevelFace]:
        raise BadAvatar("face.onnx", "it is not there.")
        yield

    for _ in range(5):
        with pytest.raises(BadAvatar):
            table.open(broken, Voice().speak, OPTIONS, door="test", avatar="levels")
    assert table.cards() == []


def test_nothing_is_left_of_a_hundred_that_were_left(faces: Faces) -> None:
    table = FaceTable(100)
    before = set(threading.enumerate())
    gate = threading.Event()
    for number in range(100):
        session = begin(table, faces, voice=Voice(gate, free=1))
        if number % 4:
            session.say("one two three")
        if number % 4 > 1:
            assert session.next_tick(WAIT_S) is not None
        if number % 4 > 2:
            session.wake(lambda: None)
        session.close()
        session.close()
    until(lambda: faces.closed == 100 and not set(threading.enumerate()) - before)
    assert table.cards() == [] and all(line.closed == 1 for line in faces.face.lines)
    assert len(faces.face.lines) == 100
    table.close()


def test_a_service_that_ends_lets_them_finish(faces: Faces) -> None:
    table = FaceTable(2)
    speaking, idle = begin(table, faces), begin(table, faces)
    generation = speaking.say("one")
    assert speaking.next_tick(WAIT_S) is not None
    closing = threading.Thread(target=table.close, args=(WAIT_S,))
    closing.start()
    until(lambda: idle.ended)
    with pytest.raises(ShuttingDown):
        begin(table, faces)
    ended = False
    while not ended:
        tick = speaking.next_tick(WAIT_S)
        assert tick is not None
        ended = tick.ended and tick.generation == generation
    closing.join(WAIT_S)
    assert speaking.ended and faces.closed == 2
    cut = FaceTable(1)
    session = begin(cut, faces)
    cut.close()
    with pytest.raises(ShuttingDown):
        session.next_tick(0)
