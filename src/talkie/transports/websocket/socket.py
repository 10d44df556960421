"""What every WebSocket of ours has: bounded messages, sends that do not wait for ever, close codes, subprotocols.

Who may come in was decided before (`http/access.py`). Knows nothing of what is said on the socket.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from starlette.websockets import WebSocket, WebSocketDisconnect

from talkie import errors
from talkie.errors import Cancelled, InvalidValue, SessionIdle, ShuttingDown, SlowReader, TalkieError
from talkie.transports.http.access import CALLER
from talkie.transports.http.door import Door
from talkie.transports.http.edge import AUDIO_S
from talkie.transports.websocket.stopping import STOPPING, Stopping

PROTOCOLS = ("realtime", "talkie")
"""Subprotocols of ours. A browser that offers some (its key is one) closes unless one of them is echoed."""
LAST = "talkie.last"
"""Marks the last words to a client: `protocol.py` writes them at once, though the client may read nothing."""

MIB = 1024 * 1024
NORMAL, POLICY, TOO_BIG, INTERNAL, TRY_AGAIN = 1000, 1008, 1009, 1011, 1013
"""Close codes of RFC 6455 and its registry."""
CLOSE_S = 1.0
MAX_REASON_CHARS = 120

CLOSE_CODES: dict[type[TalkieError], int] = {
    TalkieError: INTERNAL,
    errors.AudioError: POLICY,
    errors.RequestError: POLICY,
    errors.ModelNotFound: POLICY,
    errors.InvalidModelName: POLICY,
    errors.AvatarNotFound: POLICY,
    errors.BadAvatar: POLICY,
    errors.AccessError: POLICY,
    errors.EngineUnavailable: TRY_AGAIN,
    errors.BusyError: TRY_AGAIN,
    errors.SessionError: POLICY,
    errors.SessionLagging: TRY_AGAIN,
}

Coro: TypeAlias = Coroutine[Any, Any, None]


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """`message_bytes`: the longest message; `send_s`: how long a client may leave unread what it is told.

    The server itself cuts messages of more than 16 MiB, with 1009.
    """

    message_bytes: int = MIB
    send_s: float = 15.0


class MessageTooLarge(InvalidValue):
    def __init__(self, limit: int) -> None:
        super().__init__(
            "message", f"A message is longer than {limit} bytes.", hint="Send the sound in pieces of 100 ms."
        )


class Socket:
    """A WebSocket once it is accepted. One task receives; any may send."""

    def __init__(self, websocket: WebSocket, limits: SocketLimits = SocketLimits()) -> None:
        self._websocket, self._limits = websocket, limits
        self._stopping: Stopping = websocket.scope.get(STOPPING) or Stopping()
        self._closed = False

    @property
    def door(self) -> Door:
        door = self._websocket.app.state.door
        assert isinstance(door, Door)
        return door

    @property
    def owner(self) -> str:
        """The name of the key that was shown, empty where none is wanted."""
        caller = self._websocket.scope.get(CALLER)
        return caller.name if caller is not None else ""

    @property
    def is_stopping(self) -> bool:
        """Whether the server has asked for the end of the conversation."""
        return self._stopping.is_asked

    @contextlib.contextmanager
    def until_stopped(self) -> Iterator[None]:
        """Around a conversation: one that is cut off at the end of a stopping server's grace raises `ShuttingDown`."""
        try:
            yield
        except asyncio.CancelledError:
            if not self.is_stopping:
                raise
            raise ShuttingDown from None

    @property
    def label(self) -> str:
        """What the client calls itself, for the list of sessions."""
        return self._websocket.query_params.get("client") or self._websocket.headers.get("user-agent", "")

    def heard(self, seconds: float) -> None:
        """Seconds of sound so far, for the log."""
        self._websocket.scope[AUDIO_S] = seconds

    async def accept(self) -> None:
        """Say yes, and echo the first subprotocol of ours that was offered. Raises `Cancelled`."""
        offered = self._websocket.scope.get("subprotocols", [])
        with _gone():
            await self._websocket.accept(next((name for name in offered if name in PROTOCOLS), None))

    async def receive(self, idle_s: float | None = None) -> str | bytes:
        """The next message. Raises `Cancelled` when the client has left, `MessageTooLarge`, `SessionIdle` when none
        comes within `idle_s`, and `ShuttingDown`, once, when the server stops: whoever has last words says them."""
        try:
            async with asyncio.timeout(idle_s) as patience:
                with self._stopping.ends(patience):
                    message = await self._websocket.receive()
        except TimeoutError:
            if self._stopping.is_due():
                raise ShuttingDown from None
            raise SessionIdle(idle_s or 0.0) from None
        if message["type"] != "websocket.receive":
            self._closed = True
            raise Cancelled
        text = message.get("text")
        said: str | bytes = message.get("bytes") or b"" if text is None else text
        if len(said) > self._limits.message_bytes:
            raise MessageTooLarge(self._limits.message_bytes)
        return said

    async def send(self, message: str | bytes) -> None:
        """Raises `SlowReader` when the client does not read, `Cancelled` when it has left."""
        if self._closed:
            raise Cancelled
        try:
            async with asyncio.timeout(self._limits.send_s):
                with _gone():
                    if isinstance(message, str):
                        await self._websocket.send_text(message)
                    else:
                        await self._websocket.send_bytes(message)
        except TimeoutError:
            raise SlowReader from None

    async def close(self, code: int = NORMAL, reason: str = "", last: str = "") -> None:
        """With `last` as the last message. Harmless when it is closed already, and never waits for a client that does
        not read."""
        if self._closed:
            return
        self._closed = True
        closing = {"type": "websocket.close", "code": code, "reason": reason[:MAX_REASON_CHARS]}
        with contextlib.suppress(TimeoutError, Cancelled):
            async with asyncio.timeout(CLOSE_S):
                with _gone():
                    if last:
                        await self._websocket.send({"type": "websocket.send", "text": last, LAST: True})
                    await self._websocket.send({**closing, LAST: True})


def close_code(error: TalkieError) -> int:
    """By class, the nearest ancestor first."""
    if isinstance(error, MessageTooLarge):
        return TOO_BIG
    return next(CLOSE_CODES[kind] for kind in type(error).__mro__ if kind in CLOSE_CODES)


async def together(hearing: Coro, telling: Coro) -> None:
    """Both at once, until all is told. `hearing` goes on to the end, so that a client that leaves is noticed;
    the first error of either ends both and is raised."""
    hear, tell = asyncio.ensure_future(hearing), asyncio.ensure_future(telling)
    try:
        await asyncio.wait((hear, tell), return_when=asyncio.FIRST_COMPLETED)
        if not tell.done():
            hear.result()
        await tell
    finally:
        for task in (hear, tell):
            task.cancel()
        await asyncio.gather(hear, tell, return_exceptions=True)


@contextlib.contextmanager
def _gone() -> Iterator[None]:
    """A socket that is closed already, in the words of whoever sits below, is one error. Time limits stand outside of
    it, for a `TimeoutError` is an `OSError`."""
    try:
        yield
    except (WebSocketDisconnect, RuntimeError, OSError):
        raise Cancelled from None
