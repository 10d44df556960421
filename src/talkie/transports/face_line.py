"""The bridge from a live face to a socket: ticks encoded on a thread, their packets and events on the event loop.

What was stopped is thrown away wherever it stands. A slow reader loses pictures up to the next one that needs no
other; one that loses sound as well is given up. Knows nothing of sockets.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from talkie.errors import SlowReader
from talkie.transports.face_packets import FacePackets
from talkie.transports.face_talk import FaceTalk
from talkie.transports.http.work import STUCK_S
from talkie.wire.face_protocol import VIDEO, Packet
from talkie.wire.video_events import Json

if TYPE_CHECKING:
    from talkie.runtime.face import FaceTick
    from talkie.transports.face import FaceService, FaceSession
    from talkie.wire.face_protocol import LiveFaceCall

AHEAD_S = 0.2
"""How long before its time a frame is sent: what a network may be late."""
TICK_S = 0.25
MAX_PICTURES = 25
"""That wait for a slow reader; then they are dropped."""
MAX_WAITING = 250
"""Packets and events of all kinds: five to ten seconds of sound; then the reader is given up."""

Told: TypeAlias = Packet | Json


@dataclass(frozen=True, slots=True)
class _Item:
    generation: int
    told: Told

    @property
    def is_picture(self) -> bool:
        return isinstance(self.told, Packet) and self.told.kind == VIDEO

    @property
    def is_key(self) -> bool:
        return isinstance(self.told, Packet) and self.is_picture and self.told.key


class FaceLine:
    """A live face as coroutines see it. One task gives commands, another reads `told`."""

    def __init__(self, session: FaceSession, packets: FacePackets, talk: FaceTalk) -> None:
        self.session, self.packets, self.talk = session, packets, talk
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Item] = deque()
        self._news, self._over = asyncio.Event(), asyncio.Event()
        self._closed = threading.Event()
        self._error: BaseException | None = None
        self._ended = self._broken = False
        self._key_wanted = threading.Event()

    async def told(self) -> AsyncIterator[Told]:
        """All there is to tell, as it comes, to the end of the session. Raises its error, and `SlowReader`."""
        while True:
            while self._waiting:
                yield self._waiting.popleft().told
            if self._ended:
                break
            self._news.clear()
            await self._news.wait()
        if self._error is not None:
            raise self._error

    def answer(self, events: list[Json]) -> None:
        """What a command is answered; it goes before all that waits, of which what was stopped is dropped."""
        self._drop(lambda item: self.talk.stale(item.generation))
        self._waiting.extendleft(_Item(0, event) for event in reversed(events))
        self._news.set()

    def start(self) -> None:
        threading.Thread(target=self._run, name="face-line", daemon=True).start()

    async def close(self) -> None:
        """The session ends; waits for the thread, though not for ever."""
        self._closed.set()
        await asyncio.to_thread(self.session.close)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STUCK_S):
                await self._over.wait()

    # -- on the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            with contextlib.closing(self.packets):
                while not self._closed.is_set():
                    asked_s = time.monotonic()
                    tick = self.session.next_tick(TICK_S)
                    if tick is not None:
                        self._pass_on(tick)
                    elif time.monotonic() - asked_s < TICK_S / 2:
                        break  # it has ended
        except BaseException as raised:
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            self._loop.call_soon_threadsafe(self._end, error)

    def _pass_on(self, tick: FaceTick) -> None:
        if self._key_wanted.is_set():
            self._key_wanted.clear()
            self.packets.force_key()
        told: list[Told] = [*self.talk.tell(tick), *self.packets.of(tick)]
        items = [_Item(tick.generation, item) for item in told]
        self._loop.call_soon_threadsafe(self._put, items)

    # -- on the event loop -------------------------------------------------------------------------------------------

    def _end(self, error: BaseException | None) -> None:
        if not self._ended:
            self._ended, self._error = True, error
        self._over.set()
        self._news.set()

    def _put(self, items: list[_Item]) -> None:
        if self._ended:  # given up; this was on its way
            return
        for item in items:
            if self.talk.stale(item.generation):
                self._broken = self._broken or item.is_picture
            elif not item.is_picture:
                self._waiting.append(item)
            elif item.is_key or not self._broken:
                self._broken = False
                self._waiting.append(item)
        self._bound()
        if self._broken:
            self._key_wanted.set()
        self._news.set()

    def _drop(self, unwanted: Callable[[_Item], bool]) -> None:
        """Pictures that follow a dropped one build upon it: they go as well, up to the next key."""
        kept, whole = deque[_Item](), True
        for item in self._waiting:
            if unwanted(item):
                whole = whole and not item.is_picture
            elif not item.is_picture:
                kept.append(item)
            elif whole or item.is_key:
                whole = True
                kept.append(item)
        self._waiting = kept
        if not whole:
            self._broken = True
            self._key_wanted.set()

    def _bound(self) -> None:
        if sum(item.is_picture for item in self._waiting) > MAX_PICTURES:
            self._drop(lambda item: item.is_picture)
        if len(self._waiting) > MAX_WAITING and not self._ended:
            self._waiting.clear()
            self._ended, self._error = True, SlowReader()
            self._closed.set()


@contextlib.asynccontextmanager
async def open_face(
    service: FaceService, call: LiveFaceCall, *, door: str, owner: str = "", client: str = ""
) -> AsyncIterator[FaceLine]:
    """A live face for as long as the block runs. Raises what `FaceService.face` raises, and `VideoFailed`."""
    begin = partial(_begin, service, call, door, owner, client)
    opening = asyncio.ensure_future(asyncio.to_thread(begin))
    try:
        session, packets = await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_unwanted)
        raise
    line = FaceLine(session, packets, FaceTalk(session, call.spoken))
    line.start()
    try:
        yield line
    finally:
        await line.close()


def _begin(
    service: FaceService, call: LiveFaceCall, door: str, owner: str, client: str
) -> tuple[FaceSession, FacePackets]:
    session = service.face(call.spoken, call.face, door=door, ahead_s=AHEAD_S, owner=owner, client=client)
    try:
        return session, FacePackets(session.info, call.video, call.audio)
    except BaseException:
        session.close()
        raise


def _close_unwanted(opening: asyncio.Future[tuple[FaceSession, FacePackets]]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        session, packets = opening.result()
        packets.close()
        session.close()
