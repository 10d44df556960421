"""`/v1/listen`: binary sound in, JSON out. For everything that can open a WebSocket.

One task hears the client, one tells it. What is wrong is told as an `error` message and ends the connection with a
close code; so are parameters that cannot be, after the connection was accepted, since browsers show nothing of a
refusal. A client that leaves takes its session with it. A server that stops hears what was said to its end, and says
then why it is over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fastapi import FastAPI
from starlette.websockets import WebSocket

from talkie.audio.formats import RawFormat
from talkie.audio.live_pcm import LivePcm
from talkie.errors import Cancelled, ShuttingDown, TalkieError
from talkie.runtime.requests import PCM_16K
from talkie.transports.http.access import open_socket
from talkie.transports.http.errors import INTERNAL as FAULT
from talkie.transports.http.errors import log_fault, words_of
from talkie.transports.live import LiveLine, open_line
from talkie.transports.websocket.socket import INTERNAL, Socket, close_code, together
from talkie.types import LiveEvent
from talkie.wire import listen_events as told
from talkie.wire.listen import Command, ListenCall, parse_command, parse_listen
from talkie.wire.openai import ErrorWords
from talkie.wire.wav_stream import WavStream

PATH = "/v1/listen"
PIECE_BYTES = 64 * 1024
OWN_CLIENTS = frozenset({"page", "bench", "cli"})
"""Labels that are doors of their own in the list of sessions and in the metrics."""


def add_listen(app: FastAPI) -> None:
    open_socket(app, PATH, listen, scope="transcribe")


async def listen(websocket: WebSocket) -> None:
    """One connection, from its acceptance to its close code."""
    socket = Socket(websocket)
    try:
        with socket.until_stopped():
            await socket.accept()
            await _converse(socket, websocket.query_params.multi_items())
            await socket.close()
    except Cancelled:
        return
    except TalkieError as error:
        await _refuse(socket, words_of(error), close_code(error))
    except Exception as error:
        log_fault(error)
        await _refuse(socket, FAULT, INTERNAL)


async def _refuse(socket: Socket, words: ErrorWords, code: int) -> None:
    await socket.close(code, words.code, told.to_text(told.error_message(words)))


async def _converse(socket: Socket, parameters: list[tuple[str, str]]) -> None:
    if socket.door.gate.closed:
        raise ShuttingDown
    call = parse_listen(parameters)
    sound = _Sound(call)
    label = socket.label
    door = label if label in OWN_CLIENTS else "listen"
    async with open_line(socket.door.service, sound.call.request, door=door, owner=socket.owner, client=label) as line:
        await socket.send(told.to_text(told.ready_message(line.id, line.model)))
        try:
            await together(_hear(socket, line, sound), _tell(socket, line, sound))
        finally:
            socket.heard(sound.seconds)


async def _hear(socket: Socket, line: LiveLine, sound: _Sound) -> None:
    """Messages of the client, to the end of the connection; after `close` it is only watched, and once the server
    stops."""
    closing = False
    while True:
        try:
            message = await socket.receive()
        except ShuttingDown:
            if not sound.seconds:  # no words to wait for, nor for the model that would hear them
                raise
            if not closing:
                sound.cut = closing = True
                await line.send(sound.rest())
                line.finish()
            continue
        if closing:
            continue
        if isinstance(message, bytes):
            for piece in sound.read(message):
                await line.send(piece)
            closing = sound.ended
        else:
            closing = await _obey(parse_command(message), line)
        if closing:
            await line.send(sound.rest())
            line.finish()


async def _obey(command: Command, line: LiveLine) -> bool:
    """Whether that was the end."""
    if command is Command.COMMIT:
        line.commit()
    elif command is Command.CLEAR:
        line.clear()
    elif command is Command.KEEP_ALIVE:
        await line.send(b"")  # a sign of life is all it is
    return command is Command.CLOSE


async def _tell(socket: Socket, line: LiveLine, sound: _Sound) -> None:
    async for event in line.events():
        await socket.send(_message(event))
    if sound.cut:
        raise ShuttingDown
    await socket.send(told.to_text(told.done_message(sound.seconds)))


def _message(event: LiveEvent) -> str:
    return told.to_text(told.event_message(event))


class _Sound:
    """The client's bytes on their way to the session, whose format must be known before the first of them has come.

    Where a WAV header may still tell that format, the session is given float32 at 16 kHz and the sound is made so here.
    `cut`: it was not the client that ended it.
    """

    def __init__(self, call: ListenCall) -> None:
        self.seconds = 0.0
        self.cut = False
        self._raw = call.request.raw
        self._wav = WavStream() if call.sniff else None
        self._pcm: LivePcm | None = None
        self.call = _with_raw(call, RawFormat(PCM_16K.sample_rate, 1, "f32le")) if call.sniff else call

    @property
    def ended(self) -> bool:
        """A WAV says how long it is: a client that can only send a file need not say that this was all."""
        return self._wav is not None and self._wav.ended

    def read(self, data: bytes) -> Iterator[bytes]:
        """What is for the session, in pieces small enough to be converted between two other things."""
        for at in range(0, len(data), PIECE_BYTES):
            yield self._piece(data[at : at + PIECE_BYTES])

    def rest(self) -> bytes:
        """What was too short to be a header is sound."""
        if self._wav is None:
            return b""
        converted = self._convert(self._wav.finish())
        return converted + (self._pcm.finish().tobytes() if self._pcm else b"")

    def _piece(self, data: bytes) -> bytes:
        if self._wav is None:
            self._count(data)
            return data
        return self._convert(self._wav.feed(data))

    def _convert(self, sound: bytes) -> bytes:
        if not sound or self._wav is None:
            return b""
        if self._pcm is None:
            self._raw = self._wav.raw or self._raw
            self._pcm = LivePcm(self._raw)
        self._count(sound)
        return self._pcm.feed(sound).tobytes()

    def _count(self, sound: bytes) -> None:
        self.seconds += len(sound) / self._raw.frame_bytes / self._raw.sample_rate


def _with_raw(call: ListenCall, raw: RawFormat) -> ListenCall:
    return replace(call, request=replace(call.request, raw=raw))
