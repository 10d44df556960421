"""The HTTP application on a real port, in this process and event loop: for tests of WebSockets with real clients."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn
from fastapi import FastAPI

from talkie.transports.http.protocol import BoundedHttpProtocol
from talkie.transports.websocket.protocol import BoundedSocketProtocol


class _Quiet(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


@contextlib.asynccontextmanager
async def serving(app: FastAPI, **more: Any) -> AsyncIterator[str]:
    """The address, `127.0.0.1:port`, for as long as the block runs. Every connection must be over within seconds.

    `more` is for uvicorn, a certificate for example.
    """
    server = _Quiet(
        uvicorn.Config(
            app,
            port=0,
            http=BoundedHttpProtocol,
            ws=BoundedSocketProtocol,
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=2,
            **more,
        )
    )
    running = asyncio.ensure_future(server.serve())
    while not server.started and not running.done():  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.005)
    try:
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        yield f"{host}:{port}"
    finally:
        server.should_exit = True
        await running


@contextlib.contextmanager
def serving_beside(app: FastAPI) -> Iterator[str]:
    """The same for tests that run in no event loop: the server is in a thread of its own."""
    found: list[str] = []
    is_up, leave = threading.Event(), threading.Event()

    async def serve() -> None:
        async with serving(app) as address:
            found.append(address)
            is_up.set()
            await asyncio.to_thread(leave.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert is_up.wait(30)
        yield found[0]
    finally:
        leave.set()
        thread.join()
