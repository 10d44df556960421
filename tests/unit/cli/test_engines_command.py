"""`talkie engines`: what is told, what is asked, and what is never done unasked."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from fake_chatterbox import make_environment
from talkie.cli.main import run


def command(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        run(["engines", *arguments])
    return int(ended.value.code or 0)


@pytest.fixture(autouse=True)
def nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))


def test_the_list_says_what_each_does_and_how_to_get_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--home", str(tmp_path)) == 0
    rows = capsys.readouterr().out.splitlines()
    assert next(row for row in rows if row.startswith("espeak")).split()[1:3] == ["speaks", "ready"]
    assert "talkie engines install chatterbox" in next(row for row in rows if row.startswith("chatterbox"))
    make_environment(tmp_path)
    assert command("--json", "--home", str(tmp_path)) == 0
    [row] = [row for row in json.loads(capsys.readouterr().out) if row["name"] == "chatterbox"]
    assert (row["kind"], row["state"], row["size_bytes"]) == ("synthesizer", "ready", 1000)


def test_gigabytes_are_asked_for_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("install", "chatterbox", "--home", str(tmp_path)) == 2
    said = capsys.readouterr().err
    assert "3.3 GB to fetch, 6.3 GB on the disk." in said
    assert "Licence: MIT" in said
    assert "--yes" in said
    assert not (tmp_path / "engines").exists()


def test_offline_is_refused_before_anything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("install", "chatterbox", "--offline", "--home", str(tmp_path)) == 4
    assert "offline mode is on" in capsys.readouterr().err


def test_no_uv_is_said_plainly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("install", "chatterbox", "--yes", "--uv", str(tmp_path / "uv"), "--home", str(tmp_path)) == 4
    assert "pip install uv" in capsys.readouterr().err


def test_what_is_here_is_not_fetched_and_can_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_environment(tmp_path)
    assert command("install", "chatterbox", "--home", str(tmp_path)) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "engines" / "chatterbox")
    assert command("remove", "chatterbox", "--home", str(tmp_path)) == 0
    assert not (tmp_path / "engines" / "chatterbox").exists()
    assert command("remove", "chatterbox", "--home", str(tmp_path)) == 0
    assert "no environment" in capsys.readouterr().err


def test_an_unknown_name_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("install", "bark", "--home", str(tmp_path)) == 2
    assert "chatterbox" in capsys.readouterr().err
