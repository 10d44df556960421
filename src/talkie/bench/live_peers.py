"""Live peers at work: each one's server as a process for as long as a block runs, and the same sessions for all.

Everybody is measured by the same arithmetic (`live_views`), Talkie too. Knows nothing of what comes out.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkie.bench.live_dialects import Dialect
from talkie.bench.peers.child import THREAD_NAMES
from talkie.bench.peers.environment import Environments, Report
from talkie.bench.peers.live_table import live_peer
from talkie.errors import EngineFailed

START_S = 120.0
END_S = 10.0
KEPT_CHARS = 1500


@dataclass(frozen=True, slots=True)
class PeerServer:
    """One that listens. `settings` are what its runner says."""

    name: str
    url: str
    pid: int
    dialect: Dialect
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PeerWish:
    """A model directory, processors, and how many sessions there will be at most."""

    model: Path
    threads: int = 2
    clients: int = 4


@contextmanager
def peer_server(name: str, environments: Environments, wish: PeerWish, report: Report) -> Iterator[PeerServer]:
    """Raises `EngineUnavailable` and `EngineFailed` where it cannot be made or does not start."""
    peer, dialect = live_peer(name)
    environment = environments.prepare(peer, report)
    model = wish.model / "ct2-int8" if (wish.model / "ct2-int8").is_dir() else wish.model
    command = [str(environment.python), str(peer.script), str(model), str(wish.threads), str(wish.clients)]
    values = dict.fromkeys(THREAD_NAMES, str(wish.threads)) | {"HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            ["env", *(f"{key}={value}" for key, value in values.items()), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            start_new_session=True,
        )
        try:
            told = _first_line(process)
            if told is None:
                said.seek(0)
                words = said.read().decode(errors="replace")[-KEPT_CHARS:]
                raise EngineFailed(name, f"its server did not start. It said:\n{words}")
            yield PeerServer(name, told["url"], process.pid, dialect, {**told["versions"], **told["settings"]})
        finally:
            _end(process)


def _first_line(process: subprocess.Popen[str]) -> dict[str, Any] | None:
    """The first JSON object on its stdout; the rest is read and dropped, so that it never blocks."""
    found: queue.Queue[dict[str, Any]] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        with process.stdout as stream:
            for line in stream:
                with suppress(ValueError):
                    found.put(json.loads(line))
        found.put({})  # it has ended

    threading.Thread(target=read, daemon=True).start()
    with suppress(queue.Empty):
        told = found.get(timeout=START_S)
        return told if isinstance(told, dict) and "url" in told else None
    return None


def _end(process: subprocess.Popen[str]) -> None:
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(END_S)
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
