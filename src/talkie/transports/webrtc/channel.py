"""The data channel of a call: the same JSON as on the WebSocket of a live face, without its binary messages.

What a message does wrong is answered by an `error` event and the call goes on; what ends the session ends the call.
Commands are obeyed one after another beside the event loop: to stop a face may take as long as a picture.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from talkie.errors import RequestError, SlowReader
from talkie.transports.http.errors import words_of
from talkie.wire import video_events as told
from talkie.wire.face_protocol import parse_command

if TYPE_CHECKING:
    from aiortc import RTCDataChannel

    from talkie.pipeline.faces import FaceInfo
    from talkie.transports.face_talk import FaceTalk

CHANNEL = "talkie"
MAX_WRONG = 32
"""Messages in a row that cannot be: whoever sends so many does not read the answers."""
MAX_COMMANDS = 256
"""That wait to be obeyed: whoever sends more sends faster than anybody speaks."""
UNREAD_BYTES = 1_000_000
"""Events that the caller has not taken: with more of them it reads nothing."""


class Channel:
    """`fail` is called with what ends the call."""

    def __init__(self, talk: FaceTalk, fail: Callable[[Exception], None]) -> None:
        self._talk, self._fail = talk, fail
        self._channel: RTCDataChannel | None = None
        self._wrong = 0
        self._said: asyncio.Queue[str | bytes] = asyncio.Queue(MAX_COMMANDS)

    def open(self, channel: RTCDataChannel, session_id: str, info: FaceInfo) -> None:
        """The caller has opened it. A second one takes the place of the first."""
        self._channel = channel
        sides = info.width & ~1, info.height & ~1
        self.say([told.session_created(session_id, info, *sides, video="rtp", audio="rtp")])
        channel.on("message", self._heard)

    def say(self, events: Iterable[told.Json]) -> None:
        """To a caller who has opened no channel, nothing is said."""
        channel = self._channel
        if channel is None or channel.readyState != "open":
            return
        if channel.bufferedAmount > UNREAD_BYTES:
            self._channel = None
            self._fail(SlowReader())
            return
        for event in events:
            channel.send(told.to_text(event))

    async def obey(self) -> None:
        """Every command in its turn, to the end of the call."""
        while True:
            message = await self._said.get()
            try:
                # bytes are no message of ours: sound comes as a track
                command = parse_command(message if isinstance(message, str) else "")
                self.say(await asyncio.to_thread(self._talk.obey, command))
                self._wrong = 0
            except RequestError as error:
                self.say([told.error_message(words_of(error))])
                self._wrong += 1
                if self._wrong >= MAX_WRONG:
                    self._fail(error)
            except Exception as error:
                self._fail(error)

    def _heard(self, message: str | bytes) -> None:
        try:
            self._said.put_nowait(message)
        except asyncio.QueueFull:
            self._fail(SlowReader())
