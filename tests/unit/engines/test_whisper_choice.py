from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from talkie.engines.asr.whisper import choice as choices
from talkie.engines.asr.whisper.choice import MAX_MACHINES, MEMORY, Choice, recall, remember
from talkie.engines.asr.whisper.model_files import ModelFiles, check
from whisper_models import TRAINED

FAST = Choice("openvino", "int8_float32", "measured", 1, 2, 8, "AVX2", "2026-01-02T03:04:05+00:00", "tune")


@pytest.fixture(scope="module")
def files() -> ModelFiles:
    return check(TRAINED)


def change(path: Path, *keys: str | int, to: Any) -> None:
    content = part = json.loads(path.read_text())
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = to
    path.write_text(json.dumps(content))


def test_what_was_chosen_is_remembered_for_each_compute_type(files: ModelFiles, tmp_path: Path) -> None:
    place = tmp_path / "new" / "model"
    assert recall(place, files, "default") is None
    remember(place, files, "default", FAST)
    remember(place, files, "float32", replace(FAST, backend="ctranslate2"))
    remember(place, files, "default", replace(FAST, max_batch=4))
    assert recall(place, files, "default") == replace(FAST, max_batch=4)
    assert recall(place, files, "float32") == replace(FAST, backend="ctranslate2")
    assert recall(place, files, "int8") is None
    assert [path.name for path in place.iterdir()] == [MEMORY]


def test_machines_of_two_kinds_share_a_volume(files: ModelFiles, tmp_path: Path) -> None:
    other = replace(FAST, backend="ctranslate2", compute_type="int8")
    remember(tmp_path, files, "default", FAST)
    assert recall(tmp_path, files, "default", "another processor") is None
    remember(tmp_path, files, "default", other, "another processor")
    assert recall(tmp_path, files, "default") == FAST
    assert recall(tmp_path, files, "default", "another processor") == other


def test_the_oldest_of_many_machines_goes(files: ModelFiles, tmp_path: Path) -> None:
    for number in range(MAX_MACHINES + 1):
        remember(tmp_path, files, "default", replace(FAST, threads=number), f"processor {number}")
    assert recall(tmp_path, files, "default", "processor 0") is None
    kept = [recall(tmp_path, files, "default", f"processor {number}") for number in range(1, MAX_MACHINES + 1)]
    assert [one.threads for one in kept if one] == list(range(1, MAX_MACHINES + 1))


@pytest.mark.parametrize("what", ["model", "processor", "libraries"])
def test_it_counts_for_the_same_model_processor_and_libraries_only(
    what: str, files: ModelFiles, tmp_path: Path
) -> None:
    remember(tmp_path, files, "default", FAST)
    change(tmp_path / MEMORY, "choices", "default", 0, "circumstances", what, to="another")
    assert recall(tmp_path, files, "default") is None


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (["version"], 0),
        (["choices"], []),
        (["choices", "default"], "openvino"),
        (["choices", "default", 0], "openvino"),
        (["choices", "default", 0, "choice"], None),
        (["choices", "default", 0, "choice", "workers"], "two"),
        (["choices", "default", 0, "choice", "threads"], True),
        (["choices", "default", 0, "choice", "more"], 1),
    ],
)
def test_a_memory_that_is_not_understood_is_none(
    keys: list[str | int], value: Any, files: ModelFiles, tmp_path: Path
) -> None:
    remember(tmp_path, files, "default", FAST)
    change(tmp_path / MEMORY, *keys, to=value)
    assert recall(tmp_path, files, "default") is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b" " * (choices.MAX_BYTES + 1)])
def test_a_damaged_memory_is_none_and_is_written_anew(content: bytes, files: ModelFiles, tmp_path: Path) -> None:
    (tmp_path / MEMORY).write_bytes(content)
    assert recall(tmp_path, files, "default") is None
    remember(tmp_path, files, "default", FAST)
    assert recall(tmp_path, files, "default") == FAST


def test_a_write_that_fails_leaves_the_old_memory(
    files: ModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(tmp_path, files, "default", FAST)

    def full(self: Path, target: Path) -> Path:
        raise OSError("the disk is full")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="full"):
        remember(tmp_path, files, "default", replace(FAST, backend="ctranslate2"))
    monkeypatch.undo()
    assert recall(tmp_path, files, "default") == FAST
    assert [path.name for path in tmp_path.iterdir()] == [MEMORY]
