from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from face_parts import RecordingModel
from fakes import FAKE_INFO, FakeRecognizer
from fakes_voice import FAKE_VOICE, FakeSynthesizer
from talkie.errors import BusyError, ModelBroken, ShuttingDown, UnsupportedByModel
from talkie.runtime import leases
from talkie.runtime.face_lane import FaceLane
from talkie.runtime.leases import FACE, LeaseTable
from talkie.runtime.scheduler import Lane
from talkie.runtime.speech_lane import SpeechLane


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


def test_the_end_does_not_wait_for_a_load_that_nobody_can_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "STUCK_S", 0.0)
    load = Loader()
    load.go_on.clear()
    table = LeaseTable(load, 1)
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(use, table, "a")
        assert load.entered.wait(20)
        table.close()
        load.go_on.set()
        with pytest.raises(ShuttingDown):
            job.result(20)
    assert load.recognizers["a"][0].closed and table.loaded() == []


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_what_nobody_used_for_long_is_put_out() -> None:
    load, clock = Loader(), Clock()
    table = LeaseTable(load, 3, idle_s=60.0, clock=clock)
    use(table, "a")
    clock.now_s = 30.0
    use(table, "b")
    assert {row.name: row.unload_s for row in table.loaded()} == {"a": 30.0, "b": 60.0}
    clock.now_s = 59.0
    assert table.put_out_idle() == []
    clock.now_s = 61.0
    assert table.put_out_idle() == ["a"]
    assert load.recognizers["a"][0].closed and not load.recognizers["b"][0].closed
    with table.lease("b"):
        clock.now_s = 1000.0
        assert table.loaded()[0].unload_s is None
        assert table.put_out_idle() == [], "somebody uses it"
    clock.now_s = 1059.0
    assert table.put_out_idle() == []
    use(table, "a")
    assert len(load.recognizers["a"]) == 2
    table.close()


def test_it_is_put_out_without_being_asked() -> None:
    load = Loader()
    closed = threading.Event()
    table = LeaseTable(load, 3, idle_s=0.05)
    with table.lease("a") as lane:
        lane.on_close.callback(closed.set)
    assert closed.wait(20)
    assert table.loaded() == []
    with table.lease("a") as lane:
        assert lane.recognizer.info.name == "a"
    table.close()


def test_without_a_time_nothing_is_ever_put_out() -> None:
    clock = Clock()
    table = LeaseTable(Loader(), 3, clock=clock)
    use(table, "a")
    clock.now_s = 1e9
    assert [row.unload_s for row in table.loaded()] == [None]
    table.close()


def speaks(name: str) -> SpeechLane:
    return SpeechLane(FakeSynthesizer(replace(FAKE_VOICE, name=name)))


def test_those_that_speak_and_those_that_hear_share_the_places() -> None:
    load = Loader()
    table = LeaseTable(lambda name: speaks(name) if name.startswith("voice") else load(name), 2)
    with table.lease_voice("voice 1") as lane:
        assert lane.info.name == "voice 1"
        use(table, "a")
        assert {row.name: row.kind for row in table.loaded()} == {"voice 1": "synthesizer", "a": "recognizer"}
        use(table, "b")
        assert load.recognizers["a"][0].closed
    with table.lease("b"), table.lease("c"):
        assert {row.name for row in table.loaded()} == {"b", "c"}, "the voice made room"
        with pytest.raises(BusyError), table.lease_voice("voice 1"):
            pass
    table.close()


def test_a_small_one_takes_no_place() -> None:
    table = LeaseTable(lambda name: speaks(name) if name == "tiny" else Loader()(name), 1, small=("tiny",))
    with table.lease("a"), table.lease_voice("tiny"):
        assert {row.name for row in table.loaded()} == {"a", "tiny"}
    use(table, "b")
    assert {row.name for row in table.loaded()} == {"b", "tiny"}
    table.close()


def test_faces_have_places_of_their_own() -> None:
    def load(name: str) -> Lane | FaceLane:
        return FaceLane(RecordingModel()) if name.startswith(FACE) else Loader()(name)

    table = LeaseTable(load, 1)
    with table.lease("a"), table.lease_face(FACE + "ann#1") as lane:
        assert lane.info.name == "recording"
        assert {row.kind for row in table.loaded()} == {"recognizer", "face"}
        with pytest.raises(BusyError), table.lease_face(FACE + "bob#1"):
            pass
    use(table, "b")
    assert {row.kind for row in table.loaded()} == {"recognizer", "face"}, "a model makes no face go"
    with table.lease_face(FACE + "bob#1"), pytest.raises(UnsupportedByModel, match="does not show"):
        table.lease_face("b").__enter__()
    table.close()


def test_a_model_of_the_other_kind_is_refused() -> None:
    table = LeaseTable(lambda name: speaks(name) if name == "voice" else Loader()(name), 2)
    with pytest.raises(UnsupportedByModel, match="does not hear"), table.lease("voice"):
        pass
    with pytest.raises(UnsupportedByModel, match="does not speak"), table.lease_voice("a"):
        pass
    assert all(row.users == 0 for row in table.loaded())
    table.close()
