"""Many people who speak at once: each session sends its sound at speaking pace and writes down when it was answered.

Sound goes out in small frames, each when a microphone would have had it, by a clock that no answer can hold up: a
server that does not take sound in time makes every answer late, as it does for people. All runs on one event loop
with next to no work, for this process shares the machine with the server. Knows nothing of what the answers mean.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from talkie.bench.live_dialects import Dialect, Listen
from talkie.bench.live_events import Seen
from talkie.bench.live_sound import Cut
from talkie.errors import EngineFailed, ServerUnreachable
from talkie.types import SAMPLE_RATE_HZ

FRAME_MS = 40
OPEN_S, READY_S, DRAIN_S = 10.0, 120.0, 60.0
MAX_MESSAGE_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Wish:
    """Where to speak and how. `url` is the server's; `stagger_s` lies between the beginnings of two sessions.

    `port` is that of a door beside HTTP, where it is asked through.
    """

    url: str
    model: str = ""
    language: str = "en"
    frame_ms: int = FRAME_MS
    api_key: str | None = None
    stagger_s: float = 0.37
    port: int = 0
    dialect: Dialect = field(default_factory=Listen)

    @property
    def socket_url(self) -> str:
        return self.dialect.url(self.url, self.model, self.language)


@dataclass(slots=True)
class Log:
    """What one session was told. `failed` is why it ended early, as a code or a few words."""

    seen: list[Seen] = field(default_factory=list)
    failed: str = ""
    late_s: float = 0.0
    """How far sending ever was behind the clock."""

    @property
    def model(self) -> str:
        return next((one.text for one in self.seen if one.kind == "ready"), "")


def speak(cuts: Sequence[Cut], wish: Wish) -> list[Log]:
    """All cuts at once, a session each; returns when the last has its last answer. Raises `ServerUnreachable`."""
    return asyncio.run(_all(cuts, wish))


async def _all(cuts: Sequence[Cut], wish: Wish) -> list[Log]:
    logs = [Log() for _ in cuts]
    places = enumerate(zip(cuts, logs, strict=True))
    await asyncio.gather(*(_session(cut, wish, log, number * wish.stagger_s) for number, (cut, log) in places))
    return logs


async def _session(cut: Cut, wish: Wish, log: Log, wait_s: float) -> None:
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed, InvalidHandshake

    await asyncio.sleep(wait_s)
    headers = {"Authorization": f"Bearer {wish.api_key}"} if wish.api_key else {}
    try:
        async with connect(
            wish.socket_url,
            compression=None,
            open_timeout=OPEN_S,
            max_size=MAX_MESSAGE_BYTES,
            additional_headers=headers,
            proxy=None,
        ) as socket:
            began = await _begin(socket, wish, log)
            reading = asyncio.create_task(_read(socket, wish.dialect, log, began))
            try:
                await _send(socket, cut, wish, log, began)
                await asyncio.wait_for(asyncio.shield(reading), DRAIN_S)
            finally:
                reading.cancel()
                with suppress(asyncio.CancelledError, ConnectionClosed):
                    await reading
    except (ConnectionClosed, TimeoutError, InvalidHandshake) as error:
        log.failed = log.failed or f"{type(error).__name__}: {error}"[:200]
    except OSError as error:
        raise ServerUnreachable(wish.url, str(error)) from error
    if not log.failed and wish.dialect.done and not any(one.kind == "done" for one in log.seen):
        log.failed = "it ended without `done`"


async def _begin(socket: Any, wish: Wish, log: Log) -> float:
    """Wait until the server listens; the moment from which everything is counted."""
    hello = wish.dialect.hello(wish.model, wish.language)
    if hello is not None:
        await socket.send(hello)
    log.seen += _seen(wish.dialect, await asyncio.wait_for(socket.recv(), READY_S), 0.0)
    log.failed = next((one.text for one in log.seen if one.kind == "error"), "")
    return time.monotonic()


async def _send(socket: Any, cut: Cut, wish: Wish, log: Log, began: float) -> None:
    data = memoryview(cut.pcm())
    frame_s = (wish.dialect.frame_ms or wish.frame_ms) / 1000
    step = 2 * round(frame_s * SAMPLE_RATE_HZ)
    for number, at in enumerate(range(0, len(data), step)):
        due = began + (number + 1) * frame_s
        if (wait_s := due - time.monotonic()) > 0:
            await asyncio.sleep(wait_s)
        else:
            log.late_s = max(log.late_s, -wait_s)
        await socket.send(data[at : at + step])
    await asyncio.sleep(wish.dialect.linger_s)
    await socket.send(wish.dialect.end())


async def _read(socket: Any, dialect: Dialect, log: Log, began: float) -> None:
    """Until `done`, or an error, or the end of the socket."""
    async for message in socket:
        for one in _seen(dialect, message, time.monotonic() - began):
            log.seen.append(one)
            if one.kind == "error":
                log.failed = one.text or "error"
            if one.kind == "done":
                return


def _seen(dialect: Dialect, message: str | bytes, at_s: float) -> list[Seen]:
    try:
        return list(dialect.read(message, at_s))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EngineFailed("server", f"a message was not as expected: {error!r}") from error
