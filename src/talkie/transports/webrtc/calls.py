"""The calls that are open, by name, as long as the server runs. Loads nothing of WebRTC before the first of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from talkie.errors import EngineUnavailable, SessionNotFound, ShuttingDown

if TYPE_CHECKING:
    from talkie.transports.face import FaceSession
    from talkie.transports.webrtc.call import Call
    from talkie.wire.face_protocol import LiveFaceCall

HINT = "`pip install 'talkie[webrtc]'` brings it; the WebSocket /v1/video/avatars/{name}/live needs nothing more."


def have_webrtc() -> bool:
    return find_spec("aiortc") is not None


@dataclass(frozen=True, slots=True)
class Offer:
    """Who calls: the SDP offer, the address that it came from, and the name of the key."""

    sdp: str
    caller: str
    owner: str = ""


class Calls:
    """Of one event loop."""

    def __init__(self) -> None:
        self._calls: dict[str, tuple[Call, str]] = {}
        self._closed = False

    def __len__(self) -> int:
        return len(self._calls)

    async def answer(self, session: FaceSession, asked: LiveFaceCall, offer: Offer) -> str:
        """The SDP answer of a call that shows `session`, which is closed when the call is over, or fails to begin.
        Raises `EngineUnavailable`, `InvalidValue`, `ShuttingDown`."""
        try:
            if self._closed:
                raise ShuttingDown
            call = await asyncio.to_thread(_call_class)
            opened = call(session, asked, self._forget)
        except BaseException:
            session.close()
            raise
        self._calls[session.id] = opened, offer.owner
        try:
            return await opened.answer(offer.sdp, offer.caller)
        except BaseException:
            await opened.close()
            raise

    async def hang_up(self, call_id: str, owner: str | None) -> None:
        """End one, of that key, or (None) anybody's. Raises `SessionNotFound`."""
        call, theirs = self._calls.get(call_id, (None, ""))
        if call is None or owner not in (None, theirs):
            raise SessionNotFound
        await call.close()

    async def close(self) -> None:
        """All of them, when their faces have said what they were saying, and no more."""
        self._closed = True
        await asyncio.gather(*(call.finish() for call, _ in list(self._calls.values())))

    def _forget(self, call_id: str) -> None:
        self._calls.pop(call_id, None)


def check_webrtc() -> None:
    """Raises `EngineUnavailable`."""
    if not have_webrtc():
        raise EngineUnavailable("webrtc", "aiortc is not installed.", hint=HINT)


def _call_class() -> type[Call]:
    """aiortc takes a good part of a second to load, beside the event loop."""
    check_webrtc()
    from talkie.transports.webrtc.call import Call

    return Call
