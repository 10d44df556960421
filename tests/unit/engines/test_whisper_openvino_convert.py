"""Converted once, whole or not at all: whatever goes wrong in between, nobody opens half a model."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from talkie.engines import openvino_runtime
from talkie.engines.asr.whisper.model_files import ModelFiles, check
from talkie.engines.asr.whisper.openvino.form import Form, choose_form
from talkie.errors import EngineFailed, ModelBroken
from talkie.types import Samples
from whisper_models import ENGLISH, SEVERAL, TRAINED, shape_model

pytestmark = pytest.mark.skipif(not openvino_runtime.available(), reason="OpenVINO has no wheel for this machine")
if openvino_runtime.available():
    from talkie.engines.asr.whisper.openvino import convert as converting
    from talkie.engines.asr.whisper.openvino import converted as records
    from talkie.engines.asr.whisper.openvino.compiled import ENCODER, GRAPHS, Compiled, Running, put, run
    from talkie.engines.asr.whisper.openvino.convert import convert
    from talkie.engines.asr.whisper.openvino.converted import fingerprint, open_converted, vocabulary

FLOAT32 = Form("float32", int8=False, precision="f32")
INT8 = Form("int8_float32", int8=True, precision="f32")


def no_speech() -> Iterable[Samples]:
    return ()


def hiss() -> Iterable[Samples]:
    rng = np.random.default_rng(5)
    return [0.1 * rng.standard_normal(16_000).astype(np.float32)]


@pytest.fixture
def files(tmp_path: Path) -> ModelFiles:
    """A model that a test may change."""
    directory = tmp_path / "model"
    shutil.copytree(TRAINED, directory)
    return check(directory)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "float32"


def change(path: Path, edit: Callable[[Any], None]) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def test_forms_by_name() -> None:
    assert (
        choose_form("default", has_bf16=True)
        == choose_form("int8", has_bf16=True)
        == choose_form("auto", has_bf16=True)
    )
    for name, with_bf16, without in (
        ("int8", "int8_bfloat16", "int8_float32"),
        ("int8_float32", "int8_float32", "int8_float32"),
        ("float32", "float32", "float32"),
        ("bfloat16", "bfloat16", None),
        ("int8_bfloat16", "int8_bfloat16", None),
        ("float16", None, None),
        ("int16", None, None),
    ):
        for has_bf16, expected in ((True, with_bf16), (False, without)):
            form = choose_form(name, has_bf16=has_bf16)
            assert (form.name if form else None) == expected


def test_a_converted_model_is_whole_and_made_once(files: ModelFiles, place: Path) -> None:
    shares: list[float] = []
    made = convert(files, INT8, place, hiss, shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    assert (made.n_mels, made.multilingual, made.form) == (80, False, INT8)
    assert {f"{name}.xml" for name in GRAPHS} <= {path.name for path in place.iterdir()}
    assert [path.name for path in place.parent.iterdir() if path.name.startswith(".")] == []
    assert place.stat().st_mode & 0o055 == 0o055  # the server may be another user
    stamps = {path: path.stat().st_mtime_ns for path in place.iterdir()}
    assert convert(files, INT8, place, no_speech) == made  # and nobody asks for speech again
    assert {path: path.stat().st_mtime_ns for path in place.iterdir()} == stamps


def test_what_is_known_of_the_vocabulary(tmp_path: Path) -> None:
    known = vocabulary(check(TRAINED))
    tokens = json.loads((TRAINED / "vocabulary.json").read_text())
    assert tokens[known.layout.end] == "<|endoftext|>"
    assert tokens[known.layout.timestamp_begin] == "<|0.00|>"
    assert (known.layout.size, tokens[known.start]) == (len(tokens), "<|startoftranscript|>")
    assert tokens[known.no_speech] == "<|nospeech|>"
    assert known.blank == tuple(json.loads((TRAINED / "config.json").read_text())["suppress_ids_begin"])
    assert len(vocabulary(check(shape_model(SEVERAL))).languages) == 99


@pytest.mark.parametrize("name", ["several", "english"])
def test_models_of_many_languages_are_told_from_english_ones(name: str, place: Path) -> None:
    made = convert(check(shape_model(SEVERAL if name == "several" else ENGLISH)), FLOAT32, place, no_speech)
    assert made.multilingual == (name == "several")


@pytest.mark.parametrize("token", ["<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>"])
def test_a_vocabulary_without_a_needed_token(files: ModelFiles, place: Path, token: str) -> None:
    change(files.vocabulary, lambda tokens: tokens.__setitem__(tokens.index(token), "gone"))
    with pytest.raises(ModelBroken, match=token.strip("<|>")):
        vocabulary(files)


def test_another_model_has_another_fingerprint(files: ModelFiles, place: Path) -> None:
    first = fingerprint(files)
    assert fingerprint(files) == first
    weights = files.directory / "model.bin"
    data = bytearray(weights.read_bytes())
    seen = {first}
    for start in (0, len(data) // 2, len(data) * 98 // 100):  # one matrix was tuned further
        for at in range(start, start + len(data) // 60):
            data[at] ^= 1
        weights.write_bytes(bytes(data))
        seen.add(fingerprint(files))
    weights.write_bytes(bytes(data) + b"\0")
    seen.add(fingerprint(files))
    change(files.directory / "config.json", lambda config: config.update(alignment_heads=[[0, 0]]))
    seen.add(fingerprint(files))
    change(files.vocabulary, lambda tokens: tokens.__setitem__(300, "changed"))
    seen.add(fingerprint(files))
    assert len(seen) == 7


def test_what_does_not_fit_is_not_opened(files: ModelFiles, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_converted(place, files, FLOAT32) is None
    convert(files, FLOAT32, place, no_speech)
    assert open_converted(place, files, FLOAT32) is not None
    assert open_converted(place, files, INT8) is None
    monkeypatch.setattr(records, "CONVERTER", records.CONVERTER + 1)
    assert open_converted(place, files, FLOAT32) is None
    monkeypatch.undo()
    change(files.directory / "config.json", lambda config: config.update(alignment_heads=[[0, 0]]))
    assert open_converted(place, files, FLOAT32) is None
    convert(files, FLOAT32, place, no_speech)
    assert open_converted(place, files, FLOAT32) is not None


@pytest.mark.parametrize("content", ["", "{", "[]", "7", "{}", '{"source": 1}', "\0\0"])
def test_a_damaged_record_is_none(files: ModelFiles, place: Path, content: str) -> None:
    convert(files, FLOAT32, place, no_speech)
    (place / records.RECORD).write_text(content)
    assert open_converted(place, files, FLOAT32) is None


@pytest.mark.parametrize("file", ["step.xml", "step.bin", "encoder.bin"])
@pytest.mark.parametrize("damage", ["gone", "cut off"])
def test_damaged_graphs_are_made_again(files: ModelFiles, place: Path, file: str, damage: str) -> None:
    convert(files, FLOAT32, place, no_speech)
    whole = (place / file).read_bytes()
    (place / file).unlink()
    if damage == "cut off":
        (place / file).write_bytes(whole[: len(whole) // 2])
    assert open_converted(place, files, FLOAT32) is None
    convert(files, FLOAT32, place, no_speech)
    assert (place / file).stat().st_size == len(whole)


def test_a_failure_in_the_middle_leaves_nothing(
    files: ModelFiles, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = converting._save

    def failing(model: Any, path: Path) -> None:
        if path.stem == "step":
            raise RuntimeError("no more room")
        save(model, path)

    monkeypatch.setattr(converting, "_save", failing)
    with pytest.raises(EngineFailed, match="no more room"):
        convert(files, FLOAT32, place, no_speech)
    assert [path.name for path in place.parent.iterdir()] == ["float32.lock"]
    monkeypatch.undo()
    assert convert(files, FLOAT32, place, no_speech).directory == place


def test_a_failure_leaves_what_was_there(files: ModelFiles, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    convert(files, FLOAT32, place, no_speech)
    before = sorted(path.name for path in place.iterdir())
    monkeypatch.setattr(records, "CONVERTER", 0)
    monkeypatch.setattr(converting, "_save", lambda model, path: path.unlink())
    with pytest.raises(OSError, match="xml"):
        convert(files, FLOAT32, place, no_speech)
    assert sorted(path.name for path in place.iterdir()) == before


CHILD = """
import sys, time
from pathlib import Path
from talkie.engines.asr.whisper.model_files import check
from talkie.engines.asr.whisper.openvino import convert
from talkie.engines.asr.whisper.openvino.form import Form
model, place, how = sys.argv[1:]
save = convert._save
def watched(model, path):
    save(model, path)
    print(path.stem, flush=True)
    if how == "hang":
        time.sleep(60)
