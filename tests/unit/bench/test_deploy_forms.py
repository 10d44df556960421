"""The forms of the deployment bench: how they are started, in which order, and what happens to those that fail."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy_runs import turn
from talkie.bench import deploy_rounds
from talkie.bench.deploy_containers import ContainerForm, containers
from talkie.bench.deploy_forms import FormAbsent, Running, StartWish, bytes_below, program, started
from talkie.bench.deploy_gather import Here, gather
from talkie.bench.deploy_lxc import lxc
from talkie.bench.deploy_processes import memory, parent, processor_seconds, proportional_bytes
from talkie.bench.deploy_results import BRIDGE, BUNDLE, HOST, NATIVE, Turn
from talkie.bench.deploy_turn import TurnTask, wait_ready
from talkie.cli.main import run as talkie
from talkie.client import Client
from talkie.errors import EngineFailed, InvalidValue

WISH = StartWish(Path("/home"), "sphinx-en", "key", {"idle_unload_s": "5"})


@dataclass
class FakeForm:
    """It cannot be made ready when `breaks` is 0, and fails in round `breaks` - 1."""

    name: str
    diary: list[str]
    breaks: int = -1
    title: str = field(default="a form")

    def disk(self) -> dict[str, int]:
        return {"all": 5}

    @contextmanager
    def start(self, wish: StartWish) -> Iterator[Running]:
        raise AssertionError("the turns are faked")
        yield

    def close(self) -> None:
        self.diary.append(f"close {self.name}")


@pytest.fixture
def diary(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Turns that take no time and write down whose they were."""
    found: list[str] = []

    def warm_up(form: FakeForm, task: TurnTask) -> None:
        found.append(f"warm {form.name}")
        if form.breaks == 0:
            raise EngineFailed("server", "no start")

    def one_turn(form: FakeForm, task: TurnTask, number: int) -> Turn:
        found.append(f"{form.name}{number} {task.wish.home.name}")
        if form.breaks == number + 1:
            raise EngineFailed("server", "it broke")
        return turn(number)

    monkeypatch.setattr(deploy_rounds, "warm_up", warm_up)
    monkeypatch.setattr(deploy_rounds, "turn", one_turn)
    return found


def task(tmp_path: Path) -> TurnTask:
    return TurnTask(tmp_path / "a.wav", tmp_path / "b.wav", WISH)


def test_forms_take_turns_and_who_fails_is_not_asked_again(tmp_path: Path, diary: list[str]) -> None:
    forms = [FakeForm("a", diary), FakeForm("b", diary, breaks=2), FakeForm("c", diary, breaks=0)]
    runs = deploy_rounds.run(forms, task(tmp_path), 3, deploy_rounds.Board(tmp_path))
    assert diary == ["warm a", "warm b", "warm c", "a0 a", "b0 b", "a1 a", "b1 b", "a2 a"]
    assert [(one.name, len(one.turns), bool(one.absent)) for one in runs] == [
        ("a", 3, False),
        ("b", 1, True),
        ("c", 0, True),
    ]
    assert "it broke" in runs[1].absent and runs[0].disk_bytes == 5


def test_a_run_that_is_interrupted_keeps_its_turns(
    tmp_path: Path, diary: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """But one that has none is no run."""
    whole = deploy_rounds.turn

    def one_turn(form: FakeForm, task: TurnTask, number: int) -> Turn:
        if number == 1 or form.name == "b":
            raise KeyboardInterrupt
        return whole(form, task, number)

    monkeypatch.setattr(deploy_rounds, "turn", one_turn)
    [run] = deploy_rounds.run([FakeForm("a", diary)], task(tmp_path), 3, deploy_rounds.Board(tmp_path))
    assert len(run.turns) == 1
    with pytest.raises(KeyboardInterrupt):
        deploy_rounds.run([FakeForm("b", diary)], task(tmp_path), 3, deploy_rounds.Board(tmp_path))


def test_a_container_is_locked_up_and_sees_its_model_read_only(tmp_path: Path) -> None:
    model, tls = tmp_path / "base", tmp_path / "tls"
    model.mkdir()
    wish = StartWish(tmp_path, str(model), "key", tls=tls)
    form = ContainerForm(BRIDGE, ("podman",), "img", "vol", {"HF_ENDPOINT": "http://hub"})
    command = form.command(wish, "name", 4321)
    assert command[:3] == ["podman", "run", "--detach"] and command[-1] == "img"
    for said in (
        "--read-only",
        "--cap-drop=all",
        "--user=10001:10001",
        "--publish=127.0.0.1:4321:8000",
        "--volume=vol:/data",
        f"--volume={model}:/models/base:ro",
        "--env=TALKIE_MODEL=/models/base",
        "--env=TALKIE_HOST=0.0.0.0",
        "--env=TALKIE_PORT=8000",
        "--env=TALKIE_TLS_CERT=/tls/cert.pem",
        "--env=HF_ENDPOINT=http://hub",
    ):
        assert said in command
    host = ContainerForm(HOST, ("podman",), "img", "vol").command(WISH, "name", 4321)
    assert {"--network=host", "--env=TALKIE_HOST=127.0.0.1", "--env=TALKIE_PORT=4321"} <= set(host)
    assert not any("/tls" in said or "/models" in said for said in host)


def test_a_form_that_is_not_here_says_why(tmp_path: Path) -> None:
    with pytest.raises(FormAbsent, match="no program"):
        program(BUNDLE, "one folder", [str(tmp_path / "talkie")], {})
    with pytest.raises(FormAbsent, match="no program"):
        containers("img", podman=str(tmp_path / "podman"))
    with pytest.raises(FormAbsent, match="no container was named"):
        lxc("")


def test_what_is_not_here_becomes_a_row(tmp_path: Path) -> None:
    forms, absent = gather(Here((NATIVE, BUNDLE, "lxc"), None, "img", tmp_path / "talkie", "", ""))
    assert [one.name for one in forms] == [NATIVE]
    assert absent[BUNDLE][0] == "one folder" and "no program" in absent[BUNDLE][1]
    with pytest.raises(InvalidValue, match="no form 'zip'"):
        gather(Here(("zip",), None, "img", tmp_path, "", ""))


def test_a_server_that_ends_is_a_failure_with_its_last_words() -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such setting')"]
    with (
        started(command, "http://127.0.0.1:9") as running,
        Client(running.url) as client,
        pytest.raises(EngineFailed, match="no such setting"),
    ):
        wait_ready(client, running)


def test_disk_counts_every_file_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 8192)
    os.link(tmp_path / "a", tmp_path / "b")
    (tmp_path / "c").symlink_to("a")
    both, one = bytes_below(tmp_path), bytes_below(tmp_path / "a")
    assert one >= 8192 and one <= both < 2 * one + 8192


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_what_processes_keep() -> None:
    me = os.getpid()
    found = memory([me], [me])
    assert 0 < found.pss <= found.rss and found.together == found.rss + found.around_rss
    assert proportional_bytes(2**22 + 1) == 0
    assert processor_seconds([me, me]) == pytest.approx(processor_seconds([me]), abs=0.5) and parent(me) == os.getppid()


def test_the_command_refuses_a_form_that_nobody_knows(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        talkie(["bench", "deploy", "--forms", "zip"])
    assert ended.value.code == 2
    assert "There is no form 'zip'" in capsys.readouterr().err
