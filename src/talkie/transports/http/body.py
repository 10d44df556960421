"""A small body, from the socket to memory, within its bounds of size and time. Knows nothing of what is in it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from talkie.errors import BadRequestBody, BodyTooLarge, Cancelled, UploadTimeout
from talkie.transports.http.upload import MIN_PROGRESS_BYTES

if TYPE_CHECKING:
    from starlette.requests import Request


async def read_body(request: Request, max_bytes: int, idle_s: float) -> bytes:
    """The whole body. Raises `BodyTooLarge`, `BadRequestBody` for none, `UploadTimeout`, `Cancelled`."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > max_bytes:
        raise BodyTooLarge(max_bytes)
    body = bytearray()
    since, progress = time.monotonic(), 0
    while True:
        try:
            async with asyncio.timeout(since + idle_s - time.monotonic()):
                message = await request.receive()
        except TimeoutError:
            raise UploadTimeout(idle_s) from None
        if message["type"] == "http.disconnect":
            raise Cancelled
        part = message.get("body", b"")
        body += part
        progress += len(part)
        if len(body) > max_bytes:
            raise BodyTooLarge(max_bytes)
        if progress >= MIN_PROGRESS_BYTES:
            since, progress = time.monotonic(), 0
        if not message.get("more_body", False):
            break
    if not body:
        raise BadRequestBody("it is empty.", hint="Send JSON.")
    return bytes(body)
