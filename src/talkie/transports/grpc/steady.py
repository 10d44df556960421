"""gRPC's asyncio server, made to outlive a call whose path is no UTF-8.

`grpc.aio` decodes the path of a call to a method that was not registered, strictly, in the loop that serves all calls:
one wrong byte from anybody ends that loop and every call with it (seen up to grpcio 1.85). So every method we have is
registered, which the core matches by its bytes; and all other calls are taken here and given to one handler, the
`stranger`, without looking at their path. It leans on names of grpcio that are not public; where they are gone,
`steady_server` says so.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from typing import Any

import grpc.aio

log = logging.getLogger("talkie.grpc")
cygrpc: Any = importlib.import_module("grpc._cython.cygrpc")
aio_server: Any = importlib.import_module("grpc.aio._server")
UNREGISTERED = "(none)"
NEEDED = ("_handle_stream_stream_rpc", "_schedule_rpc_coro")


class _Core(cygrpc.AioServer):  # type: ignore[misc]
    """The server below `grpc.aio.Server`. `_make_request_call_future(None)` is how it asks for unregistered calls."""

    def __init__(self, stranger: Any, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._stranger = stranger
        self._calls: set[asyncio.Task[None]] = set()

    def _make_request_call_future(self, method: bytes | None) -> Any:
        if method is not None:
            return super()._make_request_call_future(method)
        return asyncio.get_running_loop().create_task(self._take_unregistered())

    async def _take_unregistered(self) -> None:
        """Until the server stops; gRPC then raises in here and expects to see it."""
        loop = asyncio.get_running_loop()
        while True:
            state = await self._request_call()
            work = cygrpc._handle_stream_stream_rpc(self._stranger, state, loop)
            call = loop.create_task(cygrpc._schedule_rpc_coro(work, state, loop, UNREGISTERED))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)


class SteadyServer(aio_server.Server):  # type: ignore[misc]
    """As `grpc.aio.server()` makes one, around our core."""

    def __init__(self, options: list[tuple[str, int]], max_calls: int, stranger: Any) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = _Core(stranger, self._loop, None, (), None, tuple(options), max_calls)


def steady_server(options: list[tuple[str, int]], max_calls: int, stranger: Any) -> grpc.aio.Server:
    """The steady one, or gRPC's own with a warning where grpcio has changed within."""
    try:
        if all(hasattr(cygrpc, name) for name in NEEDED):
            return SteadyServer(options, max_calls, stranger)
    except TypeError:
        pass
    log.warning("This version of grpcio is unknown: a malformed path may end the gRPC door.")
    return grpc.aio.server(options=options, maximum_concurrent_rpcs=max_calls)
