"""What a sound model directory is, judged without loading anything."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from model_files import weights, whisper_files, write_model
from talkie.errors import ModelBroken
from talkie.models import layout


def test_a_model_is_recognised(tmp_path: Path) -> None:
    directory = write_model(tmp_path / "mine")
    assert layout.inspect(directory) is layout.WHISPER
    assert layout.languages(directory) == ("en", "de", "fr")


def test_a_text_vocabulary_does_as_well(tmp_path: Path) -> None:
    directory = write_model(tmp_path / "mine")
    (directory / "vocabulary.json").unlink()
    (directory / "vocabulary.txt").write_text("a\n<|de|>\n<|en|>\n<|transcribe|>\n<|xx|>\n")
    assert layout.inspect(directory) is layout.WHISPER
    assert layout.languages(directory) == ("de", "en")


def test_an_english_vocabulary_is_known_by_its_length(tmp_path: Path) -> None:
    tokens = ["x"] * (layout.ENGLISH_ONLY_TOKENS - 2) + ["<|en|>", "<|de|>"]
    directory = write_model(tmp_path / "mine", **{"vocabulary.json": json.dumps(tokens).encode()})
    assert layout.languages(directory) == ("en",)


@pytest.mark.parametrize("name", sorted(whisper_files()))
def test_every_file_is_needed(tmp_path: Path, name: str) -> None:
    directory = write_model(tmp_path / "mine")
    (directory / name).unlink()
    with pytest.raises(ModelBroken, match=name.partition(".")[0]):
        layout.inspect(directory)


def test_an_empty_directory_and_a_file_are_none(tmp_path: Path) -> None:
    with pytest.raises(ModelBroken):
        layout.inspect(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(ModelBroken):
        layout.inspect(tmp_path / "file")


@pytest.mark.parametrize("cut", [0, 1, 4, 6, 17, 18, 22, 26, 30, 40, 45, 48, 60, 500])
def test_cut_off_weights_are_found_wherever_they_end(tmp_path: Path, cut: int) -> None:
    directory = write_model(tmp_path / "mine", **{"model.bin": weights(1000)[:cut]})
    with pytest.raises(ModelBroken, match=r"model\.bin"):
        layout.inspect(directory)


@pytest.mark.parametrize(
    "data",
    [
        weights(10, spec="TransformerSpec"),
        weights(10, version=1),
        weights(10, version=4_000_000_000),
        b"\x80\x04\x95pickle",
        b"PK\x03\x04" + bytes(100),
        weights(10)[:22] + struct.pack("<I", 4_000_000_000) + weights(10)[26:],
        b"\xff" * 300,
    ],
)
def test_other_weights_are_refused(tmp_path: Path, data: bytes) -> None:
    directory = write_model(tmp_path / "mine", **{"model.bin": data})
    with pytest.raises(ModelBroken, match=r"model\.bin"):
        layout.inspect(directory)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "vocabulary.json", "preprocessor_config.json"])
@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe\x00", b"[" * 200_000])
def test_broken_json_is_named(tmp_path: Path, name: str, data: bytes) -> None:
    directory = write_model(tmp_path / "mine", **{name: data})
    with pytest.raises(ModelBroken, match=name):
        layout.inspect(directory)


@pytest.mark.parametrize("cut", [0, 70_000, 99_000])
def test_a_quick_look_finds_a_large_file_that_is_cut(tmp_path: Path, cut: int) -> None:
    data = json.dumps({"model": ["x"] * 20_000}).encode()
    directory = write_model(tmp_path / "mine", **{"tokenizer.json": data[:cut]})
    with pytest.raises(ModelBroken, match=r"tokenizer\.json"):
        layout.inspect(directory, thorough=False)
    (directory / "tokenizer.json").write_bytes(data + b"\n")
    assert layout.inspect(directory, thorough=False) is layout.WHISPER


def test_a_directory_in_the_place_of_a_file(tmp_path: Path) -> None:
    directory = write_model(tmp_path / "mine")
    (directory / "config.json").unlink()
    (directory / "config.json").mkdir()
    with pytest.raises(ModelBroken, match=r"config\.json"):
        layout.inspect(directory)


@pytest.mark.parametrize(
    ("name", "danger"),
    [
        ("model.pt", True),
        ("x.PKL", True),
        ("modeling.py", True),
        ("a.so", True),
        ("model.bin", False),
        ("README.md", False),
    ],
)
def test_files_that_could_run(name: str, danger: bool) -> None:
    assert layout.is_dangerous(name) is danger


def test_the_test_model_of_the_repository_passes() -> None:
    directory = Path(__file__).parents[2] / "fixtures" / "whisper-test"
    if not (directory / "model.bin").exists():
        pytest.skip("the trained test model is not there")
    assert layout.inspect(directory) is layout.WHISPER
    assert "en" in layout.languages(directory)
