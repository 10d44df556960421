"""The live sessions of one service: how many there may be, what they are, who may end them.

Knows nothing of what a session does. A session whose client has left keeps its thread for as long as it takes to give
everything back, which may be until a model has loaded; those are bounded too.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from talkie.errors import SessionEnded, SessionNotFound, ShuttingDown, TalkieError, TooManySessions
from talkie.runtime import metrics
from talkie.runtime.live import Limits, LiveSession, Who
from talkie.runtime.live_figures import door_label
from talkie.runtime.live_opening import Opening
from talkie.runtime.live_thread import hear
from talkie.runtime.requests import LiveRequest

FACE_ID = "face_"
"""What the ids of live faces begin with."""
LABEL_CHARS = 64
LEAVING_S = 1.0
"""How long a new session waits where too many are on their way out."""
STUCK_S = 5.0
"""How long the end of a service waits for threads of sessions."""


@dataclass(frozen=True, slots=True)
class SessionCard:
    """A session as lists show it; never what was said. `started_s` is Unix time, `heard_s` and `lag_s` seconds of
    sound that came and that it is behind. `state` is loading, listening or finishing; of a live face, whose `model` is
    its avatar, idle, speaking or listening. `kind` is hearing or face."""

    id: str
    door: str
    model: str
    state: str
    heard_s: float
    lag_s: float
    started_s: float
    client: str
    kind: str = "hearing"


class Session(Protocol):
    """What a table needs of a session, whatever it does."""

    @property
    def id(self) -> str: ...
    @property
    def who(self) -> Who: ...
    @property
    def state(self) -> str: ...
    @property
    def heard_s(self) -> float: ...
    @property
    def lag_s(self) -> float: ...

    def finish_quietly(self) -> None: ...
    def close(self) -> None: ...
    def end(self, error: TalkieError | None = None) -> None: ...


class SessionTable:
    """At most `most` open sessions, by the setting of that name."""

    def __init__(
        self,
        most: int,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
        *,
        setting: str = "max_sessions",
    ) -> None:
        self._most, self._limits, self._clock, self._setting = max(1, most), limits, clock, setting
        self._changed = threading.Condition()
        self._open: dict[str, Session] = {}
        self._threads: set[str] = set()
        self._closed = False

    def open(
        self, request: LiveRequest, opening: Opening, *, door: str, model: str, owner: str = "", client: str = ""
    ) -> LiveSession:
        """A session that has begun; may wait a second. Raises `TooManySessions`, `ShuttingDown`, `InvalidValue`."""
        who = Who(f"live_{secrets.token_urlsafe(16)}", door, model, owner, label(client), time.time())
        session = LiveSession(who, request, opening, self._limits, over=self.over, clock=self._clock)
        self.begin(session, lambda: hear(session))
        return session

    def begin(self, session: Session, run: Callable[[], None]) -> None:
        """A session that calls `over` when it has ended; `run` is its thread. May wait a second. Raises
        `TooManySessions`, `ShuttingDown`."""
        who = session.who
        with self._changed:
            if len(self._open) < self._most:
                self._changed.wait_for(lambda: len(self._threads) < 2 * self._most, LEAVING_S)
            self._refuse_if_full()
            self._open[who.id] = session
            self._threads.add(who.id)
            metrics.LIVE_SESSIONS.labels(door_label(who.door)).inc()
        try:
            threading.Thread(target=self._run, args=(session, run), name="talkie-live", daemon=True).start()
        except RuntimeError:  # the machine has no room for another thread
            session.close()
            self._gone(session)
            raise TooManySessions(self._most, self._setting) from None

    def refuse_if_full(self) -> None:
        """Before anything is loaded for a session. Raises `TooManySessions`, `ShuttingDown`."""
        with self._changed:
            self._refuse_if_full()

    def _refuse_if_full(self) -> None:
        if self._closed:
            raise ShuttingDown
        if len(self._open) >= self._most or len(self._threads) >= 2 * self._most:
            raise TooManySessions(self._most, self._setting)

    def cards(self, owner: str | None = None) -> list[SessionCard]:
        """The oldest first; those of one key, or (None) all."""
        with self._changed:
            sessions = list(self._open.values())
        return [_card(session) for session in sessions if owner in (None, session.who.owner)]

    def end(self, session_id: str, owner: str | None = None) -> None:
        """End a session of that key's, or (None) anybody's. Raises `SessionNotFound`."""
        with self._changed:
            session = self._open.get(session_id)
        if session is None or owner not in (None, session.who.owner):
            raise SessionNotFound
        session.end(SessionEnded())

    def close(self, grace_s: float = 0.0) -> None:
        """No more come in. What was said may be heard to its end for `grace_s`; then all are ended."""
        with self._changed:
            self._closed = True
            sessions = list(self._open.values())
        if grace_s > 0:
            for session in sessions:
                session.finish_quietly()
            self._wait(lambda: not self._open, grace_s)
        for session in sessions:
            session.end(ShuttingDown())
        self._wait(lambda: not self._threads, STUCK_S)

    def _wait(self, done: Callable[[], bool], most_s: float) -> None:
        with self._changed:
            self._changed.wait_for(done, most_s)

    def _run(self, session: Session, run: Callable[[], None]) -> None:
        try:
            run()
        finally:
            self._gone(session)

    def over(self, session: Session) -> None:
        """It has ended; its thread may still be on its way out."""
        with self._changed:
            if self._open.pop(session.id, None) is not None:
                metrics.LIVE_SESSIONS.labels(door_label(session.who.door)).dec()
            self._changed.notify_all()

    def _gone(self, session: Session) -> None:
        with self._changed:
            self._threads.discard(session.id)
            self._changed.notify_all()


def label(client: str) -> str:
    """A client's name for itself, as far as it can be shown."""
    return "".join(char for char in client if char.isprintable())[:LABEL_CHARS].strip()


def _card(session: Session) -> SessionCard:
    who = session.who
    times = session.heard_s, session.lag_s, who.started_s
    return SessionCard(who.id, who.door, who.model, session.state, *times, who.client, who.kind)
