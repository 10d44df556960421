"""The HTTP application: its routes and the layers around them, put together.

From outside in: `edge` (log line, headers, faults), `access` (who may come in), the router, the handlers. Knows
nothing of settings or sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TypeAlias

from fastapi import FastAPI

from talkie import __version__
from talkie.transports.http.access import AccessMiddleware
from talkie.transports.http.animate import add_animate
from talkie.transports.http.audio import add_audio
from talkie.transports.http.avatars import add_avatars
from talkie.transports.http.docs import add_docs
from talkie.transports.http.door import Door
from talkie.transports.http.edge import EdgeMiddleware
from talkie.transports.http.errors import handle_errors
from talkie.transports.http.health import add_health
from talkie.transports.http.models import add_models
from talkie.transports.http.pages import add_pages
from talkie.transports.http.sessions import add_sessions
from talkie.transports.http.socket_edge import SocketEdgeMiddleware
from talkie.transports.http.speech import add_speech
from talkie.transports.http.voices import add_voices
from talkie.transports.http.webrtc import add_webrtc, calls_of
from talkie.transports.warming import start_warming
from talkie.transports.websocket.face import add_face
from talkie.transports.websocket.listen import add_listen
from talkie.transports.websocket.realtime import add_realtime

DESCRIPTION = "A self-hosted speech server. It speaks OpenAI's audio API."


Companion: TypeAlias = AbstractAsyncContextManager[object]
"""Another door on the same event loop: it is open while the block runs."""


def create_app(door: Door, companions: Sequence[Companion] = ()) -> FastAPI:
    """The application around `door`. Its service is warmed when the server starts, where nobody has begun
    with it, and closed when it ends; the companions open and close with it."""
    app = FastAPI(
        title="Talkie",
        version=__version__,
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    app.state.door = door
    app.state.companions = tuple(companions)
    for add in (add_audio, add_speech, add_voices, add_models, add_health, add_docs, add_pages, add_sessions):
        add(app)
    for add in (add_avatars, add_listen, add_realtime, add_animate, add_face):
        add(app)
    add_webrtc(app)
    handle_errors(app)
    app.add_middleware(AccessMiddleware, rules=door.rules)
    app.add_middleware(EdgeMiddleware, origins=door.rules.origins)
    app.add_middleware(SocketEdgeMiddleware)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    door: Door = app.state.door
    if not door.is_warming:
        start_warming(door.service)
    async with AsyncExitStack() as stack:
        for companion in app.state.companions:
            await stack.enter_async_context(companion)
        stack.push_async_callback(calls_of(app).close)
        yield
        door.gate.close()
    await door.gate.empty()
    await asyncio.to_thread(door.service.close)
