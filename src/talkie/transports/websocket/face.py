"""`/v1/video/avatars/{name}/live`: texts and a microphone in, a live face out, as events, pictures and sound.

One task hears the client, one tells it. What a message does wrong is answered by an `error` event and the conversation
goes on; what ends the session ends it, with an `error` event and a close code. A client that leaves takes its session
with it; a server that stops lets the face finish what it says. Knows nothing of JSON's fields
(`wire/face_protocol.py`) or of faces.
"""

from __future__ import annotations

import asyncio
import contextlib

from fastapi import FastAPI
from starlette.websockets import WebSocket

from talkie.errors import Cancelled, InvalidValue, QueueFull, RequestError, SessionEnded, ShuttingDown, TalkieError
from talkie.transports.face_line import FaceLine, open_face
from talkie.transports.http.access import open_socket
from talkie.transports.http.callers import owner_seen
from talkie.transports.http.errors import INTERNAL as FAULT
from talkie.transports.http.errors import log_fault, words_of
from talkie.transports.websocket.socket import INTERNAL, Socket, close_code, together
from talkie.wire import video_events as told
from talkie.wire.face_protocol import Packet, parse_address, parse_command, to_binary
from talkie.wire.openai import ErrorWords

PATH, DOOR = "/v1/video/avatars/{name}/live", "face"
MAX_FAULTS = 32
"""Messages in a row that cannot be: whoever sends so many does not listen to the answers."""


def add_face(app: FastAPI) -> None:
    open_socket(app, PATH, live_face, scope="animate")


async def live_face(websocket: WebSocket) -> None:
    """One connection, from its acceptance to its close code."""
    socket = Socket(websocket)
    try:
        with socket.until_stopped():
            await socket.accept()
            await _converse(socket, websocket)
    except Cancelled:
        return
    except TalkieError as error:
        await _part(socket, words_of(error), close_code(error))
    except Exception as error:
        log_fault(error)
        await _part(socket, FAULT, INTERNAL)


async def _part(socket: Socket, words: ErrorWords, code: int) -> None:
    await socket.close(code, words.code, told.to_text(told.error_message(words)))


async def _converse(socket: Socket, websocket: WebSocket) -> None:
    door = socket.door
    if door.gate.closed:
        raise ShuttingDown
    call = parse_address(
        websocket.query_params.multi_items(), websocket.path_params["name"], owner_seen(websocket)
    )  # fmt: skip
    async with open_face(door.service, call, door=DOOR, owner=socket.owner, client=socket.label) as line:
        packets = line.packets
        await socket.send(
            told.to_text(
                told.session_created(
                    line.session.id,
                    line.session.info,
                    packets.width,
                    packets.height,
                    video=packets.video,
                    audio=packets.audio,
                )
            )
        )
        try:
            await together(_hear(socket, line), _tell(socket, line))
        finally:
            socket.heard(line.talk.heard_s)


async def _hear(socket: Socket, line: FaceLine) -> None:
    """Messages of the client, to the end of the connection; once the server stops it is only watched."""
    faults, is_cut = 0, False
    while True:
        try:
            message = await socket.receive()
        except ShuttingDown:
            is_cut = True
            await asyncio.to_thread(line.session.finish_quietly)
            continue
        if is_cut:
            continue
        try:
            if isinstance(message, bytes):
                line.answer(line.talk.hear_pcm(message))
            else:
                line.answer(line.talk.obey(parse_command(message)))
            faults = 0
        except (RequestError, QueueFull) as error:
            faults += 1
            if faults >= MAX_FAULTS:
                raise TooManyFaults from None
            line.answer([told.error_message(words_of(error))])


async def _tell(socket: Socket, line: FaceLine) -> None:
    async with contextlib.aclosing(line.told()) as items:  # type: ignore[type-var]
        async for item in items:
            await socket.send(to_binary(item) if isinstance(item, Packet) else told.to_text(item))
    raise ShuttingDown if socket.is_stopping else SessionEnded


class TooManyFaults(InvalidValue):
    def __init__(self) -> None:
        super().__init__("message", f"{MAX_FAULTS} messages in a row could not be understood.")
