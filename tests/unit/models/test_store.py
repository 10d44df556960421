"""Looking into a store: names, aliases, paths, the best model; and that looking changes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from model_files import write_model
from talkie.errors import InvalidModelName, ModelBroken, ModelNotFound
from talkie.models import manifest
from talkie.models.catalog import find
from talkie.models.manifest import FileEntry, Manifest
from talkie.models.store import ModelStore


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "home")


def put(store: ModelStore, name: str, languages: tuple[str, ...] = ("en", "de"), size_bytes: int = 1000) -> None:
    """A model with a manifest; only its sizes are true."""
    directory = write_model(store.models / name, size_bytes)
    entries = tuple(FileEntry(path.name, path.stat().st_size, "a" * 64) for path in sorted(directory.iterdir()))
    manifest.write(directory, Manifest(name, "whisper", entries, languages, "MIT", f"hf:me/{name}", "c" * 40))


def test_an_empty_store(store: ModelStore) -> None:
    assert [model.name for model in store.list(broken=True)] == ["sphinx-en"]
    assert store.best() is None
    assert store.verify() == []
    assert store.unfinished() == {}
    assert not store.home.exists()


def test_the_built_in_model_is_always_there(store: ModelStore) -> None:
    model = store.get("sphinx-en")
    assert (model.engine, model.languages, model.state) == ("sphinx", ("en",), "built-in")
    assert store.resolve("sphinx-en") == model == store.pull("sphinx-en")
    with pytest.raises(InvalidModelName):
        store.remove("sphinx-en")


def test_a_model_by_its_name_and_alias(store: ModelStore) -> None:
    put(store, "whisper-base")
    for name in ("whisper-base", "Whisper-Base", "base"):
        model = store.get(name)
        assert (model.name, model.engine, model.state) == ("whisper-base", "whisper", "verified")
    entry = find("whisper-base")
    assert entry is not None
    assert model.rank == entry.rank
    assert model.description == entry.description


def test_a_missing_model_names_the_command_that_brings_it(store: ModelStore) -> None:
    with pytest.raises(ModelNotFound) as known:
        store.get("turbo")
    assert "talkie pull whisper-large-v3-turbo" in known.value.hint
    with pytest.raises(ModelNotFound) as near:
        store.get("whisper-bass")
    assert "Did you mean whisper-base" in near.value.hint
    with pytest.raises(ModelNotFound) as far:
        store.get("zzzzzzzz")
    assert "talkie list --all" in far.value.hint


def test_a_path_is_for_resolve_only(store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = write_model(tmp_path / "My Model")
    monkeypatch.chdir(tmp_path)
    for spelling in (str(directory), "./My Model"):
        model = store.resolve(spelling)
        assert (model.path, model.source, model.state) == (directory, "path", "unverified")
        with pytest.raises(InvalidModelName):
            store.get(spelling)
    with pytest.raises(ModelNotFound):
        store.resolve(str(tmp_path / "nothing"))
    with pytest.raises(ModelBroken):
        store.resolve(str(tmp_path))


def test_the_best_model(store: ModelStore) -> None:
    put(store, "whisper-tiny")
    put(store, "whisper-small.en", ("en",))
    put(store, "whisper-base")
    best = store.best()
    english, german, french = (store.best(language=code) for code in ("en", "de", "fr"))
    assert best is not None
    assert best.name == "whisper-base"  # of unknown language: one that knows many
    assert english is not None
    assert english.name == "whisper-small.en"
    assert german is not None
    assert german.name == "whisper-base"
    assert french is None
    assert store.best("synthesizer") is None


def test_an_english_model_alone_is_the_best(store: ModelStore) -> None:
    put(store, "whisper-tiny.en", ("en",))
    best = store.best()
    assert best is not None
    assert best.name == "whisper-tiny.en"


def test_a_broken_model_is_never_the_best(store: ModelStore) -> None:
    put(store, "whisper-large-v3")
    put(store, "whisper-tiny")
    (store.models / "whisper-large-v3" / "config.json").unlink()
    best = store.best()
    assert best is not None
    assert best.name == "whisper-tiny"


def test_a_model_of_no_catalogue_ranks_by_size(store: ModelStore) -> None:
    put(store, "mine", size_bytes=3000)
    put(store, "other", size_bytes=90_000)
    write_model(store.models / "by-hand")
    assert {model.name: model.rank for model in store.list()[1:]} == {"mine": 1, "other": 1, "by-hand": 1}


def test_a_renamed_directory_is_known_by_its_new_name(store: ModelStore) -> None:
    put(store, "mine")
    (store.models / "mine").rename(store.models / "yours")
    assert store.get("yours").name == "yours"
    with pytest.raises(ModelNotFound):
        store.get("mine")


def test_a_read_only_store_can_be_read(store: ModelStore) -> None:
    put(store, "mine")
    for directory in (store.models / "mine", store.models, store.home):
        directory.chmod(0o555)
    try:
        with store.hold(store.get("mine")):
            assert [model.name for model in store.list()] == ["sphinx-en", "mine"]
    finally:
        for directory in (store.home, store.models, store.models / "mine"):
            directory.chmod(0o755)


def test_leftovers_of_killed_removals_and_imports_are_swept(store: ModelStore) -> None:
    put(store, "mine")
    for name in ("trash-abc", "import-old", "import-new"):
        write_model(store.tmp / name)
    os.utime(store.tmp / "import-old", (time.time() - 7200,) * 2)
    store.remove("mine")
    assert [path.name for path in store.tmp.iterdir()] == ["import-new"]


def test_listing_while_models_come_and_go(store: ModelStore, tmp_path: Path) -> None:
    source = write_model(tmp_path / "mine")
    done = threading.Event()

    def come_and_go() -> None:
        for _ in range(20):
            store.import_(source)
            store.remove("mine")
        done.set()

    thread = threading.Thread(target=come_and_go)
    thread.start()
    seen = set()
    while not done.is_set():
        seen |= {(model.name, model.state) for model in store.list()}
        store.unfinished()
    thread.join()
    assert seen <= {("sphinx-en", "built-in"), ("mine", "verified")}
    assert store.verify() == []


def test_models_on_a_volume_of_their_own(store: ModelStore, tmp_path: Path) -> None:
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system here")
    with tempfile.TemporaryDirectory(dir=memory) as volume:
        store.home.mkdir()
        store.models.symlink_to(volume)
        model = store.import_(write_model(tmp_path / "mine"))
        assert (model.name, model.state) == ("mine", "verified")
        assert store.tmp == store.models / ".tmp"
        assert [verdict.ok for verdict in store.verify()] == [True]
        store.remove("mine")
        assert store.list(broken=True) == store.list()


def test_importing_the_store_is_light() -> None:
    code = (
        "import sys, talkie.models.store, talkie.cli.store\n"
        "heavy = {'huggingface_hub', 'torch', 'ctranslate2', 'rich.progress', 'httpx', 'pydantic', 'filelock'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
