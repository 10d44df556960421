"""Environments of peers, with a uv that only writes down what it is asked."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from talkie.bench.peers.environment import MARKER, Environments
from talkie.bench.peers.installed import distribution_bytes
from talkie.bench.peers.table import Peer, peer
from talkie.environments.sizes import tree_bytes
from talkie.environments.uv import find_uv
from talkie.errors import EngineFailed, EngineUnavailable

FAKE_UV = f"""#!{sys.executable}
import pathlib, sys
log = pathlib.Path(__file__).with_name("log")
words = sys.argv[1:]
with log.open("a") as file:
    file.write(" ".join(words) + "\\n")
if words[0] == "venv":
    target = pathlib.Path(words[-1])
    (target / "bin").mkdir(parents=True)
    (target / "bin" / "python").symlink_to("/bin/true")
elif words[1] == "freeze":
    print("one==1.0\\ntwo==2.0")
elif "broken==1.0" in words:
    sys.exit("error: there is no broken==1.0")
else:
    (pathlib.Path(words[4]).parent.parent / "library").write_bytes(bytes(1000))
"""
PEER = Peer("one", "One 1.0", "run_talkie.py", requirements=("one==1.0",), alone=("two==2.0",), omit=("spy",))


@pytest.fixture
def uv(tmp_path: Path) -> Path:
    path = tmp_path / "tools" / "uv"
    path.parent.mkdir()
    path.write_text(FAKE_UV, encoding="utf-8")
    path.chmod(0o755)
    return path


def asked(uv: Path) -> list[str]:
    return (uv.parent / "log").read_text(encoding="utf-8").splitlines()


def test_it_is_made_once_with_all_that_is_pinned(tmp_path: Path, uv: Path) -> None:
    environments, steps = Environments(tmp_path / "peers", uv), []
    made = environments.prepare(PEER, lambda what, step, of: steps.append((what, step, of)))
    assert made.python == tmp_path / "peers" / "one" / "bin" / "python"
    assert made.packages == ("one==1.0", "two==2.0")
    assert made.size_bytes == 1000 + len("/bin/true")
    wanted = [line for line in asked(uv) if line.startswith("pip ")]
    assert wanted[0].endswith(" one==1.0")
    assert wanted[1].endswith(" --no-deps two==2.0")
    assert wanted[2].startswith("pip uninstall")
    assert wanted[2].endswith(" spy")
    assert [step for _, step, _ in steps] == [0, 1, 2, 3, 4]
    assert {of for *_, of in steps} == {4}
    before = asked(uv)
    assert environments.prepare(PEER) == made
    assert asked(uv) == before


def test_torch_comes_first_and_from_where_it_is_told(tmp_path: Path, uv: Path) -> None:
    environments = Environments(tmp_path, uv, torch_index="https://example.org/cpu")
    environments.prepare(replace(PEER, torch=True))  # its python, /bin/true, takes any order
    lines = asked(uv)
    assert "--seed" in lines[0]
    assert "one==1.0 torch==" in lines[1]
    assert lines[3].endswith(" spy pip")


def test_other_pins_and_half_made_ones_are_made_anew(tmp_path: Path, uv: Path) -> None:
    environments = Environments(tmp_path / "peers", uv)
    environments.prepare(PEER)
    other = replace(PEER, requirements=("one==1.1",))
    assert environments.find(other) is None
    environments.prepare(other)
    assert environments.find(PEER) is None
    (tmp_path / "peers" / "one" / MARKER).write_text("{", encoding="utf-8")
    assert environments.find(other) is None
    environments.prepare(other)
    assert sum(line.startswith("venv") for line in asked(uv)) == 3


def test_one_that_cannot_be_made_says_what_uv_said(tmp_path: Path, uv: Path) -> None:
    environments, broken = Environments(tmp_path, uv), replace(PEER, requirements=("broken==1.0",))
    with pytest.raises(EngineFailed, match=r"packages.*\n?.*there is no broken==1\.0"):
        environments.prepare(broken)
    assert environments.find(broken) is None


def test_two_makers_make_it_once(tmp_path: Path, uv: Path) -> None:
    environments, made = Environments(tmp_path / "peers", uv), []
    threads = [threading.Thread(target=lambda: made.append(environments.prepare(PEER))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(made) == 3
    assert sum(line.startswith("venv") for line in asked(uv)) == 1


def test_a_peer_without_its_ffmpeg_is_refused(tmp_path: Path, uv: Path) -> None:
    with pytest.raises(EngineFailed, match="no ffmpeg"):
        Environments(tmp_path, uv).prepare(replace(PEER, ffmpeg=True))


def test_what_cannot_be_measured_is_not_made(tmp_path: Path, uv: Path) -> None:
    with pytest.raises(EngineUnavailable, match="ONNX"):
        Environments(tmp_path, uv).prepare(peer("sherpa-onnx"))
    with pytest.raises(EngineUnavailable, match="no uv program"):
        find_uv(tmp_path / "nowhere")
    assert find_uv(uv) == uv


def test_talkie_runs_where_it_is(tmp_path: Path) -> None:
    found = Environments(tmp_path / "never-made").prepare(peer("talkie"))
    assert found.python == Path(sys.executable)
    assert found.size_bytes > 50_000_000
    assert not (tmp_path / "never-made").exists()


def test_sizes_are_of_files_and_of_nothing_that_python_made(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(10))
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_bytes(bytes(1000))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b").write_bytes(bytes(5))
    assert tree_bytes(tmp_path) == 15
    assert distribution_bytes("there-is-no-such-package") == 0
    assert distribution_bytes("numpy") > 10_000_000
