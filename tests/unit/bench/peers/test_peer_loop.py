"""What all runners share, in a process of its own as it will be: protocol, costs, and many clients at once."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from talkie.bench.peers.child import LoadWish, PeerChild
from talkie.bench.peers.table import RUNNERS
from talkie.errors import EngineFailed

ENGINE = f"""
import os, subprocess, sys, threading, time
sys.path.insert(0, {str(RUNNERS)!r})
BURN = "import time\\nwhile time.process_time() < 0.3: pass"
class Fake:
    packages = ("pytest", "there-is-no-such-package")
    takes, concurrent = "TAKES", CONCURRENT
    def open(self, wish, imported):
        imported()
        print("libraries print")
        os.system("echo programs too; cat")
        self.inside = self.most = 0
        self.lock = threading.Lock()
        self.together = threading.Barrier(3)
        return {{"model": wish["model"]}}
    def hear(self, sound, first):
        if wish_fails(sound):
            raise ValueError("not that one")
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        if self.concurrent:
            self.together.wait(20)
        first()
        what = sound if isinstance(sound, str) else ""
        if what == "burn":
            subprocess.run([sys.executable, "-c", BURN])
        elif what == "burning":
            self.child = subprocess.Popen([sys.executable, "-c", BURN + "\\nprint(1, flush=True)\\ntime.sleep(60)"],
                stdout=subprocess.PIPE)
            self.child.stdout.readline()
        with self.lock:
            self.inside -= 1
        text = f" most {{self.most}}" if isinstance(sound, str) else f"{{sound.dtype}} {{sound.max():.2f}}"
        return [{{"text": text, "start": 0, "end": 1, "timed_words": 2}}, {{"text": " end ", "start": 1, "end": 2}}]
def wish_fails(sound):
    return isinstance(sound, str) and sound.endswith("bad.wav")
import peer_loop
peer_loop.serve(Fake())
"""


def child(tmp_path: Path, *, takes: str = "path", concurrent: bool = False) -> PeerChild:
    path = tmp_path / "runner.py"
    path.write_text(ENGINE.replace("TAKES", takes).replace("CONCURRENT", str(concurrent)), encoding="utf-8")
    return PeerChild("fake", Path(sys.executable), path)


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.full(8_000, 0.5, np.float32), 16_000, subtype="PCM_16")
    return path


def test_what_libraries_print_is_no_answer(tmp_path: Path) -> None:
    with child(tmp_path) as peer:
        found = peer.load(LoadWish(tmp_path))
        assert found.settings == {"model": str(tmp_path)}
        assert set(found.versions) == {"pytest"}
        heard = peer.transcribe(tmp_path / "a.wav")
    assert (heard.text, heard.segments, heard.words, heard.timed_words) == ("most 1 end", 2, 3, 2)
    assert 0 <= heard.first_segment_s <= heard.wall_s


@pytest.mark.parametrize("how", ["burn", "burning"])
def test_the_processor_time_of_children_counts_dead_or_alive(tmp_path: Path, how: str) -> None:
    with child(tmp_path) as peer:
        peer.load(LoadWish(tmp_path))
        assert peer.transcribe(Path(how)).cpu_s >= 0.29


def test_samples_are_those_of_the_file(tmp_path: Path, wav: Path) -> None:
    with child(tmp_path, takes="samples") as peer:
        peer.load(LoadWish(tmp_path))
        assert peer.transcribe(wav).text == "float32 0.50 end"


def test_clients_take_turns_at_one_model(tmp_path: Path, wav: Path) -> None:
    with child(tmp_path) as peer:
        peer.load(LoadWish(tmp_path))
        found = peer.clips([wav, wav, wav], clients=4, each=2)
    assert set(found.texts) == {"most 1 end"}
    assert (len(found.texts), len(found.latencies_s), len(found.per_client)) == (8, 8, 4)
    assert found.audio_s == pytest.approx(4.0)
    sums = [sum(found.latencies_s[start : start + 2]) for start in range(0, 8, 2)]
    assert found.per_client == pytest.approx(sums)


def test_a_service_gets_all_clients_at_once(tmp_path: Path, wav: Path) -> None:
    with child(tmp_path, concurrent=True) as peer:  # its barrier opens for three at once only
        peer.load(LoadWish(tmp_path))
        found = peer.clips([wav], clients=3, each=1)
    assert found.texts == ("most 3 end",) * 3


def test_a_client_that_fails_fails_the_round_and_not_the_process(tmp_path: Path, wav: Path) -> None:
    with child(tmp_path) as peer:
        peer.load(LoadWish(tmp_path))
        with pytest.raises(EngineFailed, match="not that one"):
            peer.clips([wav, tmp_path / "bad.wav"], clients=2, each=1)
        with pytest.raises(EngineFailed, match="no clips"):
            peer.clips([], clients=2, each=1)
        with pytest.raises(EngineFailed, match="more than there may be"):
            peer.clips([wav], clients=100_000, each=1)
        assert peer.transcribe(wav).segments == 2
