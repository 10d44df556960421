from __future__ import annotations

import json
from pathlib import Path

import pytest

from hf_models import hf_directory, hf_tensors, source_model
from talkie.cli import main
from talkie.models.store import ModelStore


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main.run([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """As the hub's cache has it: a directory called by its commit."""
    place = tmp_path / "models--somebody--whisper-mine" / "snapshots" / "0123abcd"
    return hf_directory(place, hf_tensors(source_model()), source_model())


def test_a_directory_of_hugging_faces_kind(directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "home"
    assert run("import", directory, "--home", home) == 0
    told = capsys.readouterr()
    assert "whisper-mine is a model of Hugging Face's kind" in told.err
    (model,) = [model for model in ModelStore(home).list() if model.source == "import"]
    assert (model.name, model.engine, model.state) == ("whisper-mine", "whisper", "verified")
    assert (model.path / "model.bin").is_file() and str(model.path) in told.out
    assert not list((home / "tmp").glob("import-*"))
    assert run("import", directory, "--home", home, "--name", "other") == 0
    assert ModelStore(home).get("other").state == "verified"


def test_one_that_is_damaged_names_the_file(
    directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "model.safetensors").write_bytes(b"not weights")
    assert run("import", directory, "--home", tmp_path / "home") == 4
    assert "model.safetensors" in capsys.readouterr().err
    assert not list((tmp_path / "home" / "tmp").glob("import-*"))


def test_other_directories_are_left_to_the_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bert").mkdir()
    (tmp_path / "bert" / "config.json").write_text(json.dumps({"model_type": "bert"}))
    assert run("import", tmp_path / "bert", "--home", tmp_path / "home") == 4
    assert "Hugging Face" not in capsys.readouterr().err
