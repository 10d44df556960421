"""A `talkie serve` to measure: a process on a free port with a home of its own, and when it answers what."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from talkie.errors import EngineFailed

TALKIE = (sys.executable, "-c", "from talkie.cli.main import run; run()")
START_LIMIT_S = 120.0
_POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class Served:
    """A running server and how long after its start it did what."""

    pid: int
    url: str
    alive_s: float
    ready_s: float


@contextmanager
def served(home: Path, model: str) -> Iterator[Served]:
    """Start, wait until `/readyz` is content, and stop at the end. Raises `EngineFailed` when it does not come up."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = [*TALKIE, "serve", "--port", str(port), "--home", str(home), "--model", model, "--log-level", "error"]
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=url, timeout=5.0, trust_env=False) as client:
            alive_s = _wait(process, client, "/healthz", began)
            ready_s = _wait(process, client, "/readyz", began)
        yield Served(process.pid, url, alive_s, ready_s)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], client: httpx.Client, path: str, began: float) -> float:
    """Seconds from `began` until the path answers 200."""
    while time.monotonic() - began < START_LIMIT_S:
        try:
            if client.get(path).status_code == 200:
                return time.monotonic() - began
        except httpx.TransportError:
            pass
        if process.poll() is not None:
            raise EngineFailed("serve", f"it ended with status {process.returncode} before it was ready")
        time.sleep(_POLL_S)
    raise EngineFailed("serve", f"it did not answer {path} within {START_LIMIT_S:g} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
