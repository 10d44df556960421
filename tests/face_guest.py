"""A client of a live face over a WebSocket, by the unmodified `websockets` package."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import av
import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from talkie.types import Picture
from talkie.wire.face_protocol import VIDEO, Packet, read_binary


class FaceGuest:
    """`events` and `packets` are all that came, in order; `log` both together."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.events: list[dict[str, Any]] = []
        self.packets: list[Packet] = []
        self.log: list[dict[str, Any] | Packet] = []

    async def say(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def next(self) -> dict[str, Any] | Packet:
        message = await self.socket.recv()
        item = json.loads(message) if isinstance(message, str) else read_binary(message)
        (self.packets if isinstance(item, Packet) else self.events).append(item)
        self.log.append(item)
        return item

    async def until(self, kind: str) -> dict[str, Any]:
        """The next event of that kind."""
        while True:
            item = await self.next()
            if isinstance(item, dict) and item["type"] == kind:
                return item

    async def until_packet(self, wanted: Callable[[Packet], bool]) -> Packet:
        while True:
            item = await self.next()
            if isinstance(item, Packet) and wanted(item):
                return item

    @property
    def pictures(self) -> list[Packet]:
        return [packet for packet in self.packets if packet.kind == VIDEO]


@contextlib.asynccontextmanager
async def face_guest(address: str, name: str = "talkie", query: str = "", **more: Any) -> AsyncIterator[FaceGuest]:
    url = f"ws://{address}/v1/video/avatars/{name}/live{query}"
    async with connect(url, proxy=None, max_queue=256, **more) as socket:
        yield FaceGuest(socket)


def decoded(packets: list[Packet], codec: str) -> list[Picture]:
    """The pictures that a decoder makes of access units, which must begin with a key."""
    decoder: Any = av.CodecContext.create(codec, "r")
    frames = [frame for packet in packets for frame in decoder.decode(av.Packet(packet.data))]
    frames += decoder.decode(None)
    return [np.asarray(frame.to_ndarray(format="bgr24")) for frame in frames]