convert._save = watched
convert.convert(check(Path(model)), Form("float32", int8=False, precision="f32"), Path(place), lambda: ())
"""


def child(files: ModelFiles, place: Path, how: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, str(files.directory), str(place), how]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_killed_process_leaves_nothing_that_is_opened(files: ModelFiles, place: Path) -> None:
    with child(files, place, "hang") as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "encoder"
        os.kill(process.pid, signal.SIGKILL)
    assert not place.exists()
    assert [path for path in place.parent.iterdir() if path.is_dir()]
    assert open_converted(place, files, FLOAT32) is None
    convert(files, FLOAT32, place, no_speech)  # is not kept waiting, and tidies up
    assert sorted(path.name for path in place.parent.iterdir()) == ["float32", "float32.lock"]


def test_two_processes_at_once_make_one(files: ModelFiles, place: Path) -> None:
    processes = [child(files, place, "at once") for _ in range(2)]
    written = [process.communicate(timeout=60)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sorted(map(len, written)) == [0, len(GRAPHS)]
    assert open_converted(place, files, FLOAT32) is not None


def test_a_place_that_cannot_be_written_to(files: ModelFiles, tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    with pytest.raises(OSError, match="a file"):
        convert(files, FLOAT32, tmp_path / "a file" / "float32", no_speech)


def test_int8_without_speech_says_so(files: ModelFiles, place: Path) -> None:
    with pytest.raises(EngineFailed, match="speech to calibrate"):
        convert(files, INT8, place, no_speech)


def test_weights_that_are_no_model(files: ModelFiles, place: Path) -> None:
    (files.directory / "model.bin").write_bytes(b"PK\3\4" * 64)
    with pytest.raises(ModelBroken):
        convert(files, FLOAT32, place, no_speech)


def test_damaged_compiled_forms_are_made_again(files: ModelFiles, place: Path) -> None:
    convert(files, FLOAT32, place, no_speech)
    features = np.random.default_rng(2).standard_normal((1, 80, 3000)).astype(np.float32)

    def encoded() -> Any:
        with Compiled(place, Running("f32")).request(ENCODER) as request:
            put(request.get_input_tensor(0), features)
            return run(request)[0].copy()

    first = encoded()
    kept = list((place / "compiled").iterdir())
    assert kept
    for path in kept:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0xFF
        path.write_bytes(bytes(data))
    before = time.time_ns()
    np.testing.assert_array_equal(encoded(), first)
    assert all(path.stat().st_mtime_ns >= before - 10**9 for path in kept)
    np.testing.assert_array_equal(encoded(), first)
