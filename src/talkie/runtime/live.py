"""A live session, as its callers and its thread see it: sound and commands in, events out, and an end to both.

    offer, commit … -> line of bounded length -> the thread (live_thread.py) -> unread events, bounded -> take

Knows nothing of sockets or of hearing. Whoever calls a method never waits, but the thread for work: it ends and gives
everything back as soon as the session is over.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isinf
from typing import Literal, TypeAlias

from talkie.errors import SessionIdle, SessionLagging, TalkieError
from talkie.runtime import metrics
from talkie.runtime.live_events import Unread
from talkie.runtime.live_figures import Figures, reason_label
from talkie.runtime.live_lag import Lag
from talkie.runtime.live_line import GATHER_S, Change, Command, Line, Sound
from talkie.runtime.live_opening import Opening
from talkie.runtime.requests import LiveRequest
from talkie.types import LiveEvent, LiveFinal, LiveNotice, Notice, SpeechStopped

PARTIALS_PAUSED = Notice(
    "partials_paused", "The machine is behind the speaker: partial texts are left out until it has caught up."
)

State: TypeAlias = Literal["loading", "listening", "finishing"]
Clock: TypeAlias = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Who:
    """`door` is how it came in, `owner` the name of the key it was opened with, `started_s` seconds of Unix time.
    `kind` is hearing or face."""

    id: str
    door: str
    model: str
    owner: str = ""
    client: str = ""
    started_s: float = 0.0
    kind: str = "hearing"


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_lag_s` of sound may be unprocessed; a session that sends nothing for `idle_s` is ended."""

    max_lag_s: float = 30.0
    idle_s: float = 300.0


