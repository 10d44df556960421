"""SIGKILL at any moment of a pull leaves a store that is clean, and the next pull goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pull_child
from hub import LocalHub, Repo
from model_files import whisper_files
from talkie.models.store import ModelStore

SIZE_BYTES = 3_000_000
SLACK_BYTES = 128 * 1024  # what may be in the process, not yet in the file, when it dies


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub({"me/mine": Repo(whisper_files(SIZE_BYTES))}) as hub:
        yield hub


def child(home: Path, hub: LocalHub, mode: str, number: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, pull_child.__file__, str(home), hub.url, mode, str(number)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kills", [(1,), (1_000_000, 2_000_000)])
def test_bytes_that_are_here_are_not_fetched_again(tmp_path: Path, hub: LocalHub, kills: tuple[int, ...]) -> None:
    home = tmp_path / "home"
    store = ModelStore(home, endpoint=hub.url, offline=False)
    for at in kills:
        assert child(home, hub, "bytes", at).returncode == -signal.SIGKILL
        assert store.verify() == []
        assert [model.name for model in store.list(broken=True)] == ["sphinx-en"]
    model = store.pull(pull_child.MINE)
    assert model.state == "verified"
    assert all(verdict.ok for verdict in store.verify())
    starts = hub.starts["model.bin"]
    expected = [0, *(at for at in kills if at > 1000)]
    assert len(starts) == len(expected)
    for start, at in zip(starts, expected, strict=True):
        assert max(0, at - SLACK_BYTES) <= start


@pytest.mark.slow
def test_a_kill_before_every_change_of_the_disk(tmp_path: Path, hub: LocalHub) -> None:
    hub.repos["me/mine"] = Repo(whisper_files(1000))
    done = child(tmp_path, hub, "sweep", 0)
    assert (done.returncode, done.stderr) == (0, "")
    rounds = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rounds) > 20
    assert [one["finished"] for one in rounds] == [False] * (len(rounds) - 1) + [True]
    for one in rounds:
        assert one["after_kill"] == [], one
        assert one["names"] in (["sphinx-en"], ["sphinx-en", "mine"]), one
        assert one["mended"], one
        assert one["after_pull"] == [], one
        assert one["final"] == ["sphinx-en", "mine"], one
