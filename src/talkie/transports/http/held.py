"""An answer in pieces that holds what its request opened until the last piece is out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any

from starlette.responses import StreamingResponse

NO_BUFFERING = {"X-Accel-Buffering": "no"}
"""Asks proxies to pass pieces on as they come."""


class HeldStream(StreamingResponse):
    """Closes what the request holds even when the client went away before the first piece was sent."""

    def __init__(self, pieces: AsyncGenerator[bytes, None], held: AsyncExitStack, media_type: str) -> None:
        super().__init__(pieces, headers=NO_BUFFERING, media_type=media_type)
        self._pieces, self._held = pieces, held

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._pieces.aclose()
            await self._held.aclose()
