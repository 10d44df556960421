"""The first start of a real server on an empty volume, and what it does with volumes that are not as they should be."""

from __future__ import annotations

import io
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from hub import LocalHub, Repo
from server_fixtures import SCRIPT, WHISPER, WRITTEN, speech_wav
from server_process import ServerProcess, running_server
from talkie.bench.shape_true import make_shape_true
from talkie.models.store import ModelStore

ME = f"hf:me/{WHISPER}"
FLAGS = ("--pull", ME, "--workers", "1", "--threads", "1", "--preset", "fast")
WAIT_S = 60.0


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    made = make_shape_true(tmp_path_factory.mktemp("made") / WHISPER, "micro", script=SCRIPT)
    return {path.name: path.read_bytes() for path in made.iterdir() if path.name != "shape.json"}


@pytest.fixture
def hub(files: dict[str, bytes]) -> Iterator[LocalHub]:
    with LocalHub({f"me/{WHISPER}": Repo(files)}) as hub:
        yield hub


@pytest.fixture
def held(hub: LocalHub) -> Iterator[threading.Event]:
    """The weights stop in the middle until this is set."""
    release = threading.Event()
    half = len(hub.repos[f"me/{WHISPER}"].files["model.bin"]) // 2
    hub.faults.on_bytes = lambda file, sent: None if file != "model.bin" or sent < half else _wait(release)
    yield release
    release.set()


def _wait(release: threading.Event) -> None:
    release.wait(WAIT_S)


def online(hub: LocalHub) -> dict[str, str]:
    """CTranslate2 needs nothing prepared."""
    return {"HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0", "TALKIE_BACKEND": "ctranslate2"}


def state_of(server: ServerProcess) -> str:
    """Of what is pulled."""
    return str(server.get("/readyz").json()["parts"][f"pull {ME}"])


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def hear(server: ServerProcess, model: str = "auto") -> httpx.Response:
    recording = {"file": ("speech.wav", io.BytesIO(speech_wav()))}
    return httpx.post(f"{server.url}/v1/audio/transcriptions", files=recording, data={"model": model}, timeout=WAIT_S)


def test_two_servers_on_an_empty_volume_make_one_download_though_one_is_killed(
    tmp_path: Path, hub: LocalHub, held: threading.Event, files: dict[str, bytes]
) -> None:
    """Meanwhile both are alive and hear by the built-in engine; the other one goes on and takes the better model."""
    store = ModelStore(tmp_path / "volume")
    flags = (*FLAGS, "--home", str(store.home))
    small = sum(len(data) for name, data in files.items() if name != "model.bin")
    with (
        running_server(tmp_path / "one", *flags, env=online(hub)) as one,
        running_server(tmp_path / "two", *flags, env=online(hub)) as two,
    ):
        until(lambda: store.unfinished().get(WHISPER, 0) > small)
        until(lambda: any("another server is pulling it" in state for state in map(state_of, (one, two))))
        pulls, waits = (one, two) if "%" in state_of(one) else (two, one)
        for server in (pulls, waits):
            assert (server.get("/healthz").status_code, server.get("/readyz").status_code) == (200, 503)
        assert hear(waits).json()["warnings"][0]["code"] == "built_in_model"
        coming = hear(waits, WHISPER)
        assert (coming.status_code, coming.json()["error"]["code"]) == (503, "model_coming")
        assert int(coming.headers["Retry-After"]) > 0

        assert pulls.stop(signal.SIGKILL) == -signal.SIGKILL
        assert store.verify() == []
        held.set()
        waits.wait_ready(WAIT_S)
        assert hear(waits).json()["text"] == WRITTEN
    assert len(hub.starts["model.bin"]) == 2 and hub.starts["model.bin"][1] > 0
    assert all(hub.sent[name] == len(data) for name, data in files.items() if name != "model.bin")
    assert all(verdict.ok for verdict in store.verify())


def test_a_volume_that_nobody_may_write_to_is_said_and_the_server_goes_on(tmp_path: Path, hub: LocalHub) -> None:
    flags = ("--home", "/sys/kernel/talkie", "--pull", ME)
    with running_server(tmp_path, *flags, env=online(hub)) as server:
        until(lambda: "store_read_only" in state_of(server))
        assert hear(server).json()["text"]
        log = [json.loads(line) for line in server.log_text().splitlines()]
        told = [line for line in log if "/sys/kernel/talkie" in line["message"]]
        assert told[0]["level"] == "error" and "The next try is in" in told[0]["message"]
        assert server.get("/healthz").status_code == 200
        assert server.stop() == 0
