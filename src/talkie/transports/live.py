"""The bridge from a socket to a live session: bytes in, events out, on the event loop.

Knows nothing of protocols. A sender waits where the session has no room, so a client that sends a whole file at once
is slowed by its own socket; leaving the block gives the session up, and what it still wanted is not done.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from talkie.types import LiveEvent

if TYPE_CHECKING:
    from talkie.runtime.requests import LiveRequest
    from talkie.runtime.sessions import SessionCard

PIECE_BYTES = 32 * 1024
LOOK_AGAIN_S = 0.25
"""Should a wake-up ever be missed, this is how long it matters."""


class LiveSession(Protocol):
    """What `listen` of the service gives: nothing of it blocks, and all of it may be called from any thread.

    Every method but `close` raises the session's own error once it has ended by one.
    """

    @property
    def id(self) -> str: ...

    @property
    def model(self) -> str:
        """The name of the model that hears it."""
        ...

    @property
    def ended(self) -> bool:
        """No event will come any more; those that wait can still be taken."""
        ...

    def offer(self, data: bytes) -> bool:
        """Sound, read as the request says. False: there is no room now, offer the same again soon."""
        ...

    def commit(self) -> None:
        """The utterance ends here."""
        ...

    def clear(self) -> None:
        """Forget what was heard of the utterance that has not ended."""
        ...

    def change(self, request: LiveRequest) -> None:
        """Go on in another way, from the next utterance on. Model and door stay. Raises `InvalidValue`."""
        ...

    def finish(self) -> None:
        """No more sound will come: hear what there is, tell it, end."""
        ...

    def take(self) -> Sequence[LiveEvent]:
        """The events that wait, oldest first. The session's error is raised after all of them were taken."""
        ...

    def wake(self, callback: Callable[[], None]) -> None:
        """`callback` is called, in some thread, whenever there is news or room. It must not block."""
        ...

    def close(self) -> None:
        """Nobody listens any more: stop at once. Harmless a second time."""
        ...


class LiveService(Protocol):
    """What live doors need of the service."""

    def listen(self, request: LiveRequest, *, door: str, owner: str = "", client: str = "") -> LiveSession:
        """A new session. `door` is one of a closed list of names, `owner` the name of the key it was opened with,
        `client` a label for the list of sessions. Raises `TooManySessions`, `ShuttingDown`, `ModelNotFound` …"""
        ...

    def live_sessions(self, owner: str | None = None) -> Sequence[SessionCard]:
        """Those that are open: of one key, or (None) all."""
        ...

    def end_session(self, session_id: str, owner: str | None = None) -> None:
        """End one: of that key, or (None) anybody's. Raises `SessionNotFound`."""
        ...


class LiveLine:
    """A session as a coroutine sees it. One task sends, another reads."""

    def __init__(self, session: LiveSession) -> None:
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._news, self._room = asyncio.Event(), asyncio.Event()
        session.wake(self._wake)

    @property
    def id(self) -> str:
        return self._session.id

    @property
    def model(self) -> str:
        return self._session.model

    async def send(self, data: bytes) -> None:
        """Sound of any length; waits for room. None at all says that somebody is there. Raises the session's error."""
        for at in range(0, max(1, len(data)), PIECE_BYTES):
            piece = data[at : at + PIECE_BYTES]
            self._room.clear()
            while not self._session.offer(piece):
                await _until(self._room)

    def commit(self) -> None:
        self._session.commit()

    def clear(self) -> None:
        self._session.clear()

    def change(self, request: LiveRequest) -> None:
        self._session.change(request)

    def finish(self) -> None:
        self._session.finish()

    async def events(self) -> AsyncIterator[LiveEvent]:
        """All events, as they come; ends when the session has. Raises its error."""
        while True:
            self._news.clear()
            ended = self._session.ended
            events = self._session.take()
            for event in events:
                yield event
            if ended and not events:
                return
            if not events:
                await _until(self._news)

    def _wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        self._news.set()
        self._room.set()


@contextlib.asynccontextmanager
async def open_line(
    service: LiveService, request: LiveRequest, *, door: str, owner: str = "", client: str = ""
) -> AsyncIterator[LiveLine]:
    """A session for as long as the block runs. Raises what `LiveService.listen` raises."""
    opening = asyncio.ensure_future(asyncio.to_thread(service.listen, request, door=door, owner=owner, client=client))
    try:
        session = await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_unwanted)
        raise
    try:
        yield LiveLine(session)
    finally:
        session.close()


def _close_unwanted(opening: asyncio.Future[LiveSession]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


async def _until(event: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LOOK_AGAIN_S):
            await event.wait()
    event.clear()
