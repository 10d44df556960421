"""`/v1/realtime`: OpenAI's realtime API for transcription, as one conversation on one socket.

The live session opens with the client's first settings or its first sound. What a message does wrong is answered by an
`error` event and the conversation goes on; what ends the session ends it, with an `error` event and a close code. Knows
nothing of JSON's fields (`wire/realtime*.py`), keys or engines.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from starlette.websockets import WebSocket

from talkie.errors import Cancelled, InvalidValue, ModelError, RequestError, SessionEnded, ShuttingDown, TalkieError
from talkie.transports.http.access import open_socket
from talkie.transports.http.errors import INTERNAL, log_fault, words_of
from talkie.transports.live import LiveLine, open_line
from talkie.transports.websocket.socket import CLOSE_S, MIB, Socket, SocketLimits, close_code, together
from talkie.transports.websocket.socket import INTERNAL as INTERNAL_CODE
from talkie.wire.openai import ErrorWords, to_json
from talkie.wire.realtime import Append, Clear, Command, Commit, CommitEmpty, Update, command, read
from talkie.wire.realtime_events import Json, Telling, new_id
from talkie.wire.realtime_session import RealtimeSession
from talkie.wire.realtime_settings import update

if TYPE_CHECKING:
    from fastapi import FastAPI

PATH, DOOR = "/v1/realtime", "realtime"
LIMITS = SocketLimits(message_bytes=16 * MIB)
IDLE_S = 600.0
"""How long a client may say nothing before it has a session; after that the session has its own bound."""
MAX_FAULTS = 32
"""Messages in a row that cannot be: whoever sends so many does not listen to the answers."""
MIN_COMMIT_S = 0.1
BETA_HEADER, BETA_PROTOCOL = "realtime=v1", "openai-beta.realtime-v1"


def add_realtime(app: FastAPI) -> None:
    open_socket(app, PATH, realtime, scope="transcribe")


async def realtime(websocket: WebSocket) -> None:
    socket = Socket(websocket, LIMITS)
    session = RealtimeSession(new_id("sess"), model=websocket.query_params.get("model", "").strip())
    older = speaks_older(websocket)
    greetings = ["session.created"]
    if older and websocket.query_params.get("intent") == "transcription":
        greetings.append("transcription_session.created")
    with contextlib.suppress(Cancelled):
        await socket.accept()
        await Conversation(socket, Telling(session, older=older)).run(greetings)


def speaks_older(websocket: WebSocket) -> bool:
    """Clients of the first API said so: in a header, or from a browser as a subprotocol."""
    offered = websocket.scope.get("subprotocols", [])
    return BETA_HEADER in websocket.headers.get("openai-beta", "") or BETA_PROTOCOL in offered


class TooManyFaults(InvalidValue):
    def __init__(self) -> None:
        super().__init__("message", f"{MAX_FAULTS} messages in a row could not be understood.")


class Conversation:
    """One socket. `run` it to its end."""

    def __init__(self, socket: Socket, telling: Telling) -> None:
        self._socket, self._telling = socket, telling
        self._line: LiveLine | None = None
        self._lines: asyncio.Queue[LiveLine] = asyncio.Queue()
        self._opened = AsyncExitStack()
        self._sent_s = 0.0
        self._faults = 0
        self._is_cut = False

    async def run(self, greetings: Sequence[str]) -> None:
        """Raises nothing of the conversation's own, for the client was told; `Cancelled` when it went before."""
        try:
            with self._socket.until_stopped():
                await self._say(self._telling.shown(name) for name in greetings)
                if self._socket.door.gate.closed:
                    raise ShuttingDown
                await together(self._hear(), self._tell())
        except Cancelled:
            raise
        except TalkieError as error:
            await self._part(words_of(error), close_code(error))
        except Exception as error:
            log_fault(error)
            await self._part(INTERNAL, INTERNAL_CODE)
        finally:
            self._socket.heard(self._sent_s)
            await self._opened.aclose()

    # -- what the client says ----------------------------------------------------------------------------------------

    async def _hear(self) -> None:
        while True:
            try:
                said = await self._socket.receive(IDLE_S if self._line is None else None)
            except ShuttingDown:
                if self._line is None or not self._sent_s:  # no words to wait for, nor for the model to hear them
                    raise
                self._is_cut = True
                self._line.finish()
                continue
            if self._is_cut:
                continue
            event_id = None
            try:
                message = read(said)
                event_id = message.event_id
                wanted = command(message)
                if isinstance(wanted, Update):
                    await self._update(wanted)
                elif isinstance(wanted, Commit) and self._sent_s - self._telling.ended_s < MIN_COMMIT_S:
                    raise CommitEmpty((self._sent_s - self._telling.ended_s) * 1000)
            except (RequestError, ModelError) as error:
                await self._refuse(error, event_id)
            else:
                self._faults = 0
                await self._do(wanted)

    async def _refuse(self, error: TalkieError, event_id: str | None) -> None:
        """The message cannot be, and the conversation goes on. Raises `TooManyFaults`."""
        await self._say([self._telling.error(words_of(error), event_id)])
        self._faults += 1
        if self._faults >= MAX_FAULTS:
            raise TooManyFaults

    async def _update(self, wanted: Update) -> None:
        """The settings hold only once the session has taken them."""
        before = self._telling.session
        session = update(before, wanted.session)
        if self._line is None or session.model != before.model:
            await self._open(session)
        else:
            self._line.change(session.request())
        self._telling.session, self._telling.older = session, self._telling.older or wanted.older
        await self._say([self._telling.shown(wanted.answer)])

    async def _open(self, session: RealtimeSession) -> LiveLine:
        """A live session in place of one that has heard nothing. Raises what `listen` raises, `InvalidValue`."""
        if self._sent_s > 0:
            hint = "Open another socket for another model."
            raise InvalidValue("session", "The model stays once sound was sent.", hint=hint)
        service, owner, label = self._socket.door.service, self._socket.owner, self._socket.label
        opened = AsyncExitStack()
        line = await opened.enter_async_context(
            open_line(service, session.request(), door=DOOR, owner=owner, client=label)
        )
        before, self._opened, self._line = self._opened, opened, line
        await before.aclose()
        self._lines.put_nowait(line)
        return line

    async def _do(self, wanted: Command) -> None:
        if isinstance(wanted, Append) and wanted.sound:
            line = self._line or await self._open(self._telling.session)
            raw = self._telling.session.raw
            self._sent_s += len(wanted.sound) / raw.frame_bytes / raw.sample_rate
            await line.send(wanted.sound)
        elif isinstance(wanted, Commit) and self._line is not None:
            self._telling.commits(self._sent_s)
            self._line.commit()
        elif isinstance(wanted, Clear):
            if self._line is not None:
                self._telling.clears(self._sent_s)
                self._line.clear()
            await self._say([self._telling.cleared()])

    # -- what the client is told -------------------------------------------------------------------------------------

    async def _tell(self) -> None:
        while True:
            line = await self._lines.get()
            async for event in line.events():
                await self._say(self._telling.tell(event))
            if line is self._line:
                raise ShuttingDown if self._is_cut else SessionEnded

    async def _say(self, events: Iterable[Json]) -> None:
        for event in events:
            await self._socket.send(to_json(event).decode())

    async def _part(self, words: ErrorWords, code: int) -> None:
        """The last words: which utterances stay without text, and why it is over."""
        with contextlib.suppress(TimeoutError, TalkieError):
            async with asyncio.timeout(CLOSE_S):
                await self._say(self._telling.failed(words))
        await self._socket.close(code, words.code, to_json(self._telling.error(words)).decode())
