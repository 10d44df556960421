"""A real `talkie serve` as a child process on a free loopback port, for as long as a block runs.

Knows nothing of what is asked of it; for measurements and for the demo.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from talkie.client import Client
from talkie.errors import EngineFailed, ServerUnreachable

START_S, READY_S, STOP_S, POLL_S = 60.0, 120.0, 15.0, 0.02
KEPT_LINES = 30
TALKIE = (sys.executable, "-m", "talkie")


@dataclass(frozen=True, slots=True)
class Served:
    """A running server, and the seconds from its start until it answered and until it was ready to work."""

    pid: int
    client: Client
    url: str
    answers_s: float
    ready_s: float


class _Log:
    """What the child says on stderr: read all the time, so that it never blocks; the last lines are kept."""

    def __init__(self, stream: IO[str]) -> None:
        self.url = ""
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._stream = stream
        self.announced = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with self._stream:
            for line in self._stream:
                self.lines.append(line.rstrip())
                with contextlib.suppress(ValueError, AttributeError):
                    self.url = self.url or str(json.loads(line).get("url") or "")
                if self.url:
                    self.announced.set()
        self.announced.set()


@contextlib.contextmanager
def served(
    home: Path, *, model: str = "", api_key: str | None = None, settings: Mapping[str, object] | None = None
) -> Iterator[Served]:
    """Start `talkie serve` and wait until it is ready. Without `model` it makes its own choice; `settings` by name.

    Raises `EngineFailed` with its last words when it does not come up.
    """
    command = [*TALKIE, "serve", "--host", "127.0.0.1", "--port", "0", "--home", str(home)]
    command += ["--tls", "off", "--log-json", "--log-level", "info", *(("--model", model) if model else ())]
    began = time.monotonic()
    changed = {f"TALKIE_{name.upper()}": str(value) for name, value in (settings or {}).items()}
    process = subprocess.Popen(
        ["env", *(f"{name}={value}" for name, value in changed.items()), *command],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    try:
        assert process.stderr is not None
        log = _Log(process.stderr)
        if not log.announced.wait(START_S) or not log.url:
            raise _failed("it did not start", log)
        with Client(log.url, api_key) as client:
            answers_s = _wait(client, process, log, began, until_ready=False)
            ready_s = _wait(client, process, log, began, until_ready=True)
            yield Served(process.pid, client, log.url, answers_s, ready_s)
    finally:
        end_process(process, STOP_S)


def _wait(client: Client, process: subprocess.Popen[str], log: _Log, began: float, *, until_ready: bool) -> float:
    """Seconds from `began` until the server answers, or is ready."""
    parts: object = None
    while time.monotonic() - began < READY_S and process.poll() is None:
        with contextlib.suppress(ServerUnreachable):
            body = client.ready()
            if body.get("ready") or not until_ready:
                return time.monotonic() - began
            parts = body.get("parts")
        time.sleep(POLL_S)
    raise _failed(f"it did not become ready ({parts})" if parts else "it ended", log)


def _failed(why: str, log: _Log) -> EngineFailed:
    said = "\n".join(log.lines)
    return EngineFailed("server", f"{why}. It said:\n{said}" if said else f"{why}, without a word")


def end_process(process: subprocess.Popen[str] | subprocess.Popen[bytes], grace_s: float) -> None:
    """Asked to end, and made to when it has not by then."""
    process.terminate()
    try:
        process.wait(grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
