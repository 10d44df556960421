"""The models that the settings want at the start: what is here is found, what is not is pulled, failures are told."""

from __future__ import annotations

import itertools
import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import LocalHub, Repo
from model_files import whisper_files, write_model
from talkie.errors import ModelBroken, ModelComing, ModelNotFound
from talkie.models.pull import Patience
from talkie.models.store import ModelStore, StoredModel
from talkie.runtime.config import ServiceConfig
from talkie.runtime.first_start import Backoff, FirstStart
from talkie.runtime.model_choice import ModelChoice
from talkie.runtime.preparation import Preparations
from talkie.runtime.pull_figures import PullFigures, duration
from talkie.runtime.requests import TranscribeRequest
from talkie.runtime.warming import WAITING, Warming, Work

MINE, OTHER = "hf:me/mine", "hf:me/other"
AT_ONCE = Backoff(0.001, 0.002)


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub({"me/mine": Repo(whisper_files()), "me/other": Repo(whisper_files(seed=8))}) as hub:
        yield hub


@pytest.fixture
def store(tmp_path: Path, hub: LocalHub) -> ModelStore:
    return ModelStore(tmp_path / "home", endpoint=hub.url, offline=False, patience=Patience(0, 0.0))


def names(models: Iterator[StoredModel]) -> list[str]:
    return [model.name for model in models]


# -- figures -------------------------------------------------------------------------------------------------------


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_what_was_here_before_counts_as_done_and_not_as_speed() -> None:
    clock = Clock()
    figures = PullFigures(clock)
    assert figures.left_s is None and figures.words() == "0 %"
    figures.step(40_000_000, 100_000_000)
    assert figures.words() == "40 %"
    clock.now_s += 2
    figures.step(50_000_000, 100_000_000)
    assert figures.left_s == pytest.approx(10.0) and figures.words() == "50 %, 10 s left"


def test_lines_are_few_and_none_is_late() -> None:
    clock = Clock()
    figures = PullFigures(clock)
    quick = [figures.step(done, 1000) for done in range(1, 1001)]
    assert 10 <= sum(quick) <= 12 and quick[0] and quick[-1]

    slow = PullFigures(clock)
    told = []
    for done in range(1, 1001):  # a thousandth a second: a quarter of an hour
        clock.now_s += 1
        if slow.step(done, 1000):
            told.append(clock.now_s)
    assert len(told) <= 101 and max(later - sooner for sooner, later in itertools.pairwise(told)) <= 10


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (119, "119 s"), (180, "3 min"), (7100, "118 min"), (7500, "2 h 5 min")]
)
def test_durations_are_as_exact_as_is_worth_it(seconds: float, words: str) -> None:
    assert duration(seconds) == words


# -- pulling -------------------------------------------------------------------------------------------------------


def test_nothing_wanted_is_done_at_once(store: ModelStore) -> None:
    first = FirstStart(store)
    assert first.is_done and names(first.run()) == [] and first.states() == {}
    assert not store.home.exists()


