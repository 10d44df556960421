"""Directories of models that speak: which are sound, what they say, and what is wrong with the others."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from onnx_voices import kokoro_directory, kokoro_graph, piper_directory
from talkie.errors import ModelBroken
from talkie.models import layout

pytest.importorskip("piper")
VOICE = "en_US-test-medium.onnx"


def archive(**arrays: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, data in arrays.items():
            file.writestr(f"{name}.npy", data)
    return out.getvalue()


def saved(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


def test_the_two_are_told_apart_and_tell_their_languages(tmp_path: Path) -> None:
    kokoro, piper = kokoro_directory(tmp_path / "kokoro"), piper_directory(tmp_path / "piper")
    assert layout.inspect(kokoro) is layout.KOKORO
    assert layout.inspect(piper) is layout.PIPER
    assert layout.languages(kokoro) == ("en", "fr")
    assert layout.languages(piper) == ("en",)
    assert [path.name for path in layout.present(piper, layout.PIPER)] == [VOICE, f"{VOICE}.json"]


def test_what_a_directory_lacks_is_said_of_the_nearest_kind(tmp_path: Path) -> None:
    (tmp_path / "voices-v1.0.bin").write_bytes(b"")
    with pytest.raises(ModelBroken, match=r"not a Kokoro model: \*\.onnx missing"):
        layout.inspect(tmp_path)


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("run",)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a NumPy archive"),
        (pickle.dumps({"af_heart": 1}), "not a NumPy archive"),
        (archive(af=saved(np.array([_Evil()], dtype=object))), "'af.npy' is not a voice"),
        (archive(af=saved(np.zeros((3, 1, 256), np.int64))), "'af.npy' is not a voice"),
        (archive(af=saved(np.zeros(3, np.float32))), "'af.npy' is not a voice"),
        (archive(af=b"import os"), "not a NumPy archive"),
        (archive(), "holds 0 voices"),
    ],
)
def test_only_arrays_of_numbers_are_voices(tmp_path: Path, content: bytes, says: str) -> None:
    directory = kokoro_directory(tmp_path)
    (directory / "voices-v1.0.bin").write_bytes(content)
    with pytest.raises(ModelBroken, match=says):
        layout.inspect(directory)


@pytest.mark.parametrize("content", [b"", b"GGUF", b"\x80\x04", kokoro_graph()[:-40], kokoro_graph() + b"\x3a\x7f"])
def test_weights_that_are_cut_off_or_of_another_kind(tmp_path: Path, content: bytes) -> None:
    directory = kokoro_directory(tmp_path)
    (directory / "kokoro-v1.0.onnx").write_bytes(content)
    with pytest.raises(ModelBroken, match=r"kokoro-v1\.0\.onnx"):
        layout.inspect(directory)


@pytest.mark.parametrize(
    "changes",
    [{"audio": {}}, {"audio": {"sample_rate": 10**9}}, {"num_speakers": 0}, {"espeak": {}}, {"phoneme_id_map": []}],
)
def test_the_description_of_a_voice_is_checked(tmp_path: Path, changes: dict[str, object]) -> None:
    directory = piper_directory(tmp_path)
    path = directory / f"{VOICE}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(ModelBroken, match=r"medium\.onnx\.json"):
        layout.inspect(directory)


def test_the_description_must_be_of_that_voice(tmp_path: Path) -> None:
    directory = piper_directory(tmp_path)
    (directory / f"{VOICE}.json").rename(directory / "other.onnx.json")
    with pytest.raises(ModelBroken, match="beside it"):
        layout.inspect(directory)


def test_the_language_of_an_old_voice_is_espeaks(tmp_path: Path) -> None:
    directory = piper_directory(tmp_path)
    path = directory / f"{VOICE}.json"
    config = json.loads(path.read_text()) | {"espeak": {"voice": "de"}}
    del config["language"]
    path.write_text(json.dumps(config))
    assert layout.languages(directory) == ("de",)
