"""`stream=true` over a real socket: pieces arrive while the rest is worked on, and leaving frees the engine."""

from __future__ import annotations

import io
import json
import re
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np

from server_fixtures import ON_SERVER, SAID, WHISPER
from server_process import ServerProcess, running_server
from speech import say

TRANSCRIBE = "/v1/audio/transcriptions"
REPEATS = 300
WAIT_S = 60.0

pytestmark = ON_SERVER


def long_wav() -> bytes:
    """Minutes of speech, at 8 kHz so that it is a small file."""
    once = np.concatenate([say(SAID, sample_rate=8000), np.zeros(4000, np.float32)])
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes((np.tile(once, REPEATS) * 32767).astype(np.int16).tobytes())
    return file.getvalue()


def metric(server: ServerProcess, name: str, **labels: str) -> float:
    """The sum of a metric over the series that have these labels."""
    total = 0.0
    for line in server.get("/metrics").text.splitlines():
        found = re.fullmatch(rf"{name}(\{{.*\}})? (\S+)", line)
        if found and all(f'{key}="{value}"' in (found[1] or "") for key, value in labels.items()):
            total += float(found[2])
    return total


def until(server: ServerProcess, name: str, value: float, **labels: str) -> bool:
    deadline = time.monotonic() + WAIT_S
    while metric(server, name, **labels) != value:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def deltas(answer: httpx.Response) -> Iterator[str]:
    for line in answer.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))["delta"]


def test_the_first_words_arrive_while_the_rest_is_heard_and_leaving_frees_the_engine(server: ServerProcess) -> None:
    before = metric(server, "talkie_transcriptions_total", outcome="cancelled")
    finished = metric(server, "talkie_transcriptions_total", outcome="ok")
    form = {"files": {"file": ("long.wav", long_wav())}, "data": {"stream": "true", "model": WHISPER}}
    with httpx.stream("POST", server.url + TRANSCRIBE, timeout=WAIT_S, **form) as answer:  # type: ignore[arg-type]
        pieces = deltas(answer)  # kept: to drop it would close the connection
        assert next(pieces)
        assert metric(server, "talkie_requests_running") == 1
    assert until(server, "talkie_requests_running", 0)
    assert until(server, "talkie_queued_windows", 0)
    assert metric(server, "talkie_transcriptions_total", outcome="cancelled") == before + 1
    assert metric(server, "talkie_transcriptions_total", outcome="ok") == finished


def test_pieces_pass_the_socket_one_by_one(tmp_path: Path) -> None:
    """The work behind these two never comes to its end."""
    with running_server(tmp_path, fake="hangs") as hanging:
        form = {"files": {"file": ("a.wav", b"sound")}, "data": {"stream": "true"}}
        with httpx.stream("POST", hanging.url + TRANSCRIBE, timeout=WAIT_S, **form) as answer:  # type: ignore[arg-type]
            assert answer.headers["content-type"].startswith("text/event-stream")
            pieces = deltas(answer)
            assert [next(pieces), next(pieces)] == ["hello there", " general"]
        deadline = time.monotonic() + WAIT_S
        while "cancelled" not in hanging.log_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert "cancelled" in hanging.log_text()
