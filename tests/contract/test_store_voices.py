"""Models that speak, through the store: pulled from a repository of many, imported, exported, verified."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import LocalHub, Repo
from model_files import write_model
from onnx_voices import kokoro_directory, piper_directory
from talkie.errors import ModelBroken, PullFailed
from talkie.models.pull import Patience
from talkie.models.store import ModelStore

pytest.importorskip("piper")
FOLDER = "en/en_US/lessac/medium/"
NAME = "piper-en_us-lessac-medium"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LocalHub]:
    lessac = {
        f"{FOLDER}{path.name.replace('test', 'lessac')}": path.read_bytes()
        for path in piper_directory(tmp_path / "there").iterdir()
    }
    other = {name.replace("lessac", "amy"): data for name, data in lessac.items()}
    kokoro = {path.name: path.read_bytes() for path in kokoro_directory(tmp_path / "kokoro").iterdir()}
    repos = {
        "rhasspy/piper-voices": Repo(lessac | other | {f"{FOLDER}MODEL_CARD": b"x"}, large=tuple(lessac)[:1]),
        "me/kokoro": Repo(kokoro | {"run.py": b"x"}, large=("kokoro-v1.0.onnx", "voices-v1.0.bin")),
        "fastrtc/kokoro-onnx": Repo(kokoro, large=("kokoro-v1.0.onnx", "voices-v1.0.bin")),
    }
    with LocalHub(repos) as hub:
        yield hub


@pytest.fixture
def store(tmp_path: Path, hub: LocalHub) -> ModelStore:
    return ModelStore(tmp_path / "home", endpoint=hub.url, offline=False, patience=Patience(1, 0.001))


def test_one_voice_of_many_is_pulled_without_the_others(store: ModelStore, hub: LocalHub) -> None:
    model = store.pull("piper-en_US-lessac-medium")
    assert (model.name, model.engine, model.kind, model.languages) == (NAME, "piper", "synthesizer", ("en",))
    assert model.source == f"hf:rhasspy/piper-voices/{FOLDER.rstrip('/')}"
    assert sorted(path.name for path in model.path.iterdir()) == [
        "en_US-lessac-medium.onnx",
        "en_US-lessac-medium.onnx.json",
        "manifest.json",
    ]
    assert not [path for _, path in hub.requests if "amy" in path or "MODEL_CARD" in path]
    assert all(verdict.ok for verdict in store.verify())
    hub.requests.clear()
    assert store.pull(NAME) == model
    assert hub.requests == []


def test_a_voice_that_is_not_there_says_so(store: ModelStore) -> None:
    with pytest.raises(PullFailed, match="not a"):
        store.pull("piper-en_us-nobody-medium")


def test_a_repository_with_one_model_that_speaks(store: ModelStore) -> None:
    model = store.pull("hf:me/kokoro")
    assert (model.name, model.engine, model.languages) == ("kokoro", "kokoro", ("en", "fr"))
    assert store.best() is None, "it does not hear"
    assert store.best("synthesizer", "fr") == model


def test_weights_that_the_catalogue_does_not_know_are_refused(store: ModelStore) -> None:
    with pytest.raises(PullFailed, match="not the one in the catalogue"):
        store.pull("kokoro")


@pytest.mark.parametrize("make", [kokoro_directory, piper_directory])
def test_out_and_in_again(store: ModelStore, tmp_path: Path, make: type) -> None:
    directory = make(tmp_path / "mine")
    (directory / "setup.py").write_text("x")
    notes: list[str] = []
    model = store.import_(directory, notice=notes.append)
    assert "setup.py" in notes[0]
    assert not (model.path / "setup.py").exists()
    zipped = store.export(model.name, tmp_path)
    again = store.import_(zipped, name="again")
    assert (again.engine, again.languages, again.size_bytes) == (model.engine, model.languages, model.size_bytes)
    assert all(verdict.ok for verdict in store.verify())
    weights = next(again.path.glob("*.onnx"))
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    assert [verdict.name for verdict in store.verify() if not verdict.ok] == ["again"]


def test_files_of_another_kind_of_model_stay_outside(store: ModelStore, tmp_path: Path) -> None:
    directory = write_model(tmp_path / "mine")
    (directory / "model.onnx").write_bytes(b"x")
    model = store.import_(directory)
    assert model.engine == "whisper"
    assert not (model.path / "model.onnx").exists()
    assert all(verdict.ok for verdict in store.verify())


def test_a_model_laid_down_by_hand(store: ModelStore) -> None:
    directory = kokoro_directory(store.models / "mine")
    assert (store.get("mine").engine, store.get("mine").state) == ("kokoro", "unverified")
    assert store.resolve(str(directory)).source == "path"
    (directory / "voices-v1.0.bin").write_bytes(b"x")
    with pytest.raises(ModelBroken, match="voices"):
        store.get("mine")
