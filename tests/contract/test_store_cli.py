"""The store at the command line: what goes to stdout, what to stderr, and how each command ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub import LocalHub, Repo
from model_files import whisper_files, write_model
from talkie.cli.main import run
from talkie.models.store import ModelStore


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TALKIE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def talkie(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    def call(*arguments: object) -> Done:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    return call


@pytest.fixture
def model(home: Path, tmp_path: Path) -> Path:
    return ModelStore(home).import_(write_model(tmp_path / "mine")).path


def test_an_empty_store(talkie: Callable[..., Done], home: Path) -> None:
    done = talkie("list")
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()] == ["NAME", "sphinx-en"]
    assert "talkie pull whisper-base" in done.err
    assert not home.exists()


def test_list_shows_the_catalogue_on_request(talkie: Callable[..., Done], model: Path) -> None:
    lines = talkie("list", "--all").out.splitlines()
    assert lines[0].split() == ["NAME", "ENGINE", "SIZE", "LANGUAGES", "LICENCE", "HERE"]
    assert lines[1].split() == ["sphinx-en", "sphinx", "-", "en", "BSD-2-Clause", "built-in"]
    assert lines[2].split() == ["mine", "whisper", "0", "MB", "en,de,fr", "-", "yes"]
    assert next(line for line in lines if line.startswith("whisper-base ")).split()[-1] == "-"


def test_list_as_json(talkie: Callable[..., Done], model: Path) -> None:
    (model / "config.json").unlink()
    facts = {one["name"]: one for one in json.loads(talkie("list", "--json", "--all").out)}
    assert facts["mine"]["state"] == "broken"
    assert "config.json" in facts["mine"]["problem"]
    assert facts["whisper-base"]["state"] == "absent"
    assert facts["sphinx-en"]["path"] == ""


def test_show(talkie: Callable[..., Done], model: Path) -> None:
    assert str(model) in talkie("show", "mine").out
    about = json.loads(talkie("show", "turbo", "--json").out)
    assert (about["name"], about["state"], about["ram_mb"]) == ("whisper-large-v3-turbo", "absent", 2200)
    assert "99" not in talkie("show", "sphinx-en").out
    missing = talkie("show", "nothing")
    assert missing.code != 0
    assert "hint:" in missing.err
    assert missing.out == ""


def test_rm_asks_and_refuses_to_guess(talkie: Callable[..., Done], model: Path) -> None:
    done = talkie("rm", "mine")
    assert done.code != 0
    assert "--yes" in done.err
    assert model.exists()
    assert talkie("rm", "--yes", "mine").code == 0
    assert not model.exists()
    assert talkie("rm", "--yes", "mine").code != 0


def test_verify(talkie: Callable[..., Done], model: Path) -> None:
    done = talkie("verify")
    assert (done.code, done.out) == (0, "mine: ok (0 MB)\n")
    assert "reading mine/model.bin" in done.err
    (model / "x.pkl").touch()
    done = talkie("verify", "mine")
    assert done.code != 0
    assert done.out.startswith("mine: damaged")
    assert "hint:" in done.err
    (verdict,) = json.loads(talkie("verify", "--json").out)
    assert verdict["ok"] is False
    assert "x.pkl" in verdict["problems"][0]


def test_import_and_export(talkie: Callable[..., Done], home: Path, tmp_path: Path) -> None:
    source = write_model(tmp_path / "made-by-me")
    done = talkie("import", source, "--name", "first")
    assert (done.code, done.out) == (0, f"{home}/models/first\n")
    done = talkie("export", "first", "-o", tmp_path / "first.zip")
    assert (done.code, done.out) == (0, f"{tmp_path}/first.zip\n")
    assert talkie("import", tmp_path / "first.zip", "--name", "second").code == 0
    again = talkie("import", tmp_path / "first.zip")
    assert again.code != 0
    assert "--name" in again.err
    assert talkie("verify").out.count("ok") == 2


def test_several_models_go_to_a_machine_without_a_network_at_once(
    talkie: Callable[..., Done], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [write_model(tmp_path / name, 1000 + number) for number, name in enumerate(("one", "two"))]
    assert talkie("import", *sources).out == f"{home}/models/one\n{home}/models/two\n"
    assert "no directory" in talkie("export", "one", "two", "-o", tmp_path / "both.zip").err
    stick = tmp_path / "stick"
    stick.mkdir()
    done = talkie("export", "one", "two", "-o", stick)
    assert (done.code, done.out) == (0, f"{stick}/one.zip\n{stick}/two.zip\n")
    monkeypatch.setenv("TALKIE_HOME", str(tmp_path / "other"))
    assert talkie("import", stick / "one.zip", stick / "two.zip", "--name", "x").code == 2
    assert talkie("import", stick / "one.zip", stick / "two.zip").code == 0
    assert talkie("verify").out.count("ok") == 2


def test_export_goes_to_the_current_directory(talkie: Callable[..., Done], model: Path, tmp_path: Path) -> None:
    assert talkie("export", "mine").out == "mine.zip\n"
    assert (tmp_path / "mine.zip").exists()


def test_pull_of_what_is_here_and_of_what_is_not_known(talkie: Callable[..., Done], model: Path) -> None:
    assert talkie("pull", "sphinx-en").out == "sphinx-en\n"
    done = talkie("pull", "whisper-bass")
    assert done.code != 0
    assert "Did you mean whisper-base" in done.err
    assert talkie("pull", "a", "b", "--name", "c").code != 0
    assert talkie("pull", "../../etc").code != 0


@pytest.fixture
def local_hub() -> Iterator[LocalHub]:
    with LocalHub({"me/mine": Repo(whisper_files(300_000))}) as hub:
        yield hub


def in_process(hub: LocalHub, *arguments: str, **environment: str) -> Done:
    """The command in a process of its own, because the hub's library reads the environment once, at import."""
    code = "from talkie.cli.main import run; run()"
    variables = os.environ | {"HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0"} | environment
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=variables, capture_output=True, text=True, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


def test_pull_takes_the_hub_from_the_environment(home: Path, local_hub: LocalHub) -> None:
    done = in_process(local_hub, "pull", "hf:me/mine")
    assert (done.code, done.out) == (0, f"{home}/models/mine\n")
    assert "hf:me/mine: 100 % of 0.3 MB" in done.err
    assert "mine is here" in done.err


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "TALKIE_OFFLINE"])
def test_pull_takes_offline_mode_from_the_environment(home: Path, local_hub: LocalHub, name: str) -> None:
    done = in_process(local_hub, "pull", "hf:me/mine", **{name: "1"})
    assert done.code == 4
    assert "offline mode" in done.err
    assert "talkie import" in done.err
    assert local_hub.requests == []


def test_an_unfinished_pull_is_mentioned(talkie: Callable[..., Done], home: Path) -> None:
    parts = home / "tmp" / "pull" / "mine" / "parts"
    parts.mkdir(parents=True)
    (parts / "x").write_bytes(bytes(2_000_000))
    assert "Unfinished: mine (2 MB so far)" in talkie("list").err
