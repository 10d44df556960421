"""The Wyoming door: a listening socket on the event loop of the HTTP door, open while the block runs.

Lets in who may, keeps count, and ends every connection: with an `error` event where something was wrong, for Home
Assistant ignores those and waits for the close. Knows nothing of settings or of what is said on a connection.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from talkie.errors import Cancelled, ShuttingDown, TalkieError, TooManySessions
from talkie.transports.http.errors import INTERNAL, log_fault
from talkie.transports.wyoming.access import Peers
from talkie.transports.wyoming.connection import READ_BYTES, Connection, Disconnected
from talkie.transports.wyoming.session import DOOR, Conversation, Hearing, TalkService
from talkie.wire import wyoming_events as words
from talkie.wire import wyoming_speech as speech

if TYPE_CHECKING:
    from types import TracebackType

    from talkie.runtime.speech import VoiceCard
    from talkie.wire.openai import ModelEntry
    from talkie.wire.wyoming import Event

log = logging.getLogger("talkie.wyoming")

T = TypeVar("T")
KNOWN_S = 0.5
"""Home Assistant gives `describe` one second: after half of it the models and voices known so far are told."""


class WyomingService(TalkService, Protocol):
    """What this door needs of the service."""

    def models(self) -> Sequence[ModelEntry]: ...


@dataclass(frozen=True, slots=True)
class WyomingLimits:
    """Bounds of the door. `grace_s` is how long utterances may go on once it closes."""

    connections: int = 128
    idle_s: float = 300.0
    max_audio_s: float = 43_200.0
    grace_s: float = 5.0


class WyomingDoor:
    """`async with WyomingDoor(...)`: it listens on `listening`, which it then owns.

    `only` names the one model to tell of: where the server always uses the same, the languages of others would be a
    promise that Home Assistant makes to its users and we would break.
    """

    def __init__(
        self,
        service: WyomingService,
        peers: Peers,
        listening: socket.socket,
        limits: WyomingLimits = WyomingLimits(),
        *,
        only: str = "",
    ) -> None:
        self._peers, self._listening, self._limits = peers, listening, limits
        self._known = _Known(_Asked(service.models), _Asked(partial(service.voices, "")), only)
        self._hearing = Hearing(service, self._known.info, limits.max_audio_s)
        self._inside: dict[asyncio.Task[None], _Guest] = {}
        self._server: asyncio.Server | None = None
        self._told = False

    @property
    def inside(self) -> int:
        """Connections that are open."""
        return len(self._inside)

    async def __aenter__(self) -> WyomingDoor:
        self._known.ask()
        self._server = await asyncio.start_server(self._meet, sock=self._listening, limit=READ_BYTES)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """No one else comes in; who speaks may end, the others are sent away."""
        assert self._server is not None
        self._server.close()
        everybody = dict(self._inside)
        at_work = [task for task, guest in everybody.items() if guest.is_at_work]
        for task in everybody.keys() - set(at_work):
            task.cancel()
        if at_work:
            await asyncio.wait(at_work, timeout=self._limits.grace_s)
        for task in at_work:
            task.cancel()
        await asyncio.gather(*everybody, return_exceptions=True)
        await self._known.close()

    def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Whoever may not come in learns nothing, not even that this is Wyoming."""
        address = str((writer.get_extra_info("peername") or ("",))[0])
        if not self._peers.may(address):
            writer.transport.abort()
            if not self._told:
                self._told = True
                log.warning("Somebody was turned away whose address is not in wyoming_allow. This is said once.")
            return
        most = self._limits.connections
        if self.inside >= 2 * most:  # even to refuse takes a moment, and so many at once get no words
            writer.transport.abort()
            return
        guest = _Guest(self._hearing, reader, writer, self._limits.idle_s, address)
        task = asyncio.create_task(guest.refuse(TooManySessions(most)) if self.inside >= most else guest.serve())
        self._inside[task] = guest
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._inside.pop(task).writer.transport.abort()  # also where it was cancelled before it began


@dataclass(slots=True)
class _Guest:
    """Somebody who came in, from the first event to the end of the connection."""

    hearing: Hearing
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    idle_s: float
    address: str
    conversation: Conversation | None = None

    @property
    def is_at_work(self) -> bool:
        return self.conversation is not None and self.conversation.is_at_work

    async def serve(self) -> None:
        connection = Connection(self.reader, self.writer, self.idle_s)
        self.conversation = Conversation(self.hearing, connection, self.address)
        last: list[Event] = []
        try:
            await self.conversation.run()
        except Disconnected:
            pass
        except asyncio.CancelledError:
            last = [words.error(ShuttingDown())]
        except TalkieError as error:
            level = logging.DEBUG if isinstance(error, Cancelled) else logging.INFO
            log.log(level, "wyoming closed: %s", error.code, extra={"facts": {"door": DOOR, "code": error.code}})
            last = [words.error(error)]
        except Exception as error:
            log_fault(error)
            last = [words.error(TalkieError(INTERNAL.message))]
        await connection.close(*last)

    async def refuse(self, error: TalkieError) -> None:
        await Connection(self.reader, self.writer, self.idle_s).close(words.error(error))


@dataclass(slots=True)
class _Asked(Generic[T]):
    """A question to the service that may take long, and the last answer to it."""

    question: Callable[[], Sequence[T]]
    known: Sequence[T] = ()
    asking: asyncio.Task[None] | None = field(default=None)

    def ask(self) -> asyncio.Task[None]:
        """Look again, unless that is going on already."""
        if self.asking is None or self.asking.done():
            self.asking = asyncio.create_task(self._ask())
        return self.asking

    async def _ask(self) -> None:
        try:
            self.known = await asyncio.to_thread(self.question)
        except Exception as error:
            log_fault(error)

    async def close(self) -> None:
        if self.asking is not None:
            self.asking.cancel()
            await asyncio.gather(self.asking, return_exceptions=True)


@dataclass(slots=True)
class _Known:
    """`describe` is answered in time even where the disk of the models is not."""

    models: _Asked[ModelEntry]
    voices: _Asked[VoiceCard]
    only: str

    def ask(self) -> list[asyncio.Task[None]]:
        return [self.models.ask(), self.voices.ask()]

    async def info(self) -> Event:
        await asyncio.wait(self.ask(), timeout=KNOWN_S)
        chosen = [model for model in self.models.known if model.id == self.only]
        return words.info(chosen or self.models.known, speech.program(self.voices.known))

    async def close(self) -> None:
        await asyncio.gather(self.models.close(), self.voices.close())
