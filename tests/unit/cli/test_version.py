"""`talkie --version --json`: what is told, and that it is told where nothing else works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from talkie import __version__
from talkie.cli import version as command
from talkie.cli.main import run


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        run(arguments)
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("arguments", [("--version", "--json"), ("--json", "--version")])
def test_json_in_either_order(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(said(capsys, *arguments))
    assert told["version"] == __version__
    assert told["form"] in ("native", "container", "bundle")
    assert told["engines"]["sphinx"]["kind"] == "recognizer"
    assert told["engines"]["sphinx"]["libraries"]["pocketsphinx"][0].isdigit()
    assert "chatterbox" not in told["engines"], "its environment is of the store"


def test_the_plain_one_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "--version") == f"talkie {__version__}\n"


def test_json_alone_is_refused_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["--json", "ps"])
    assert ended.value.code == 2
    assert "--version" in capsys.readouterr().err


def test_the_form_is_what_can_be_seen(tmp_path: Path) -> None:
    mark = tmp_path / ".containerenv"
    assert command.form(frozen=False, containers=[mark]) == "native"
    mark.touch()
    assert command.form(frozen=False, containers=[mark]) == "container"
    assert command.form(frozen=True, containers=[mark]) == "bundle"


def test_what_a_build_left_behind(tmp_path: Path) -> None:
    file = tmp_path / "build.json"
    assert command.read_build(file) == {}
    for damaged in ("{", "[]", "\xff", '{"commit": 1}'):
        file.write_text(damaged, encoding="latin-1")
        assert command.read_build(file) == {}
    file.write_text('{"commit": "abc", "form": "bundle"}', encoding="utf-8")
    assert command.read_build(file) == {"commit": "abc", "form": "bundle"}


def test_the_commit_of_a_checkout(tmp_path: Path) -> None:
    assert command.commit_of(tmp_path) is None
    where = {"cwd": tmp_path, "check": True, "capture_output": True, "text": True}
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run([*git, "init", "-q"], **where)
    assert command.commit_of(tmp_path) is None, "a branch without a commit"
    subprocess.run([*git, "commit", "-q", "--allow-empty", "--no-verify", "-m", "x"], **where)
    head = subprocess.run(["git", "rev-parse", "HEAD"], **where).stdout.strip()
    assert command.commit_of(tmp_path) == head
    subprocess.run([*git, "pack-refs", "--all"], **where)
    assert command.commit_of(tmp_path) == head
    subprocess.run([*git, "checkout", "-q", "--detach"], **where)
    assert command.commit_of(tmp_path) == head


def test_it_answers_where_the_settings_are_wrong() -> None:
    wrong = {**os.environ, "TALKIE_PORT": "none"}
    done = subprocess.run(
        [sys.executable, "-m", "talkie", "--version", "--json"], capture_output=True, text=True, env=wrong, check=True
    )
    assert json.loads(done.stdout)["version"] == __version__
