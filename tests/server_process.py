"""`talkie serve` as a real process on a free port, for tests: started, waited for, stopped, its log kept.

`with running_server(home) as server: httpx.get(server.url + "/readyz")`. The environment is the test's own, without
any `TALKIE_*` but those given.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

START_S, READY_S, STOP_S = 30.0, 90.0, 30.0
BYTECODE = Path(__file__).parents[1] / ".pytest_cache" / "bytecode"
TALKIE = [sys.executable, "-c", "from talkie.cli.main import run; run()"]
FAKE = [
    sys.executable,
    "-c",
    "import talkie.server, fakes_service, sys; name = sys.argv.pop(1); "
    "talkie.server.build_service = lambda settings, **_: fakes_service.named(name); "
    "from talkie.cli.main import run; run()",
]


@dataclass
class ServerProcess:
    """A server that runs. `log` is the file of its stderr, one JSON object a line."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path
    started_s: float

    def log_text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def get(self, path: str, **more: object) -> httpx.Response:
        return httpx.get(self.url + path, timeout=30, **more)  # type: ignore[arg-type]

    def wait_ready(self, timeout_s: float = READY_S) -> float:
        """Wait for `/readyz` to say 200; the seconds since the process began."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self.get("/readyz").status_code == 200:
                return time.monotonic() - self.started_s
            time.sleep(0.05)
        raise AssertionError("the server did not become ready:\n" + self.log_text())

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Ask it to stop, and give its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(STOP_S)


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of the tests without any setting of Talkie's, and the sources of the tests importable."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TALKIE_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # to compile everything again takes two thirds of every start
    own = {"PYTHONPATH": str(Path(__file__).parent), "PYTHONPYCACHEPREFIX": str(BYTECODE), "HF_HUB_OFFLINE": "1"}
    return {**kept, **own, **(extra or {})}


@contextlib.contextmanager
def running_server(
    home: Path, *flags: str, env: Mapping[str, str] | None = None, fake: str = ""
) -> Iterator[ServerProcess]:
    """`talkie serve` with its home in `home`; with `fake`, in front of a `fakes_service` of that name."""
    home.mkdir(parents=True, exist_ok=True)
    log = home / "server.log"
    command = [*([*FAKE, fake] if fake else TALKIE), "serve", "--port", "0", "--home", str(home), "--log-json", *flags]
    with log.open("wb") as stderr:
        began = time.monotonic()
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=stderr, env=environment(env), cwd=home, start_new_session=True
        )
    try:
        server = ServerProcess(process, _wait_for_url(process, log), log, began)
        yield server
        server.stop()
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(STOP_S)


def _wait_for_url(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError, AttributeError):
                if url := json.loads(line).get("url"):
                    return str(url)
        time.sleep(0.02)
    raise AssertionError("the server did not start:\n" + log.read_text(encoding="utf-8", errors="replace"))