def test_what_is_missing_is_pulled_and_found_the_next_time(
    store: ModelStore, hub: LocalHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    seen = []
    first = FirstStart(store, [MINE, OTHER, MINE])
    hub.faults.on_bytes = lambda file, sent: seen.append(first.states()[MINE])
    assert first.state("mine") == "" and not first.is_done
    assert names(first.run()) == ["mine", "other"]
    assert first.is_done and first.states() == {MINE: "ready", OTHER: "ready"}
    assert any("%" in state for state in seen)
    assert "Pulling hf:me/mine" in caplog.text and "mine is here" in caplog.text
    assert all(verdict.ok for verdict in store.verify())

    requests = len(hub.requests)
    again = FirstStart(ModelStore(store.home, endpoint=hub.url, offline=True), [MINE, OTHER])
    assert names(again.run()) == ["mine", "other"] and again.is_done
    assert len(hub.requests) == requests


def test_a_model_laid_down_by_hand_and_a_built_in_one_are_here(store: ModelStore) -> None:
    write_model(store.models / "byhand")
    first = FirstStart(store, ["byhand", "sphinx-en"])
    assert names(first.run()) == ["byhand", "sphinx-en"] and first.is_done


def test_a_damaged_model_is_fetched_again(store: ModelStore) -> None:
    damaged = store.pull(MINE).path / "model.bin"
    damaged.write_bytes(damaged.read_bytes()[:-100])
    with pytest.raises(ModelBroken):
        store.get("mine")
    assert names(FirstStart(store, [MINE]).run()) == ["mine"]
    assert all(verdict.ok for verdict in store.verify())


def test_a_failure_is_told_and_tried_again_and_holds_nobody_up(
    store: ModelStore, hub: LocalHub, caplog: pytest.LogCaptureFixture
) -> None:
    hub.faults.status["model.bin"] = [403, 403, 403]
    first = FirstStart(store, [MINE, OTHER], backoff=AT_ONCE)
    states: list[str] = []
    hub.faults.on_bytes = lambda file, sent: states.append(first.states()[MINE])
    assert names(first.run()) == ["other", "mine"]
    assert any(state.startswith("pull_failed: ") and "The next try is in" in state for state in states)
    assert caplog.text.count("The next try is in") == 3


def test_pauses_grow_and_are_bounded(store: ModelStore, hub: LocalHub, caplog: pytest.LogCaptureFixture) -> None:
    hub.repos.clear()
    first = FirstStart(store, [MINE], backoff=Backoff(0.001, 0.004))
    pauses = []

    class Watched:
        """Stands where the event of the end does: counts pauses, ends the fifth."""

        def is_set(self) -> bool:
            return False

        def wait(self, pause_s: float) -> bool:
            pauses.append(pause_s)
            return len(pauses) == 5

    first._stopped = Watched()  # type: ignore[assignment]
    assert names(first.run()) == []
    assert pauses == [0.001, 0.002, 0.004, 0.004, 0.004]
    assert first.states()[MINE].startswith("pull_failed: ")


def test_offline_is_said_and_not_tried_again(tmp_path: Path) -> None:
    first = FirstStart(ModelStore(tmp_path, offline=True), ["whisper-base"])
    assert names(first.run()) == []
    assert first.states()["whisper-base"].startswith("offline: ") and not first.is_done


def test_a_volume_that_cannot_be_written_to_is_said(tmp_path: Path, hub: LocalHub) -> None:
    (tmp_path / "home").write_text("a file stands where the volume should be")
    store = ModelStore(tmp_path / "home", endpoint=hub.url, offline=False)
    first = stopping(store, looks=2)
    assert names(first.run()) == []
    assert first.states()[MINE].startswith("store_read_only: Nothing can be written at")


def test_a_full_volume_is_said(hub: LocalHub) -> None:
    claimed, memory = 60 * 10**9, Path("/dev/shm")
    if not memory.is_dir() or shutil.disk_usage(memory).free > claimed:
        pytest.skip("there is no file system here that is small enough")
    hub.repos["me/mine"].claims["model.bin"] = claimed
    with tempfile.TemporaryDirectory(dir=memory) as home:
        first = stopping(ModelStore(Path(home), endpoint=hub.url, offline=False), looks=2)
        assert names(first.run()) == []
        assert first.states()[MINE].startswith("store_full: 60,0")
    assert not hub.sent


def test_stopping_in_the_middle_keeps_what_has_come(store: ModelStore, hub: LocalHub) -> None:
    hub.repos["me/mine"] = Repo(whisper_files(2_000_000))
    first = stopping(store, looks=20)
    assert names(first.run()) == [] and not first.is_done
    assert store.unfinished()["mine"] > 0
    assert names(FirstStart(store, [MINE]).run()) == ["mine"]
    assert hub.starts["model.bin"][-1] > 0


def stopping(store: ModelStore, looks: int) -> FirstStart:
    """It is stopped when it has looked at its clock so often: with every piece that comes, and at every failure."""
    left = iter(range(looks))

    def clock() -> float:
        if next(left, None) is None:
            first.stop()
        return 0.0

    first = FirstStart(store, [MINE], backoff=AT_ONCE, clock=clock)
    return first


# -- choosing and warming ------------------------------------------------------------------------------------------


def test_a_request_for_what_is_coming_is_told_to_come_again(store: ModelStore, hub: LocalHub) -> None:
    first = FirstStart(store, [MINE])
    choice = ModelChoice(ServiceConfig(store.home), store, first)
    wanted, seen = TranscribeRequest(model="mine"), []
    with pytest.raises(ModelNotFound):
        choice.choose(wanted)

    def ask(file: str, sent: int) -> None:
        with pytest.raises(ModelComing, match="being pulled") as told:
            choice.choose(wanted)
        seen.append(told.value.retry_after_s)
        assert choice.choose(TranscribeRequest()).name == "sphinx-en"

    hub.faults.on_bytes = ask
    assert names(first.run()) == ["mine"]
    assert seen and choice.choose(wanted).name == "mine" == choice.choose(TranscribeRequest()).name


class Bench:
    """A place to warm at: what was loaded, in order; `readiness` at each load."""

    def __init__(self, store: ModelStore, wanted: list[str], fail: Exception | None = None) -> None:
        self.first = FirstStart(store, wanted, backoff=AT_ONCE)
        self.loaded: list[str] = []
        self._fail = fail
        choice = ModelChoice(ServiceConfig(store.home), store, self.first)
        work = Work(lambda: choice.choose(TranscribeRequest()), self._load, lambda: None)
        self.warming = Warming(work, store, self.first, Preparations())

    def _load(self, model: StoredModel) -> None:
        self.loaded.append(model.name)
        if self._fail:
            raise self._fail

    @property
    def is_ready(self) -> bool:
        return self.warming.is_done(self.warming.parts())


def test_the_built_in_model_is_not_loaded_while_a_better_one_comes(store: ModelStore, hub: LocalHub) -> None:
    bench = Bench(store, [MINE])
    seen = []
    hub.faults.on_bytes = lambda file, sent: seen.append((bench.warming.parts()["model"], bench.is_ready))
    bench.warming.run()
    assert set(seen) == {(WAITING, False)}
    assert bench.loaded == ["mine"] and bench.is_ready
    assert bench.warming.parts() == {"pull hf:me/mine": "ready", "model mine": "ready", "voice activity": "ready"}


def test_what_cannot_come_leaves_the_built_in_model(tmp_path: Path) -> None:
    bench = Bench(ModelStore(tmp_path, offline=True), ["whisper-base"])
    bench.warming.run()
    assert bench.loaded == ["sphinx-en"] and not bench.is_ready
    assert bench.warming.parts()["model sphinx-en"] == "ready"
    assert bench.warming.parts()["pull whisper-base"].startswith("offline: ")


def test_a_damaged_model_is_said_where_the_built_in_one_stands_in(
    store: ModelStore, caplog: pytest.LogCaptureFixture
) -> None:
    write_model(store.models / "mine", **{"model.bin": b"cut"})
    bench = Bench(store, [])
    bench.warming.run()
    assert bench.loaded == ["sphinx-en"] and not bench.is_ready
    assert bench.warming.parts()["model mine"].startswith("model_broken: ")
    assert "talkie pull mine" in caplog.text


def test_a_damaged_model_beside_a_sound_one_does_no_harm(store: ModelStore) -> None:
    write_model(store.models / "mine", **{"model.bin": b"cut"})
    write_model(store.models / "sound")
    bench = Bench(store, [])
    bench.warming.run()
    assert bench.loaded == ["sound"] and bench.is_ready
    assert bench.warming.parts()["model mine"].startswith("model_broken: ")


@pytest.mark.parametrize(
    ("error", "words"), [(ModelBroken("mine", "worn"), "model_broken: "), (RuntimeError("secret"), "internal_error: ")]
)
def test_a_model_that_does_not_load_is_told_of_and_ends_nothing(
    store: ModelStore, error: Exception, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    write_model(store.models / "sound")
    bench = Bench(store, [MINE], error)
    bench.warming.run()
    assert bench.first.is_done and not bench.is_ready
    failed = [state for part, state in bench.warming.parts().items() if part.startswith("model ")]
    assert failed[0].startswith(words) and "secret" not in failed[0]
