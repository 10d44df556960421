"""The Wyoming door in this process, on a free port, in front of a fake service; and a client to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fakes_service import FakeService
from talkie.server import bind
from talkie.transports.wyoming.access import Peers
from talkie.transports.wyoming.server import WyomingDoor, WyomingLimits
from talkie.wire.wyoming import Event, EventReader, encode

FORMAT = {"rate": 16_000, "width": 2, "channels": 1}
START, STOP = Event("audio-start", FORMAT), Event("audio-stop")
SOUND = Event("audio-chunk", FORMAT, bytes(3200))
UTTERANCE = (Event("transcribe", {"language": "en"}), START, SOUND, SOUND, STOP)
SAID = ["transcript-start", "transcript-chunk", "transcript", "transcript-stop"]
PATIENCE_S = 20.0


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.005)


@dataclass
class Client:
    """A client that says what it is told to, be it nonsense."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    events: EventReader = field(default_factory=EventReader)

    async def say(self, *events: Event) -> None:
        await self.say_bytes(b"".join(encode(event) for event in events))

    async def say_bytes(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def hear(self, last: str) -> list[Event]:
        """Events up to the first of type `last`."""
        told: list[Event] = []
        while True:
            while (event := self.events.next()) is not None:
                told.append(event)
                if event.type == last:
                    return told
            data = await self.reader.read(65536)
            assert data, f"the connection ended after {told}"
            self.events.feed(data)

    async def hear_end(self) -> list[Event]:
        """All events until the other side ends the connection."""
        self.events.feed(await self.reader.read())
        told = []
        while (event := self.events.next()) is not None:
            told.append(event)
        assert self.events.is_between
        return told

    async def leave(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


@dataclass
class Place:
    """A door that is open, and where."""

    door: WyomingDoor
    service: FakeService
    port: int

    @property
    def heard(self) -> int:
        """Bytes of sound that came to the first session."""
        return len(self.service.sessions[0].heard) if self.service.sessions else 0

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        try:
            yield client
        finally:
            await client.leave()

    async def empty(self) -> None:
        """Until nobody is inside."""
        await until(lambda: not self.door.inside)


Scene = Callable[[Place], Awaitable[Any]]


def play(scene: Scene, service: FakeService | None = None, **more: Any) -> Any:
    """Open a door, let the scene happen, and see that it leaves nothing."""
    service = service or FakeService()
    peers = more.pop("peers", None) or Peers()
    only = more.pop("only", "")

    async def open_door() -> Any:
        before = asyncio.all_tasks()
        listening = bind("127.0.0.1", 0)
        port = listening.getsockname()[1]
        async with WyomingDoor(service, peers, listening, WyomingLimits(grace_s=0.1, **more), only=only) as door:
            result = await scene(Place(door, service, port))
            await Place(door, service, port).empty()
        assert asyncio.all_tasks() == before
        return result

    result = asyncio.run(asyncio.wait_for(open_door(), PATIENCE_S))
    assert all(session.closed.is_set() for session in service.sessions)
    return result


def kinds(events: Sequence[Event]) -> list[str]:
    return [event.type for event in events]
