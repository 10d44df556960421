"""One call: a browser sees and hears a face, and talks to it over a data channel or by a microphone.

The call begins with the caller's offer and ends with the connection, with the session, or by `close`; nothing of it is
left then. Until somebody is connected no tick is taken, and whoever does not connect in time is forgotten.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from aiortc import InvalidAccessError, InvalidStateError, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import OperationError
from aiortc.rtcconfiguration import RTCBundlePolicy

from talkie.errors import InvalidValue, SessionEnded, ShuttingDown, TalkieError
from talkie.transports.face_talk import FaceTalk
from talkie.transports.http.errors import INTERNAL, log_fault, words_of
from talkie.transports.webrtc.addresses import add_loopback
from talkie.transports.webrtc.channel import CHANNEL, Channel
from talkie.transports.webrtc.ear import heard
from talkie.transports.webrtc.one_clock import OneClock, report_ticks
from talkie.transports.webrtc.pump import TickPump
from talkie.transports.webrtc.tracks import PictureTrack, SoundTrack
from talkie.wire.video_events import error_message

if TYPE_CHECKING:
    from aiortc import MediaStreamTrack, RTCDataChannel

    from talkie.runtime.face import FaceTick
    from talkie.transports.face import FaceSession
    from talkie.wire.face_protocol import LiveFaceCall

log = logging.getLogger("talkie.http")

CONNECT_S = 20.0
LAST_WORDS_S = 0.5
"""For the last event to reach a caller before the connection is cut."""
FINISH_S = 5.0
"""For a face to finish what it says when the server stops."""
REFUSED = (ValueError, LookupError, TypeError, AssertionError, InvalidAccessError, InvalidStateError, OperationError)
"""What an SDP that makes no sense can lead to."""
ALONE = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
"""No STUN and no TURN: nobody outside is asked anything. One way for everything."""


class Call:
    """`forget` is called with the session's name when all is over."""

    def __init__(self, session: FaceSession, asked: LiveFaceCall, forget: Callable[[str], None]) -> None:
        self._session, self._forget = session, forget
        self._peer = RTCPeerConnection(ALONE)
        clock = OneClock()
        self._sound, self._picture = SoundTrack(clock), PictureTrack(session.info.fps, clock)
        self._talk = FaceTalk(session, asked.spoken)
        self._channel = Channel(self._talk, self._fail)
        self._pump = TickPump(session, self._take, self._fail)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing: asyncio.Task[None] | None = None
        self._connected = self._stopping = False
        self._told = asyncio.Event()

    async def answer(self, offer: str, caller: str) -> str:
        """The SDP that answers `offer`, which was made safe. Raises `InvalidValue`."""
        peer = self._peer
        peer.on("connectionstatechange", self._state_changed)
        peer.on("datachannel", self._opened)
        peer.on("track", self._heard)
        report_ticks(peer.addTrack(self._picture), self._picture)
        if "\nm=audio" in offer:
            report_ticks(peer.addTrack(self._sound), self._sound)
        try:
            await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            await add_loopback(peer, caller)
            await peer.setLocalDescription(await peer.createAnswer())
        except REFUSED as error:
            raise InvalidValue("sdp", "The offer cannot be answered.", hint=f"({type(error).__name__})") from None
        self._later(self._give_up())
        self._later(self._channel.obey())
        return peer.localDescription.sdp

    async def close(self) -> None:
        """Harmless a second time: it is the same end."""
        self._closing = self._closing or asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    async def finish(self) -> None:
        """The server stops: what is being said is said to its end, the caller is told, and the call ends."""
        if self._connected and self._closing is None:
            self._stopping = True
            await asyncio.to_thread(self._session.finish_quietly)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), FINISH_S)
            self._fail(ShuttingDown())
            await self._last_words()
        await self.close()

    async def _close(self) -> None:
        self._told.set()
        self._pump.stop()
        await asyncio.to_thread(self._session.close)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self._peer.close()
        finally:
            self._picture.stop()
            self._sound.stop()
            self._forget(self._session.id)

    # -- what the connection tells -----------------------------------------------------------------------------------

    def _state_changed(self) -> None:
        state = self._peer.connectionState
        if state == "connected" and not self._connected:
            self._connected = True
            self._pump.start()
        elif state in ("failed", "closed"):
            self._end()

    def _opened(self, channel: RTCDataChannel) -> None:
        if channel.label == CHANNEL:
            self._channel.open(channel, self._session.id, self._session.info)
        else:
            channel.close()

    def _heard(self, track: MediaStreamTrack) -> None:
        if track.kind == "audio":
            self._later(self._listen(track))

    async def _listen(self, track: MediaStreamTrack) -> None:
        """Who speaks into the microphone interrupts what is being said."""
        try:
            async for samples in heard(track):
                self._channel.say(self._talk.hear(samples))
        except Exception as error:
            self._fail(error)

    # -- what the session tells --------------------------------------------------------------------------------------

    def _take(self, tick: FaceTick) -> None:
        if self._talk.stale(tick.generation):  # it was on its way when it was stopped
            return
        try:
            self._picture.put(tick)
            self._sound.put(tick)
            self._channel.say(self._talk.tell(tick))
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """The caller is told why, once, and the call ends."""
        if self._closing is not None or self._told.is_set():
            return
        self._told.set()
        if self._stopping and isinstance(error, SessionEnded):
            error = ShuttingDown()
        if not isinstance(error, TalkieError):
            log_fault(error)
        self._channel.say([error_message(words_of(error) if isinstance(error, TalkieError) else INTERNAL)])
        self._pump.stop()
        self._later(self._last_words())

    async def _last_words(self) -> None:
        await asyncio.sleep(LAST_WORDS_S)
        self._end()

    async def _give_up(self) -> None:
        await asyncio.sleep(CONNECT_S)
        if not self._connected:
            log.info("A call was answered, and nobody came")
            self._end()

    def _end(self) -> None:
        """From inside: closing waits for what called this."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
