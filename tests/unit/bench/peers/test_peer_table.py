"""The table of peers: exact pins, runners that stand alone, and a reason for each that cannot be measured."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

from talkie.bench.peers.live_table import LIVE_PEERS
from talkie.bench.peers.table import PEERS, RUNNERS, TALKIE, TORCH, Peer, peer
from talkie.errors import InvalidValue

PIN = re.compile(r"^[a-z0-9][a-z0-9._-]*==[0-9][0-9a-z.]*$")
MEASURED = [one for one in PEERS if not one.unavailable]
LIVE_RUNNERS = {one.runner for one, _ in LIVE_PEERS.values()}


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level
            found.add(str(node.module).split(".")[0])
    return found


def test_names_are_unique_and_found() -> None:
    assert len({one.name for one in PEERS}) == len(PEERS)
    assert [peer(one.name) for one in PEERS] == list(PEERS)
    with pytest.raises(InvalidValue, match="not a peer"):
        peer("whisperx")


@pytest.mark.parametrize("one", PEERS, ids=lambda one: str(one.name))
def test_pins_are_exact_and_given_once(one: Peer) -> None:
    pins = [*one.requirements, *one.alone, *([TORCH] if one.torch else [])]
    assert all(PIN.match(pin) for pin in pins)
    names = [pin.partition("==")[0] for pin in pins]
    assert len(names) == len(set(names))
    assert not one.ffmpeg or "imageio-ffmpeg" in names


@pytest.mark.parametrize("one", MEASURED, ids=lambda one: str(one.name))
def test_what_is_measured_has_a_runner_forms_and_variants(one: Peer) -> None:
    compile(one.script.read_text(encoding="utf-8"), one.runner, "exec")
    assert one.formats
    assert one.format_for("int8") in one.formats.items()
    assert len({variant.name for variant in one.variants}) == len(one.variants) > 0
    assert one.own == (one.name == TALKIE) == (not one.requirements)


@pytest.mark.parametrize("one", [one for one in PEERS if one.unavailable], ids=lambda one: str(one.name))
def test_what_cannot_be_measured_says_why(one: Peer) -> None:
    assert len(one.unavailable) > 20
    assert not one.runner


def test_no_runner_is_left_over() -> None:
    assert {path.name for path in RUNNERS.glob("run_*.py")} == {one.runner for one in MEASURED} | LIVE_RUNNERS
    assert not (RUNNERS / "__init__.py").exists(), "they are programs of other interpreters and no package"


@pytest.mark.parametrize("path", sorted(RUNNERS.glob("*.py")), ids=lambda path: str(path.name))
def test_runners_stand_alone(path: Path) -> None:
    own = {"talkie"} if path.name == "run_talkie.py" else set()
    assert imported(path) <= {*sys.stdlib_module_names, "peer_loop", "numpy", *own}
