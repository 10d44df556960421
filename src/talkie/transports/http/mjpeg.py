"""Pictures one after another in one answer, each when its time has come: what every browser shows, without sound.

Knows the shape of the answer and the clock, and nothing of how pictures are made.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from talkie.transports.faces import Filmed
from talkie.wire.video import BOUNDARY

EDGE = f"--{BOUNDARY}".encode()


async def in_real_time(pictures: AsyncGenerator[Filmed, None]) -> AsyncGenerator[Filmed, None]:
    """Each no sooner than the one before it has ended. What comes late is shown at once, and moves all that follow:
    a face that cannot keep up moves slowly, and does not jump."""
    clock, due_s, end_s = asyncio.get_running_loop().time, 0.0, 0.0
    async for picture in pictures:
        now_s = clock()
        due_s = max(due_s, now_s)
        await asyncio.sleep(due_s - now_s)
        yield picture
        due_s, end_s = due_s + picture.end_s - end_s, picture.end_s
    await asyncio.sleep(max(0.0, due_s - clock()))


async def as_parts(pictures: AsyncGenerator[Filmed, None]) -> AsyncGenerator[bytes, None]:
    """The body of the answer. The edge of the next part goes with each, or a browser would show it a picture late."""
    before = EDGE
    async for picture in in_real_time(pictures):
        head = f"\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture.data)}\r\n\r\n".encode()
        yield before + head + picture.data + b"\r\n" + EDGE
        before = b""
    yield b"--\r\n"
