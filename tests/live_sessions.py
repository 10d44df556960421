"""Live sessions on a recogniser that is made up: everything real but the engine and the detector."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from fakes import FakeRecognizer, LoudnessDetector, recording
from talkie.errors import TalkieError
from talkie.runtime.config import ServiceConfig
from talkie.runtime.leases import LeaseTable
from talkie.runtime.live import Limits, LiveSession
from talkie.runtime.live_opening import Opening
from talkie.runtime.requests import LiveRequest
from talkie.runtime.scheduler import Lane
from talkie.runtime.sessions import SessionTable
from talkie.types import LiveEvent, LiveFinal, Notice, Span

USUAL = LiveRequest()
WAIT_S = 20.0
"""Longer than anything takes on the slowest machine; nothing is measured by it."""


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class House:
    """A table of sessions and the one model that they share. `loading` unset: the model is being loaded."""

    def __init__(
        self,
        home: Path,
        recognizer: FakeRecognizer | None = None,
        *,
        most: int = 8,
        max_lag_s: float = 30.0,
        idle_s: float = 300.0,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.recognizer = recognizer or FakeRecognizer()
        self.loading = threading.Event()
        self.loading.set()
        self.fails: TalkieError | None = None
        self.leases = LeaseTable(self._load, 1)
        self.config = ServiceConfig(home=home, preset="fast")
        limits = Limits(max_lag_s, idle_s)
        self.table = SessionTable(most, limits, clock) if clock else SessionTable(most, limits)

    def _load(self, _key: str) -> Lane:
        assert self.loading.wait(WAIT_S)
        if self.fails is not None:
            raise self.fails
        return Lane(self.recognizer)

    def open(
        self, request: LiveRequest = USUAL, notices: tuple[Notice, ...] = (), owner: str = "", client: str = ""
    ) -> LiveSession:
        opening = Opening(self.leases, "fake", LoudnessDetector(), self.config, notices)
        return self.table.open(request, opening, door="cli", model="fake", owner=owner, client=client)

    def close(self) -> None:
        self.loading.set()
        if self.recognizer.gate is not None:
            self.recognizer.gate.set()
        self.table.close()
        self.leases.close()


@contextmanager
def a_house(
    home: Path,
    recognizer: FakeRecognizer | None = None,
    *,
    most: int = 8,
    max_lag_s: float = 30.0,
    idle_s: float = 300.0,
    clock: Callable[[], float] | None = None,
) -> Iterator[House]:
    house = House(home, recognizer, most=most, max_lag_s=max_lag_s, idle_s=idle_s, clock=clock)
    try:
        yield house
    finally:
        house.close()


def pcm(seconds: float, *speech: Span) -> bytes:
    """16 kHz, 16 bits: silence with loud stretches."""
    samples = np.concatenate(recording(seconds, *speech))
    return (samples * 32767).astype("<i2").tobytes()


def say(session: LiveSession, data: bytes, piece: int = 32_000) -> None:
    """All of it, waiting for room."""
    room = threading.Event()
    session.wake(room.set)
    for at in range(0, len(data), piece):
        while not session.offer(data[at : at + piece]):
            room.wait(WAIT_S)
            room.clear()


def events(session: LiveSession, until: Callable[[list[LiveEvent]], bool] = lambda _: False) -> list[LiveEvent]:
    """What it tells until it has ended, or `until` all that came says so. Raises the session's error."""
    news = threading.Event()
    session.wake(news.set)
    told: list[LiveEvent] = []
    while True:
        news.clear()
        ended = session.ended
        new = session.take()
        told += new
        if until(told) or (ended and not new):
            return told
        assert new or news.wait(WAIT_S), "nothing came"


def finals(told: Iterable[LiveEvent]) -> list[str]:
    return [event.transcript.text for event in told if isinstance(event, LiveFinal)]
