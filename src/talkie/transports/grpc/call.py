"""One call as its handler sees it: messages in and out, each within a time, and who is asking.

Knows nothing of methods. Whatever gRPC raises because the client has gone becomes `Cancelled`; a message that is no
protobuf of its kind is `BadRequestBody`, and gRPC itself would answer it with a Python error.
"""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar
from urllib.parse import unquote

import grpc.aio
from google.protobuf.message import DecodeError, Message

from talkie.errors import BadRequestBody, Cancelled, SlowReader, UploadTimeout
from talkie.transports.keys import Caller

M = TypeVar("M", bound=Message)
SEND_S = 120.0
"""A client that reads nothing for so long is given up."""
LAST_S = 2.0


class Call:
    """`caller` is None for somebody unknown at a public method. `audio_s` goes into the log line."""

    def __init__(self, context: Any, *, read_s: float) -> None:
        self._context = context
        self._read_s = read_s
        self._held: Message | None = None
        self.caller: Caller | None = None
        self.audio_s: float | None = None

    @property
    def owner(self) -> str:
        """The name of the key that the call came with."""
        return self.caller.name if self.caller else ""

    @property
    def owner_or_all(self) -> str | None:
        """The same, for things that belong to a key; None for who may use those of everybody."""
        return None if self.caller is None or self.caller.may("admin") else self.caller.name

    @property
    def address(self) -> str:
        """Where it comes from, without the port."""
        return peer_address(self._context.peer())

    @property
    def metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        return tuple(self._context.invocation_metadata() or ())

    @property
    def time_left_s(self) -> float | None:
        """Until the client's deadline; None without one."""
        left: float | None = self._context.time_remaining()
        return left

    async def read(self, kind: type[M], within_s: float | None = None) -> M | None:
        """The next message, however long it takes or `within_s`; None when the client has half-closed.

        Raises `BadRequestBody`, `UploadTimeout` and `Cancelled`.
        """
        held, self._held = self._held, None
        if held is not None:
            assert isinstance(held, kind)
            return held
        try:
            async with asyncio.timeout(within_s):
                data = await self._context.read()
        except TimeoutError:
            raise UploadTimeout(within_s or 0.0) from None
        except grpc.aio.BaseError:
            raise Cancelled from None
        if data is grpc.aio.EOF:
            return None
        try:
            return kind.FromString(data)
        except DecodeError:
            raise BadRequestBody("it is no message of this method.", hint="The contract is talkie.proto.") from None

    async def first(self, kind: type[M]) -> M:
        """The first message, or the only one. Raises what `read` raises."""
        message = await self.read(kind, self._read_s)
        if message is None:
            raise BadRequestBody("the call was closed without a message.", hint="Send one message.")
        return message

    async def peek(self, kind: type[M], within_s: float) -> M:
        """The first message, which `first` will give again."""
        self._read_s = within_s
        message = await self.first(kind)
        self._held = message
        return message

    async def write(self, message: Message) -> None:
        """Raises `SlowReader` and `Cancelled`. Who is cancelled meanwhile waits a little for the message to leave: gRPC
        sends one thing at a time, and the status of the call is the next."""
        sending = asyncio.ensure_future(self._context.write(message.SerializeToString()))
        sending.add_done_callback(_seen)
        try:
            await asyncio.wait([sending], timeout=SEND_S)
        except asyncio.CancelledError:
            await asyncio.wait([sending], timeout=LAST_S)
            raise
        if not sending.done():
            sending.cancel()
            raise SlowReader
        try:
            sending.result()
        except grpc.aio.BaseError:
            raise Cancelled from None

    def warn(self, codes: tuple[str, ...]) -> None:
        """What was asked for and is not given, for protocols without a place for it."""
        if codes:
            trailing = (*self._context.trailing_metadata(), ("talkie-warning", ", ".join(codes)))
            self._context.set_trailing_metadata(trailing)


def _seen(sending: asyncio.Future[None]) -> None:
    """Whatever became of it was looked at."""
    if not sending.cancelled():
        sending.exception()


def peer_address(peer: str) -> str:
    """The address in what gRPC calls a peer: `ipv4:127.0.0.1:5000`, `ipv6:%5B::1%5D:5000`."""
    kind, _, rest = peer.partition(":")
    if kind not in ("ipv4", "ipv6"):
        return "unknown"
    return unquote(rest).rpartition(":")[0].strip("[]")
