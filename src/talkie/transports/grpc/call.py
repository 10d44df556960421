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
        self._began = False
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
        """Raises `SlowReader` and `Cancelled`.

        Who is cancelled during the first message waits a little for it to leave: the headers go with it, and gRPC would
        send them again with the status, and fail.
        """
        sending = asyncio.ensure_future(self._write(message.SerializeToString()))
        try:
            await (sending if self._began else asyncio.shield(sending))
        except asyncio.CancelledError:
            await asyncio.wait([sending], timeout=LAST_S)
            if sending.done() and not sending.cancelled():
                sending.exception()  # which nobody will ask for
            raise
        self._began = True

    async def _write(self, data: bytes) -> None:
        try:
            async with asyncio.timeout(SEND_S):
                await self._context.write(data)
        except TimeoutError:
            raise SlowReader from None
        except grpc.aio.BaseError:
            raise Cancelled from None

    def warn(self, codes: tuple[str, ...]) -> None:
        """What was asked for and is not given, for protocols without a place for it."""
        if codes:
            trailing = (*self._context.trailing_metadata(), ("talkie-warning", ", ".join(codes)))
            self._context.set_trailing_metadata(trailing)


def peer_address(peer: str) -> str:
    """The address in what gRPC calls a peer: `ipv4:127.0.0.1:5000`, `ipv6:%5B::1%5D:5000`."""
    kind, _, rest = peer.partition(":")
    if kind not in ("ipv4", "ipv6"):
        return "unknown"
    return unquote(rest).rpartition(":")[0].strip("[]")
