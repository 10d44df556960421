"""A server that speaks `/v1/listen` and hears nothing: it says what a test tells it to, for those who measure."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

Answer = Callable[[float], list[dict[str, Any]]]
"""The messages after so many more seconds of sound; a session's own."""
RATE_HZ = 16_000


@dataclass
class ListenServer:
    """`answer` makes the answers of each session; `sound` is what each one sent, `frames` the sizes of its messages,
    `paths` how it was opened."""

    answer: Callable[[], Answer]
    url: str = ""
    first: dict[str, Any] = field(default_factory=lambda: {"type": "ready", "session_id": "live_1", "model": "fake-en"})
    sound: list[bytearray] = field(default_factory=list)
    frames: list[list[int]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    done: bool = True

    def handle(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        sound, frames = bytearray(), list[int]()
        self.sound.append(sound)
        self.frames.append(frames)
        self.paths.append(socket.request.path)
        answer = self.answer()
        _say(socket, self.first)
        try:
            for message in socket:
                if isinstance(message, str):
                    assert json.loads(message) == {"type": "close"}
                    break
                sound += message
                frames.append(len(message))
                for one in answer(len(sound) / 2 / RATE_HZ):
                    _say(socket, one)
        except ConnectionClosed:
            return
        if self.done:
            _say(socket, {"type": "done", "seconds": len(sound) / 2 / RATE_HZ})


def _say(socket: ServerConnection, message: dict[str, Any]) -> None:
    socket.send(json.dumps(message))


@contextmanager
def listening(answer: Callable[[], Answer] | None = None, **changed: Any) -> Iterator[ListenServer]:
    """A running one; without `answer` it says nothing."""
    found = ListenServer(answer or (lambda: lambda _: []), **changed)
    with serve(found.handle, "127.0.0.1", 0, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        found.url = f"http://127.0.0.1:{_port(server)}"
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()


def _port(server: Server) -> int:
    return int(server.socket.getsockname()[1])


def script(*messages: tuple[float, dict[str, Any]]) -> Callable[[], Answer]:
    """Each message once its second of sound has come."""

    def start() -> Answer:
        waiting = list(messages)

        def answer(heard_s: float) -> list[dict[str, Any]]:
            due = [message for at_s, message in waiting if at_s <= heard_s]
            waiting[:] = [(at_s, message) for at_s, message in waiting if at_s > heard_s]
            return due

        return answer

    return start
