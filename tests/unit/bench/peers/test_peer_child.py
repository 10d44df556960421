"""The driver of a peer's process, against runners that answer, fail, die, hang and talk nonsense."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from talkie.bench.peers.child import LoadWish, Patience, PeerChild
from talkie.errors import EngineFailed

LOADED = {"ok": True, "import_s": 0.1, "import_cpu_s": 0.1, "load_s": 0.2, "load_cpu_s": 0.2}
START = f"""
import json, os, subprocess, sys, time
def asked():
    line = sys.stdin.readline()
    return json.loads(line) if line else {{"do": "end"}}
def answer(**values):
    print(json.dumps(values), flush=True)
def loaded(**settings):
    answer(**{{**{LOADED!r}, "versions": {{"python": sys.version.split()[0]}}, "settings": settings}})
"""


def child(tmp_path: Path, script: str, *, threads: int = 1, patience_s: float = 20.0) -> PeerChild:
    path = tmp_path / "runner.py"
    path.write_text(START + script, encoding="utf-8")
    patience = Patience(load_s=patience_s, work_s=patience_s)
    return PeerChild("fake", Path(sys.executable), path, threads=threads, patience=patience)


def alive(pid: int) -> bool:
    """A zombie counts as gone: it is its parent's to bury."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pid: int) -> bool:
    """A killed process needs a moment to die."""
    until = time.monotonic() + 20
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return not alive(pid)


def test_the_wish_arrives_and_the_threads_are_set_before_anything_is_loaded(tmp_path: Path) -> None:
    script = (
        "wish = asked()\nloaded(wish=wish, threads=os.environ['OMP_NUM_THREADS'], path=os.environ['PATH'])\nasked()"
    )
    with child(tmp_path, script, threads=3) as peer:
        wish = LoadWish(tmp_path, "float32", threads=3, batch=4, beam=5, words=True, language="de", options={"a": 1})
        found = peer.load(wish)
    assert found.settings["threads"] == "3"
    assert found.settings["path"].startswith(str(Path(sys.executable).parent) + ":")
    expected = {"compute_type": "float32", "batch": 4, "beam": 5, "words": True, "language": "de", "options": {"a": 1}}
    assert expected.items() <= found.settings["wish"].items()
    assert found.settings["wish"]["model"] == str(tmp_path)
    assert (found.import_s, found.load_cpu_s) == (0.1, 0.2)


def test_an_error_names_its_reason_and_the_last_words_and_the_peer_stays(tmp_path: Path) -> None:
    script = "asked()\nprint('no such file: x', file=sys.stderr, flush=True)\ntime.sleep(0.1)\n"
    script += "answer(ok=False, error='OSError: gone')\nasked()\nloaded()\nasked()"
    with child(tmp_path, script) as peer:
        with pytest.raises(EngineFailed, match="OSError: gone"):
            peer.load(LoadWish(tmp_path))
        assert peer.load(LoadWish(tmp_path)).settings == {}


def test_a_crash_names_the_exit_status_and_the_last_words(tmp_path: Path) -> None:
    peer = child(tmp_path, "asked()\nprint('line 1\\nlast words', file=sys.stderr)\nsys.exit(3)")
    with peer, pytest.raises(EngineFailed, match="ended with 3") as caught:
        peer.load(LoadWish(tmp_path))
    assert caught.value.message.endswith("line 1\nlast words")


def test_a_runner_that_is_not_there_says_so(tmp_path: Path) -> None:
    with PeerChild("fake", tmp_path / "python", tmp_path / "runner.py") as peer, pytest.raises(EngineFailed):
        peer.load(LoadWish(tmp_path))


@pytest.mark.parametrize("said", ["nonsense", "[1]", '"ok"', "{"])
def test_an_answer_that_is_no_object_ends_it(tmp_path: Path, said: str) -> None:
    peer = child(tmp_path, f"asked()\nprint({said!r}, flush=True)\ntime.sleep(60)")
    with peer, pytest.raises(EngineFailed, match="not a JSON object"):
        peer.load(LoadWish(tmp_path))


@pytest.mark.parametrize("answer", ["{}", "{'text': 'a', 'segments': 1, 'words': 1, 'wall_s': float('nan')}"])
def test_an_answer_without_its_figures_is_an_error(tmp_path: Path, answer: str) -> None:
    peer = child(tmp_path, f"asked()\nanswer(ok=True, **{answer})\nasked()")
    with peer, pytest.raises(EngineFailed, match="lacks something"):
        peer.transcribe(tmp_path / "a.wav")


def test_one_that_speaks_unasked_is_not_believed(tmp_path: Path) -> None:
    script = "asked()\nloaded()\nloaded()\nprint('said', file=sys.stderr, flush=True)\ntime.sleep(60)"
    peer = child(tmp_path, script)
    with peer:
        peer.load(LoadWish(tmp_path))
        while not peer._said:  # written after the second answer
            os.sched_yield()
        with pytest.raises(EngineFailed):
            peer.transcribe(tmp_path / "a.wav")


def test_waiting_has_an_end_and_takes_its_children_along(tmp_path: Path) -> None:
    script = "asked()\nchild = subprocess.Popen(['sleep', '60'])\nloaded(pid=child.pid)\ntime.sleep(60)"
    peer = child(tmp_path, script, patience_s=5.0)
    with peer:
        pid = peer.load(LoadWish(tmp_path)).settings["pid"]
        assert alive(pid)
        peer._patience = Patience(work_s=0.2)
        with pytest.raises(EngineFailed, match=r"took longer than 0\.2 s"):
            peer.transcribe(tmp_path / "a.wav")
    assert gone(pid)


def test_leaving_by_an_error_does_not_wait_for_it(tmp_path: Path) -> None:
    peer = child(tmp_path, "asked()\nloaded(pid=os.getpid())\ntime.sleep(60)")
    with pytest.raises(KeyboardInterrupt), peer:
        pid = peer.load(LoadWish(tmp_path)).settings["pid"]
        raise KeyboardInterrupt
    assert gone(pid)


def test_the_peak_is_of_all_its_processes_and_outlives_them(tmp_path: Path) -> None:
    grow = "import time; b = bytearray(60_000_000); print(1, flush=True); time.sleep(60)"
    script = f"asked()\nchild = subprocess.Popen([sys.executable, '-c', {grow!r}], stdout=subprocess.PIPE)\n"
    script += "child.stdout.readline()\nloaded()\nasked()"
    with child(tmp_path, script) as peer:
        assert peer.peak_bytes() < 60_000_000
        peer.load(LoadWish(tmp_path))
    assert peer.peak_bytes() > 60_000_000
