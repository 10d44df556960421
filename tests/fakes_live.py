"""Live sessions without an engine, for tests of the doors: each utterance says the next of the words it was given."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from talkie.errors import SessionEnded, SessionNotFound, TalkieError
from talkie.runtime.requests import LiveRequest
from talkie.runtime.sessions import SessionCard
from talkie.types import (
    LiveEvent,
    LiveFinal,
    LivePartial,
    Segment,
    Span,
    SpeechStarted,
    SpeechStopped,
    Transcript,
    Word,
)


class FakeLiveSession:
    """The first sound of an utterance starts it and gives two partials; commit and finish end it with a final.

    `full` offers are refused first, so that back-pressure is seen; `error` is raised in place of the first final.
    """

    def __init__(self, request: LiveRequest, texts: tuple[str, ...], *, error: TalkieError | None = None) -> None:
        self.id = "live_fake"
        self.model = "fake-en"
        self.requests = [request]
        self.heard = bytearray()
        self.full = 0
        self.closed = threading.Event()
        self.cleared = 0
        self._texts = deque(texts)
        self._error = error
        self._events: deque[LiveEvent] = deque()
        self._utterance = 0
        self._in_speech = False
        self._done = False
        self._failed: TalkieError | None = None
        self._tell: Callable[[], None] = lambda: None
        self._lock = threading.RLock()

    @property
    def ended(self) -> bool:
        return self._done

    @property
    def seconds(self) -> float:
        raw = self.requests[0].raw
        return len(self.heard) / raw.frame_bytes / raw.sample_rate

    def offer(self, data: bytes) -> bool:
        with self._lock:
            self._check()
            if self.full > 0:
                self.full -= 1
                self._tell()
                return False
            at_s = self.seconds
            self.heard += data
            if not self._in_speech and data and self._texts:
                self._in_speech = True
                first, _, rest = self._texts[0].partition(" ")
                self._say(SpeechStarted(self._utterance, at_s))
                if self.requests[-1].partials:
                    self._say(LivePartial(self._utterance, at_s, self.seconds, "", first, "en"))
                    self._say(LivePartial(self._utterance, at_s, self.seconds, first, rest, "en"))
        return True

    def commit(self) -> None:
        with self._lock:
            self._check()
            self._end_utterance(by_client=True)

    def clear(self) -> None:
        with self._lock:
            self._check()
            self.cleared += 1
            self._in_speech = False

    def change(self, request: LiveRequest) -> None:
        self._check()
        self.requests.append(request)

    def finish(self) -> None:
        with self._lock:
            self._check()
            if not self._done:
                self._end_utterance()
                self._done = True
                self._tell()

    def take(self) -> list[LiveEvent]:
        with self._lock:
            events = list(self._events)
            self._events.clear()
            if not events and self._failed is not None:
                raise self._failed
        return events

    def wake(self, callback: Callable[[], None]) -> None:
        self._tell = callback

    def close(self) -> None:
        self._done = True
        self.closed.set()

    def fail(self, error: TalkieError) -> None:
        """As when the session ends by an error of its own."""
        with self._lock:
            self._failed, self._done = error, True
        self._tell()

    def _end_utterance(self, by_client: bool = False) -> None:
        if not self._in_speech:
            if by_client:  # an empty utterance, as the real session tells it
                self._say(SpeechStopped(self._utterance, self.seconds, True))
                self._say(LiveFinal(self._utterance, Span(self.seconds, self.seconds), Transcript(model="fake-en")))
                self._utterance += 1
            return
        self._in_speech = False
        if self._error is not None:
            self.fail(self._error)
            return
        text = self._texts.popleft()
        words = text.split()
        step_s = self.seconds / len(words)
        timed = tuple(Word(word, place * step_s, (place + 1) * step_s, 0.9) for place, word in enumerate(words))
        segment = Segment(text, 0.0, self.seconds, timed)
        heard = Transcript((segment,), "en", 0.99, self.seconds, model="fake-en", decoded_until_s=self.seconds)
        self._say(SpeechStopped(self._utterance, self.seconds, by_client))
        self._say(LiveFinal(self._utterance, Span(0.0, self.seconds), heard))
        self._utterance += 1

    def _say(self, event: LiveEvent) -> None:
        self._events.append(event)
        self._tell()

    def _check(self) -> None:
        if self._failed is not None:
            raise self._failed


class FakeLiveService:
    """`sessions` are those that were opened, `opened` their door, owner and client; `refuses` is raised
    in place of opening."""

    def __init__(
        self,
        texts: tuple[str, ...] = ("hello there general", "good bye"),
        *,
        refuses: TalkieError | None = None,
        error: TalkieError | None = None,
    ) -> None:
        self.live_texts, self.refuses, self.error = texts, refuses, error
        self.sessions: list[FakeLiveSession] = []
        self.opened: list[tuple[str, str, str]] = []

    def listen(self, request: LiveRequest, *, door: str, owner: str = "", client: str = "") -> FakeLiveSession:
        if self.refuses is not None:
            raise self.refuses
        self.opened.append((door, owner, client))
        self.sessions.append(FakeLiveSession(request, self.live_texts, error=self.error))
        return self.sessions[-1]

    def live_sessions(self, owner: str | None = None) -> list[SessionCard]:
        """Those that were not closed; their ids are `live_` and their place."""
        return [
            SessionCard(f"live_{place}", door, "fake-en", "listening", session.seconds, 0.5, 1000.0 + place, client)
            for place, (session, (door, whose, client)) in enumerate(zip(self.sessions, self.opened, strict=True))
            if owner in (None, whose) and not session.closed.is_set()
        ]

    def end_session(self, session_id: str, owner: str | None = None) -> None:
        if session_id not in [card.id for card in self.live_sessions(owner)]:
            raise SessionNotFound
        session = self.sessions[int(session_id.removeprefix("live_"))]
        session.fail(SessionEnded())
        session.close()
