"""A server that is asked to stop at a bad moment: it ends soon, with 0, and leaves nothing half made."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from server_process import TALKIE, ServerProcess, environment, running_server
from whisper_models import shape_model

WAIT_S = 60.0
WHOLE = "talkie.json"
"""Written last: a conversion that has it was done before it was given up, and is used the next time."""


def wait_for(server: ServerProcess, words: str) -> None:
    """Until the log says so."""
    until_s = time.monotonic() + WAIT_S
    while words not in server.log_text():
        assert time.monotonic() < until_s and server.process.poll() is None, server.log_text()
        time.sleep(0.02)


def test_a_thread_in_a_native_library_does_not_spoil_the_end(tmp_path: Path) -> None:
    """It comes back from the library when the interpreter is gone, which C++ answers by SIGABRT."""
    with running_server(tmp_path, fake="native") as server:
        wait_for(server, "in a native library")
        assert server.get("/healthz").status_code == 200
        assert server.stop() == 0
    assert "Talkie has stopped" in server.log_text() and "terminate" not in server.log_text()


@pytest.mark.parametrize("times", [1, 2])
def test_a_model_that_is_being_prepared_is_given_up(tmp_path: Path, times: int) -> None:
    with running_server(tmp_path, "--model", str(shape_model())) as server:
        wait_for(server, "is being prepared for this machine")
        for _ in range(times):
            server.process.send_signal(signal.SIGTERM)
        assert server.stop() == 0
    left = [path.relative_to(tmp_path) for path in (tmp_path / "compiled").rglob("*") if path.is_file()]
    left = [path for path in left if path.suffix != ".lock"]
    half_made = [path for path in left if path.suffix == ".part" or any(part.startswith(".") for part in path.parts)]
    assert half_made == []
    assert all((tmp_path / path).with_name(WHOLE).is_file() for path in left if path.name == "encoder.xml")


def test_before_it_listens_it_ends_as_well(tmp_path: Path) -> None:
    """In the middle of its imports, where a signal that nobody hears would end it by the signal."""
    code = (
        "import os, signal, sys; from talkie.cli.main import run\n"
        "class Asked:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'talkie.server': os.kill(os.getpid(), signal.SIGTERM)\n"
        "sys.meta_path.insert(0, Asked()); run()"
    )
    command = [TALKIE[0], "-c", code, "serve", "--port", "0", "--home", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment(), check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
