"""A folder of hostile and damaged models: each is named as what it is, and none is opened."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from model_files import whisper_files, write_model
from talkie.errors import InvalidModelName, ModelBroken, ModelNotFound
from talkie.models import manifest
from talkie.models.manifest import MANIFEST_FILE
from talkie.models.store import ModelStore
from talkie.models.verify import verify_model, verify_strays


class Bomb:
    """Writes a file when anybody unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path, str], int], tuple[Path, str]]:
        return Path.write_text, (self.path, "boom")


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """A store with one sound, imported model, `mine`."""
    store = ModelStore(tmp_path / "home")
    store.import_(write_model(tmp_path / "mine"))
    return store


def problems(store: ModelStore, name: str = "mine") -> str:
    (verdict,) = store.verify(name)
    return " ".join(verdict.problems)


def test_a_sound_model(store: ModelStore) -> None:
    assert problems(store) == ""
    assert [verdict.ok for verdict in store.verify()] == [True]
    seen: list[str] = []
    store.verify("mine", on_file=seen.append)
    assert f"mine/{'model.bin'}" in seen


def test_changed_content_is_found_by_its_checksum(store: ModelStore) -> None:
    path = store.get("mine").path / "model.bin"
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    assert "model.bin has changed" in problems(store)


def test_truncated_weights(store: ModelStore) -> None:
    path = store.get("mine").path / "model.bin"
    path.write_bytes(path.read_bytes()[:-100])
    assert "model.bin has 19952 bytes in place of 20052" in problems(store)
    with pytest.raises(ModelBroken, match="19952"):
        store.get("mine")
    assert [model.name for model in store.list()] == ["sphinx-en"]
    broken = store.list(broken=True)[-1]
    assert (broken.name, broken.state) == ("mine", "broken")
    assert "19952" in broken.problem


def test_a_missing_file(store: ModelStore) -> None:
    (store.get("mine").path / "tokenizer.json").unlink()
    assert "tokenizer.json is missing" in problems(store)


def test_a_link_out_of_the_directory(store: ModelStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    path = store.get("mine").path / "config.json"
    outside.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(outside)
    assert "config.json is missing, or is not a plain file" in problems(store)
    with pytest.raises(ModelBroken):
        store.get("mine")


def test_strays_in_a_model(store: ModelStore, tmp_path: Path) -> None:
    directory = store.get("mine").path
    (directory / "modeling.py").write_text("raise SystemExit")
    (directory / "weights.pkl").write_bytes(pickle.dumps(Bomb(tmp_path / "boom")))
    (directory / "more").mkdir()
    (directory / "link").symlink_to("/etc")
    found = problems(store)
    for part in ("'modeling.py' can hold code", "'weights.pkl' can hold code", "'more' does not", "'link' is a link"):
        assert part in found
    assert not (tmp_path / "boom").exists()


def test_a_huge_number_of_strays_is_one_line(store: ModelStore) -> None:
    directory = store.get("mine").path
    for number in range(300):
        (directory / f"x{number}").touch()
    assert problems(store) == "300 files that do not belong here."


def test_a_pickle_that_calls_itself_weights(store: ModelStore, tmp_path: Path) -> None:
    bomb = pickle.dumps(Bomb(tmp_path / "boom"))
    write_model(store.models / "evil", **{"model.bin": bomb})
    assert "model.bin" in problems(store, "evil")
    with pytest.raises(ModelBroken):
        store.get("evil")
    with pytest.raises(ModelBroken):
        store.resolve(str(store.models / "evil"))
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize("path", ["/etc/passwd", "../other/model.bin", "sub/model.bin"])
def test_a_manifest_that_points_elsewhere(store: ModelStore, path: str) -> None:
    directory = store.get("mine").path
    data = json.loads((directory / MANIFEST_FILE).read_text())
    data["files"][0]["path"] = path
    (directory / MANIFEST_FILE).write_text(json.dumps(data))
    assert "not a plain file name" in problems(store)
    with pytest.raises(ModelBroken, match="plain file name"):
        store.get("mine")


def test_a_manifest_that_lists_code(store: ModelStore) -> None:
    directory = store.get("mine").path
    data = json.loads((directory / MANIFEST_FILE).read_text())
    (directory / "run.py").write_text("")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    data["files"].append({"path": "run.py", "size_bytes": 0, "sha256": empty})
    (directory / MANIFEST_FILE).write_text(json.dumps(data))
    assert "run.py is no file of such a model" in problems(store)


def test_a_manifest_of_an_unknown_engine(store: ModelStore) -> None:
    directory = store.get("mine").path
    record = manifest.read(directory)
    assert record is not None
    text = record.to_json().replace('"whisper"', '"os.system"')
    (directory / MANIFEST_FILE).write_text(text)
    assert "the engine 'os.system' is not known" in problems(store)
    with pytest.raises(ModelBroken, match="not known"):
        store.get("mine")


def test_a_manifest_that_is_noise(store: ModelStore) -> None:
    (store.get("mine").path / MANIFEST_FILE).write_bytes(b"\x00\xff")
    assert "UTF-8" in problems(store)


def test_a_model_that_is_a_link(store: ModelStore, tmp_path: Path) -> None:
    (store.models / "linked").symlink_to(tmp_path / "mine")
    assert problems(store, "linked") == "it is not a directory."
    with pytest.raises(ModelBroken, match="link"):
        store.get("linked")
    store.remove("linked")
    assert (tmp_path / "mine" / "model.bin").exists()


def test_strays_in_the_store(store: ModelStore) -> None:
    (store.models / "half.part").write_text("x")
    (store.models / "Bad Name").mkdir()
    (store.models / ".DS_Store").write_text("x")
    verdict = verify_strays(store.models)
    assert verdict is not None
    assert verdict.problems == ("'Bad Name' is not a model.", "'half.part' is not a model.")
    assert [model.name for model in store.list()] == ["sphinx-en", "mine"]


def test_a_model_laid_down_by_hand(store: ModelStore) -> None:
    directory = write_model(store.models / "by-hand", **{"README.md": b"hello"})
    assert store.get("by-hand").state == "unverified"
    verdict = verify_model(directory)
    assert verdict.ok
    assert "no manifest" in verdict.notes[0]
    (directory / "setup.py").write_text("")
    (directory / "tokenizer.json").unlink()
    (directory / "tokenizer.json").symlink_to("/etc/hostname")
    assert "setup.py can hold code" in problems(store, "by-hand")
    assert "tokenizer.json is not a plain file" in problems(store, "by-hand")


@pytest.mark.parametrize("name", ["../mine", "/etc", "mine/../mine", "mine\0", "..", ""])
def test_no_name_leads_out_of_the_store(store: ModelStore, name: str) -> None:
    for act in (store.get, store.verify, store.remove, store.pull):
        with pytest.raises(InvalidModelName):
            act(name)


def test_names_that_are_not_there(store: ModelStore) -> None:
    for act in (store.get, store.verify, store.remove):
        with pytest.raises(ModelNotFound):
            act("nothing")


def test_every_file_of_a_model_is_covered() -> None:
    assert set(whisper_files()) == {"model.bin", "config.json", "tokenizer.json", "vocabulary.json"}