class LiveSession:
    """See `talkie.transports.live.LiveSession` for what each method promises. `opening` and
    `first_request` say what the thread begins with."""

    def __init__(
        self,
        who: Who,
        request: LiveRequest,
        opening: Opening,
        limits: Limits = Limits(),
        *,
        over: Callable[[LiveSession], None] = lambda _: None,
        clock: Clock = time.monotonic,
    ) -> None:
        """`over` is called once, in some thread, when the session has ended; the thread may still be on its way out.

        Raises `InvalidValue`."""
        opening.check(request)
        self.who, self.opening, self.first_request = who, opening, request
        self._limits = limits
        self._was_over, self._clock = over, clock
        self._news = threading.Condition()
        self._line = Line()
        self._unread = Unread()
        self._lag = Lag(limits.max_lag_s)
        self._figures = Figures(who.model)
        self._request = request
        self._state: State = "loading"
        self._asked = self._over = self._has_news = self._told_paused = self._is_refused = False
        self._error: TalkieError | None = None
        self._last_sound_s = clock()
        self._tell: Callable[[], None] = _nothing

    # -- for whoever listens ---------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        return self.who.id

    @property
    def model(self) -> str:
        return self.who.model

    @property
    def ended(self) -> bool:
        return self._over

    @property
    def state(self) -> State:
        return self._state

    @property
    def heard_s(self) -> float:
        """Seconds of sound that came."""
        return self._lag.received_s

    @property
    def lag_s(self) -> float:
        """Seconds that it is behind the speaker; 0: all that was said was told."""
        with self._news:
            return self._lag.lag_s(self._clock())

    def offer(self, data: bytes) -> bool:
        with self._news:
            if self._is_deaf():
                return True
            self._last_sound_s = now_s = self._clock()
            try:
                is_room = self._lag.is_room(now_s)
            except TalkieError as error:
                self.end(error)
                raise
            if is_room and data:
                self._take_in(data, now_s)
            self._is_refused = self._is_refused or not is_room
        return is_room

    def commit(self) -> None:
        self._command("commit")

    def clear(self) -> None:
        self._command("clear")

    def change(self, request: LiveRequest) -> None:
        self.opening.check(request)
        with self._news:
            if not self._is_deaf():
                self._request = request
                self._put(Change(request))

    def finish(self) -> None:
        with self._news:
            if not self._is_deaf():
                self._asked, self._state = True, "finishing"
                self._put("finish")

    def finish_quietly(self) -> None:
        """Finish, should it not have ended by itself meanwhile."""
        with contextlib.suppress(TalkieError):
            self.finish()

    def take(self) -> list[LiveEvent]:
        with self._news:
            events = self._unread.take()
            if not events:
                self._raise_error()
            return events

    def wake(self, callback: Callable[[], None]) -> None:
        with self._news:
            self._tell = callback
            is_late = self._over or len(self._unread) > 0
        if is_late:
            callback()

    def close(self) -> None:
        with self._news:
            self._tell = _nothing
            self.end()
            self._unread.take()

    def end(self, error: TalkieError | None = None) -> None:
        """Stop now: of `error`, or because nobody listens. What was told before can still be read."""
        with self._news:
            if self._over:
                return
            self._over, self._error = True, error
            self._line.clear()
            self._news.notify_all()
            tell = self._tell
        if error is not None:
            metrics.LIVE_DROPPED.labels(reason_label(error.code)).inc()
        self._was_over(self)
        tell()

    def _is_deaf(self) -> bool:
        """Nothing will be heard any more. Raises the error that the session ended by."""
        self._raise_error()
        return self._over or self._asked

    def _raise_error(self) -> None:
        """It may be raised any number of times, and keeps no trace of the last."""
        if self._error is not None:
            raise self._error.with_traceback(None)

    def _command(self, command: Literal["commit", "clear"]) -> None:
        with self._news:
            if not self._is_deaf():
                self._put(command)

    def _take_in(self, data: bytes, now_s: float) -> None:
        raw = self._request.raw
        seconds = len(data) / raw.frame_bytes / raw.sample_rate
        self._lag.came(seconds, now_s)
        self._figures.arrivals.add(self._lag.received_s, now_s)
        is_first = not self._line
        self._line.add_sound(data, seconds)
        if is_first or self._line.is_ready:
            self._news.notify_all()

    def _put(self, command: Command) -> None:
        """The caller holds the lock. Raises `SessionLagging` for a flood of commands."""
        if not self._line.add(command):
            error = SessionLagging(self._lag.lag_s(self._clock()))
            self.end(error)
            raise error
        self._news.notify_all()

    # -- for the thread --------------------------------------------------------------------------------------------

    def begin(self, notices: Sequence[Notice]) -> None:
        """Sound can be heard from now on."""
        with self._news:
            self._last_sound_s = self._clock()
            if self._state == "loading":
                self._state = "listening"
            self._figures.padding_s = _padding_s(self.first_request)
        self.say([LiveNotice(notice) for notice in notices])

    def next(self, pending: bool) -> Command | None:
        """What is to be done; waits for it. `pending`: answers are to come. None: it is over. Raises `SessionIdle`."""
        with self._news:
            waited = False
            while not self._over:
                if self._line.is_ready or (waited and self._line):
                    return self._line.take()
                if self._has_news:
                    self._has_news = False
                    return "news"
                if self._line:
                    waited = not self._news.wait(GATHER_S)
                elif self._asked and not pending:
                    self.end()
                else:
                    self._news.wait(None if pending or self._asked else self._idle_left_s())
        return None

    def say(self, events: Sequence[LiveEvent]) -> None:
        """Raises `SlowReader`."""
        if not events:
            return
        with self._news:
            if self._over:
                return
            now_s = self._clock()
            for event in events:
                self._figures.told(event, now_s)
                if isinstance(event, SpeechStopped):
                    self._lag.owe(event.utterance, now_s)
                elif isinstance(event, LiveFinal):
                    self._lag.paid(event.utterance)
            self._unread.add(events)
            tell = self._tell
        tell()

    def account(self, done: Command | None, unheard_s: float, cancelled: int) -> None:
        """What was done is no longer behind; who was refused may try again."""
        with self._news:
            self._lag.unheard_s = unheard_s
            if isinstance(done, Sound):
                self._lag.listened(done.seconds)
                self._figures.heard(done.seconds, self._lag.received_s, self._lag.lag_s(self._clock()))
            elif isinstance(done, Change):
                self._figures.padding_s = _padding_s(done.request)
            self._figures.cancelled(cancelled)
            tell = self._tell if self._is_refused else _nothing
            self._is_refused = False
        tell()

    def changed(self) -> None:
        """An answer has come."""
        with self._news:
            self._has_news = True
            self._news.notify_all()

    def partial_every_s(self) -> float:
        """How much new sound a partial is worth now. That there are none is told once."""
        with self._news:
            every_s = self._lag.partial_every_s(self._clock())
            told, self._told_paused = self._told_paused, self._told_paused or isinf(every_s)
        if self._told_paused and not told:
            self.say([LiveNotice(PARTIALS_PAUSED)])
        return every_s

    def _idle_left_s(self) -> float:
        left_s = self._last_sound_s + self._limits.idle_s - self._clock()
        if left_s <= 0:
            raise SessionIdle(self._limits.idle_s)
        return left_s


def _padding_s(request: LiveRequest) -> float:
    return request.turns.padding_ms / 1000 if request.turns is not None else 0.0


def _nothing() -> None:
    return
