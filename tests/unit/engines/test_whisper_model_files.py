"""Directories that are not models, or not to be trusted."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import pytest

from talkie.engines.asr.whisper.model_config import check_config
from talkie.engines.asr.whisper.model_files import ModelFiles, check, read_vocabulary
from talkie.engines.asr.whisper.tokenizer_file import load_tokens
from talkie.errors import ModelBroken, ModelNotFound
from whisper_models import shape_model

FILES = {
    "model.bin": "weights",
    "config.json": "{}",
    "tokenizer.json": "{}",
    "vocabulary.json": '["a", "b"]',
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    directory = tmp_path / "small"
    directory.mkdir()
    for name, text in FILES.items():
        (directory / name).write_text(text, encoding="utf-8")
    return directory


def test_a_whole_model(model: Path) -> None:
    files = check(model)
    assert files.name == "small"
    assert list(read_vocabulary(files)) == ["a", "b"]


def test_vocabulary_as_text(model: Path) -> None:
    (model / "vocabulary.json").unlink()
    (model / "vocabulary.txt").write_text("a\nb", encoding="utf-8")
    assert list(read_vocabulary(check(model))) == ["a", "b"]


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(model: Path, name: str) -> None:
    (model / name).unlink()
    with pytest.raises(ModelBroken) as caught:
        check(model, "whisper-small")
    assert name in caught.value.message
    assert "whisper-small" in caught.value.message


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "vocabulary.json"])
@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[" * 100_000], ids=["cut off", "not text", "deep"])
def test_json_that_is_none_is_named(model: Path, name: str, content: bytes) -> None:
    (model / name).write_bytes(content)
    with pytest.raises(ModelBroken, match=name):
        read_vocabulary(check(model))


@pytest.mark.parametrize("content", ["{}", "[1, 2]", '"text"'])
def test_a_vocabulary_that_is_no_list_of_tokens(model: Path, content: str) -> None:
    (model / "vocabulary.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelBroken, match="list of tokens"):
        read_vocabulary(check(model))


def test_no_directory(tmp_path: Path, model: Path) -> None:
    for path in (tmp_path / "nowhere", model / "config.json"):
        with pytest.raises(ModelNotFound):
            check(path)


@pytest.mark.parametrize("name", FILES)
def test_links_that_lead_out_are_refused(model: Path, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.write_text(FILES[name], encoding="utf-8")
    (model / name).unlink()
    (model / name).symlink_to(outside)
    with pytest.raises(ModelBroken, match="leads out"):
        check(model)


def test_links_inside_are_fine(model: Path) -> None:
    (model / "config.json").rename(model / "other.json")
    (model / "config.json").symlink_to("other.json")
    assert check(model).directory == model


def test_links_of_a_hugging_face_cache_are_fine(model: Path, tmp_path: Path) -> None:
    repository = tmp_path / "hub" / "models--owner--small"
    (repository / "blobs").mkdir(parents=True)
    snapshot = repository / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    for name in FILES:
        shutil.move(model / name, repository / "blobs" / name)
        (snapshot / name).symlink_to(Path("..") / ".." / "blobs" / name)
    assert check(snapshot).directory == snapshot
    secret = repository / "secret"
    secret.write_text("{}", encoding="utf-8")
    (snapshot / "config.json").unlink()
    (snapshot / "config.json").symlink_to(secret)
    with pytest.raises(ModelBroken, match="leads out"):
        check(snapshot)


def test_code_and_pickles_beside_a_model_are_not_opened(model: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (pytest.fail, ("a pickle was opened",))

    (model / "pytorch_model.bin").write_bytes(pickle.dumps(Trap()))
    (model / "model.py").write_text("raise SystemExit('code was run')", encoding="utf-8")
    assert check(model).name == "small"


def test_vocabularies_that_do_not_fit_each_other(tmp_path: Path) -> None:
    directory = tmp_path / "mixed"
    shutil.copytree(shape_model(), directory)
    tokens = json.loads((directory / "vocabulary.json").read_text(encoding="utf-8"))
    (directory / "vocabulary.json").write_text(json.dumps(tokens[1:]), encoding="utf-8")
    with pytest.raises(ModelBroken, match="do not fit"):
        load_tokens(check(directory), multilingual=True)


def test_a_tokenizer_that_is_none(model: Path) -> None:
    with pytest.raises(ModelBroken, match=r"tokenizer\.json"):
        load_tokens(check(model), multilingual=True)


@pytest.fixture
def changeable(tmp_path: Path) -> Path:
    directory = tmp_path / "changed"
    shutil.copytree(shape_model(), directory)
    return directory


def change(directory: Path, **changes: object) -> ModelFiles:
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    (directory / "config.json").write_text(json.dumps(config | changes), encoding="utf-8")
    return check(directory)


@pytest.mark.parametrize(
    "changes",
    [
        {"lang_ids": [10**9]},
        {"lang_ids": [-1]},
        {"suppress_ids_begin": [51_865]},
        {"suppress_ids": "all"},
        {"suppress_ids": [True]},
        {"alignment_heads": [[1, 2]]},
        {"alignment_heads": [[2, 0]]},
        {"alignment_heads": [[1, -5]]},
        {"alignment_heads": [[1]]},
        {"alignment_heads": ["a"]},
        {"alignment_heads": {"a": 1}},
    ],
    ids=str,
)
def test_numbers_that_would_end_the_process_are_refused(changeable: Path, changes: dict[str, object]) -> None:
    with pytest.raises(ModelBroken) as caught:
        check_config(change(changeable, **changes))
    assert next(iter(changes)) in caught.value.message


def test_a_model_without_heads_cannot_time_words(changeable: Path) -> None:
    assert check_config(check(changeable))
    assert not check_config(change(changeable, alignment_heads=None))
    assert not check_config(change(changeable, alignment_heads=[], lang_ids=None))


def test_a_config_that_is_no_object(changeable: Path) -> None:
    (changeable / "config.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ModelBroken, match="not an object"):
        check_config(check(changeable))


@pytest.mark.parametrize("length", [0, 3, 40, 5000])
def test_weights_cut_off(changeable: Path, length: int) -> None:
    content = (changeable / "model.bin").read_bytes()
    (changeable / "model.bin").write_bytes(content[:length])
    with pytest.raises(ModelBroken, match="cut off"):
        check_config(check(changeable))
