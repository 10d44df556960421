"""What one waits for who talks to a live face: a text sent, its face seen and heard; an interruption, and silence.

Through the WebSocket of a real server, as a browser would: what is counted is the moment in which a message is here.
An interruption comes somewhere in the middle of a sentence, each time elsewhere. Knows nothing of tables.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from talkie.bench.face_results import FaceLiveRun
from talkie.bench.sentences import SENTENCES
from talkie.bench.tts import AUDIBLE
from talkie.errors import EngineFailed, ServerUnreachable
from talkie.tls_duplex import duplex_context
from talkie.wire.face_protocol import AUDIO, VIDEO, Packet, read_binary

OPEN_S, ANSWER_S = 60.0, 20.0
QUIET_S = 0.4
"""After the answer to an interruption: whatever is stale and still comes, comes within it."""
STOPS = 8
MAX_MESSAGE_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class LiveFaceTask:
    """Interruptions come `stop_s` after the first sound, and a step later with each text, `STOPS` of them in turn."""

    url: str
    avatar: str = "auto"
    times: int = 20
    api_key: str | None = None
    stop_s: float = 0.3
    stop_step_s: float = 0.11


@dataclass(slots=True)
class _Arrived:
    """Everything that came, with the moment: written by the thread that reads."""

    packets: list[tuple[float, Packet]] = field(default_factory=list)
    events: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    ended: str = ""
    changed: threading.Condition = field(default_factory=threading.Condition)

    def wait(self, found: Callable[[], float | None], seconds: float) -> float | None:
        """What `found` gives, as soon as it gives something."""
        with self.changed:
            self.changed.wait_for(lambda: found() is not None or bool(self.ended), timeout=seconds)
            return found()


def measure(task: LiveFaceTask, progress: Callable[[str], None] = lambda _: None) -> FaceLiveRun:
    """One session; the first text does not count. Raises `ServerUnreachable`, `EngineFailed`."""
    from websockets.exceptions import WebSocketException
    from websockets.sync.client import connect

    url = f"{task.url.replace('http', 'ws', 1)}/v1/video/avatars/{task.avatar}/live?language=en"
    headers = {"Authorization": f"Bearer {task.api_key}"} if task.api_key else {}
    try:
        with connect(
            url,
            ssl=duplex_context() if url.startswith("wss") else None,
            open_timeout=OPEN_S,
            max_size=MAX_MESSAGE_BYTES,
            compression=None,
            additional_headers=headers,
            proxy=None,
        ) as socket:
            return _talk(socket, task, progress)
    except WebSocketException as error:
        raise EngineFailed("server", f"the live face ended: {type(error).__name__}") from error
    except OSError as error:
        raise ServerUnreachable(task.url, str(error)) from error


def _talk(socket: Any, task: LiveFaceTask, progress: Callable[[str], None]) -> FaceLiveRun:
    arrived = _Arrived()
    threading.Thread(target=_read, args=(socket, arrived), daemon=True).start()
    tries: list[_Try] = []
    failed = 0
    for number in range(task.times + 1):
        if number % 5 == 1:
            progress(f"live: text {number} of {task.times}")
        one = _one(socket, arrived, number, task.stop_s + task.stop_step_s * (number % STOPS))
        failed += one is None
        if one is not None and number:
            tries.append(one)
    if not tries:
        raise EngineFailed("server", f"no text was spoken {arrived.ended}".strip())
    return FaceLiveRun(
        task.avatar,
        tuple(one.picture_s for one in tries),
        tuple(one.sound_s for one in tries),
        tuple(one.stale_s for one in tries),
        tuple(one.answer_s for one in tries),
        failed,
    )


@dataclass(frozen=True, slots=True)
class _Try:
    picture_s: float
    sound_s: float
    stale_s: float
    answer_s: float


def _one(socket: Any, arrived: _Arrived, number: int, stop_s: float) -> _Try | None:
    """A text, and its interruption; None where an answer did not come."""
    texts = SENTENCES["en"]
    text = " ".join([texts[number % len(texts)], texts[(number + 5) % len(texts)], texts[(number + 9) % len(texts)]])
    with arrived.changed:
        arrived.packets.clear()
        arrived.events.clear()
    began_s = time.monotonic()
    socket.send(json.dumps({"type": "text", "text": text}))
    picture_s = arrived.wait(lambda: _first(arrived, VIDEO), ANSWER_S)
    sound_s = arrived.wait(lambda: _first(arrived, AUDIO), ANSWER_S)
    if picture_s is None or sound_s is None:
        return None
    time.sleep(stop_s)
    stopped_s = time.monotonic()
    socket.send(json.dumps({"type": "interrupt"}))
    answer_s = arrived.wait(lambda: _answer(arrived, stopped_s), ANSWER_S)
    if answer_s is None:
        return None
    time.sleep(QUIET_S)
    with arrived.changed:
        stale = [at_s for at_s, packet in arrived.packets if packet.generation and at_s > stopped_s]
    return _Try(picture_s - began_s, sound_s - began_s, max(stale, default=stopped_s) - stopped_s, answer_s - stopped_s)


def _first(arrived: _Arrived, kind: int) -> float | None:
    """When the first picture of somebody who speaks was here, or the first sound that can be heard."""
    for at_s, packet in arrived.packets:
        if packet.kind == kind and packet.generation and (kind == VIDEO or _audible(packet)):
            return at_s
    return None


def _audible(packet: Packet) -> bool:
    return bool(np.abs(np.frombuffer(packet.data, "<i2").astype(np.int32)).max(initial=0) > AUDIBLE * 32768)


def _answer(arrived: _Arrived, since_s: float) -> float | None:
    return next((at_s for at_s, one in arrived.events if one["type"] == "interrupted" and at_s >= since_s), None)


def _read(socket: Any, arrived: _Arrived) -> None:
    try:
        for message in socket:
            at_s = time.monotonic()
            with arrived.changed:
                if isinstance(message, bytes):
                    arrived.packets.append((at_s, read_binary(message)))
                else:
                    arrived.events.append((at_s, json.loads(message)))
                arrived.changed.notify_all()
    except Exception as error:  # told to whoever waits; the socket's own errors end the reading
        arrived.ended = type(error).__name__
    with arrived.changed:
        arrived.ended = arrived.ended or "the server hung up"
        arrived.changed.notify_all()
