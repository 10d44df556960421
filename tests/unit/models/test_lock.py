"""Locks: one puller, many users, no removal in use; nothing left by a process that died."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from model_files import write_model
from talkie.errors import ModelInUse, ModelNotFound
from talkie.models.lock import pulling, removing, using
from talkie.models.store import ModelStore


def test_many_use_and_none_removes(tmp_path: Path) -> None:
    with using(tmp_path, "mine"), using(tmp_path, "mine"), pytest.raises(ModelInUse), removing(tmp_path, "mine"):
        pytest.fail("removed while in use")
    with removing(tmp_path, "mine"):
        pass


def test_what_is_gone_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound), using(tmp_path / "nothing", "mine"):
        pytest.fail("used what is not there")


def test_one_pulls_and_the_other_waits(tmp_path: Path) -> None:
    waited = threading.Event()
    order: list[str] = []

    def second() -> None:
        with pulling(tmp_path, "mine", waited.set):
            order.append("second")

    thread = threading.Thread(target=second)
    with pulling(tmp_path, "mine", lambda: order.append("waited")):
        thread.start()
        assert waited.wait(10)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_two_names_do_not_wait_for_one_another(tmp_path: Path) -> None:
    with pulling(tmp_path, "a", lambda: pytest.fail("waited")), pulling(tmp_path, "b", lambda: pytest.fail("waited")):
        pass


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    store = ModelStore(tmp_path / "home")
    store.import_(write_model(tmp_path / "mine"))
    return store


def test_a_held_model_is_neither_removed_nor_replaced(store: ModelStore, tmp_path: Path) -> None:
    with store.hold(store.get("mine")):
        with pytest.raises(ModelInUse):
            store.remove("mine")
        assert store.get("mine").state == "verified"
    store.remove("mine")
    assert store.list(broken=True) == store.list()


def test_a_model_removed_before_it_is_held(store: ModelStore) -> None:
    model = store.get("mine")
    store.remove("mine")
    with pytest.raises(ModelNotFound), store.hold(model):
        pytest.fail("held what is gone")


def test_a_built_in_model_is_held_without_a_file(store: ModelStore) -> None:
    with store.hold(store.get("sphinx-en")):
        pass


def test_a_holder_in_another_process_counts_until_it_dies(store: ModelStore) -> None:
    code = (
        "import sys, pathlib; from talkie.models.lock import using\n"
        "with using(pathlib.Path(sys.argv[1]), 'mine'): print('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, store.get("mine").path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(ModelInUse):
            store.remove("mine")
        child.kill()
    store.remove("mine")
