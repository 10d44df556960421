"""Live peers: pins that are exact, runners that are there, and a server that is started and ended."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from talkie.bench.live_peers import PeerWish, peer_server
from talkie.bench.peers.environment import Environment, Environments
from talkie.bench.peers.live_table import LIVE_PEERS, live_peer
from talkie.bench.peers.table import PEERS, Peer
from talkie.errors import EngineFailed, InvalidValue


class Made(Environments):
    """Environments that need not be made: the interpreter of the tests."""

    def prepare(self, peer: Peer, report: object = None) -> Environment:
        return Environment(peer.name, Path(sys.executable), 0)


def report(*_: object) -> None:
    pass


def test_every_live_peer_has_a_runner_and_exact_pins() -> None:
    for name, (peer, _) in LIVE_PEERS.items():
        assert peer.name == name
        assert peer.script.is_file()
        assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.a-z]+", one) for one in (*peer.requirements, *peer.alone))
        assert name not in {one.name for one in PEERS}


def test_a_peer_that_is_not_known() -> None:
    with pytest.raises(InvalidValue, match="nobody"):
        live_peer("nobody")


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In the place of whisper-live's."""
    path = tmp_path / "runner.py"
    monkeypatch.setattr(Peer, "script", property(lambda _: path))
    return path


def test_a_server_is_there_for_as_long_as_the_block(runner: Path, tmp_path: Path) -> None:
    runner.write_text(
        "import json, os, sys, time\n"
        "print('noise')\n"
        "told = {'argv': sys.argv[1:], 'threads': os.environ['OMP_NUM_THREADS']}\n"
        "print(json.dumps({'url': 'http://127.0.0.1:1', 'versions': {}, 'settings': told}), flush=True)\n"
        "time.sleep(600)\n"
    )
    (tmp_path / "ct2-int8").mkdir()
    with peer_server("whisper-live", Made(tmp_path), PeerWish(tmp_path, 3, 7), report) as server:
        assert server.settings == {"argv": [str(tmp_path / "ct2-int8"), "3", "7"], "threads": "3"}
        os.kill(server.pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)


def test_a_server_that_does_not_start_is_told_with_its_last_words(runner: Path, tmp_path: Path) -> None:
    runner.write_text("raise SystemExit('no such model')\n")
    with (
        pytest.raises(EngineFailed, match="no such model"),
        peer_server("whisper-live", Made(tmp_path), PeerWish(tmp_path), report),
    ):
        raise AssertionError
