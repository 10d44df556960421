from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from fakes import FAKE_INFO, FakeRecognizer
from talkie.errors import BusyError, ModelBroken, ShuttingDown
from talkie.runtime.leases import LeaseTable
from talkie.runtime.scheduler import Lane


class Loader:
    """Counts loads; `recognizers` are all that were ever made, by name."""

    def __init__(self) -> None:
        self.recognizers: dict[str, list[FakeRecognizer]] = {}
        self.entered = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, name: str) -> Lane:
        self.entered.set()
        assert self.go_on.wait(20)
        if name == "broken":
            raise ModelBroken(name, "on purpose")
        recognizer = FakeRecognizer(info=replace(FAKE_INFO, name=name))
        self.recognizers.setdefault(name, []).append(recognizer)
        return Lane(recognizer)


def use(table: LeaseTable, name: str) -> str:
    with table.lease(name) as lane:
        return lane.recognizer.info.name


def test_a_model_is_loaded_once_for_all_who_ask_at_once() -> None:
    load = Loader()
    load.go_on.clear()
    table = LeaseTable(load, 2)
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(use, table, "a") for _ in range(8)]
        load.go_on.set()
        assert {job.result(20) for job in jobs} == {"a"}
    assert len(load.recognizers["a"]) == 1
    assert [row.name for row in table.loaded()] == ["a"]
    table.close()


def test_the_one_idle_for_longest_makes_room() -> None:
    load = Loader()
    table = LeaseTable(load, 2)
    for name in ("a", "b", "a", "c"):
        use(table, name)
    assert {row.name for row in table.loaded()} == {"a", "c"}
    assert load.recognizers["b"][0].closed
    assert not load.recognizers["a"][0].closed
    table.close()
    assert load.recognizers["a"][0].closed


def test_a_model_in_use_is_never_put_out() -> None:
    load = Loader()
    table = LeaseTable(load, 1)
    with table.lease("a"):
        with pytest.raises(BusyError):
            use(table, "b")
        assert table.loaded()[0].users == 1
    assert use(table, "b") == "b"
    assert load.recognizers["a"][0].closed
    table.close()


def test_a_model_that_cannot_load_leaves_no_trace() -> None:
    table = LeaseTable(Loader(), 1)
    for _ in range(2):
        with pytest.raises(ModelBroken):
            use(table, "broken")
    assert table.loaded() == []
    assert use(table, "a") == "a"
    table.close()


def test_nothing_is_lent_after_closing() -> None:
    table = LeaseTable(Loader(), 1)
    use(table, "a")
    table.close()
    with pytest.raises(ShuttingDown):
        use(table, "a")
