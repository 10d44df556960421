"""The live part of the bench of faces: messages of a server that is played here, over a real socket."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

from talkie.bench import face_live
from talkie.errors import EngineFailed, ServerUnreachable
from talkie.wire.face_protocol import AUDIO, VIDEO, Packet, to_binary

LATE_S = 0.05
"""How long after the interruption the server that is played goes on sending what is stale."""


def played(socket: Any) -> None:
    """Speaks a silent piece, then one that is heard; after an interruption one more comes late."""
    generation = 0
    try:
        for message in socket:
            if json.loads(message)["type"] == "text":
                generation += 1
                socket.send(to_binary(Packet(VIDEO, 0, 0, 0, 40_000, b"idle")))
                for number, level in enumerate((0, 8000)):
                    for kind, data in ((VIDEO, b"picture"), (AUDIO, np.full(10, level, "<i2").tobytes())):
                        socket.send(to_binary(Packet(kind, generation, number, 0, 40_000, data)))
            else:
                socket.send(json.dumps({"type": "interrupted", "generation": generation}))
                time.sleep(LATE_S)
                socket.send(to_binary(Packet(VIDEO, generation, 9, 0, 40_000, b"stale")))
    except ConnectionClosed:
        return


@pytest.fixture
def url() -> Iterator[str]:
    with serve(played, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join()


def test_what_is_late_is_counted(url: str) -> None:
    found = face_live.measure(face_live.LiveFaceTask(url, times=2, stop_s=0, stop_step_s=0))
    assert len(found.first_picture_s) == len(found.last_stale_s) == 2
    assert all(late >= LATE_S for late in found.last_stale_s)
    assert all(answer > 0 for answer in found.interrupted_s)
    assert all(sound >= picture > 0 for picture, sound in zip(found.first_picture_s, found.first_sound_s, strict=True))
    assert found.still_s == list(found.last_stale_s)
    assert found.failed == 0


def test_a_server_that_hangs_up_is_an_error() -> None:
    with serve(lambda socket: None, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        with pytest.raises(EngineFailed):
            face_live.measure(face_live.LiveFaceTask(url, times=1))
        server.shutdown()
        thread.join()
    with pytest.raises(ServerUnreachable):
        face_live.measure(face_live.LiveFaceTask(url, times=1))
