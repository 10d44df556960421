"""Whose turn it is, under a clock of our own: nothing lost, nothing twice, order kept, nobody starved."""

from __future__ import annotations

from collections import Counter
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from talkie.runtime.turns import MANNERS, Priority, Queue, Turns

MAX_BATCH = 4
PRIORITIES: tuple[Priority, ...] = get_args(Priority)


class House:
    """Turns, with a clock that is moved by hand; a window is `(name, number)`."""

    def __init__(self, max_batch: int = MAX_BATCH) -> None:
        self.turns: Turns[tuple[str, int]] = Turns(max_batch)
        self.queues: dict[str, Queue[tuple[str, int]]] = {}
        self.sent: Counter[str] = Counter()
        self.now_s = 0.0

    def open(self, name: str, priority: Priority = "interactive", *, quiet: bool = True) -> None:
        self.queues[name] = self.turns.open(priority)
        self.queues[name].quiet = quiet

    def send(self, name: str, count: int = 1, key: str = "en") -> None:
        for _ in range(count):
            self.turns.add(self.queues[name], (name, self.sent[name]), key, 5.0, self.now_s)
            self.sent[name] += 1

    def deal(self, workers: int = 1, beside_live: int | None = None) -> list[list[str]]:
        """Batches as the names of those whose windows they hold."""
        return [[name for name, _ in batch] for batch in self.turns.deal(self.now_s, workers, beside_live)]


@pytest.fixture
def house() -> House:
    return House()


def test_requests_take_turns_in_a_batch(house: House) -> None:
    house.open("file")
    house.send("file", 6)
    house.open("clip")
    house.send("clip")
    assert house.deal() == [["file", "clip", "file", "file"]]
    assert house.deal() == [["file", "file", "file"]]
    assert (house.turns.windows, house.turns.seconds) == (0, 0.0)


def test_whoever_was_served_waits_anew(house: House) -> None:
    """A long file has much waiting, a clip comes later, and they cannot share a batch."""
    house.open("file")
    house.send("file", 12)
    house.now_s = 1.0
    house.open("clip")
    house.send("clip", key="de")
    house.now_s = 2.0
    assert house.deal() == [["file"] * 4]
    assert house.deal() == [["clip"]]
    assert house.deal() == [["file"] * 4]


def test_what_is_urgent_goes_first(house: House) -> None:
    for priority in reversed(PRIORITIES):
        house.open(priority, priority)
        house.send(priority, key=priority)
        house.now_s += 0.3
    assert house.deal(4) == [["live"], ["partial"], ["interactive"], ["batch"]]


def test_patience_ends(house: House) -> None:
    """Live windows without end, each in a batch of its own: a file still gets its turn when it is due."""
    house.open("file", "batch")
    house.send("file", 2)
    house.open("live", "live")
    served_s = []
    for second in range(150):
        house.now_s = float(second)
        house.send("live", key=f"key {second}")
        if house.deal() == [["file", "file"]]:
            served_s.append(house.now_s)
            break
    assert served_s == [MANNERS["batch"].patience_s]


def test_different_wishes_never_share_a_batch(house: House) -> None:
    for number in range(6):
        house.open(str(number))
        house.send(str(number), key="en" if number % 2 else "de")
    assert house.deal() == [["0", "2", "4"]]
    assert house.deal() == [["1", "3", "5"]]


def test_order_is_kept_within_a_request_whose_wishes_change(house: House) -> None:
    house.open("one")
    for key in ("en", "en", "de", "en"):
        house.send("one", key=key)
    assert [len(batch) for batch in house.turns.deal(0.0, 9)] == [1, 1, 1, 1]
    house.send("one", 2)
    house.send("one", key="de")
    assert house.deal() == [["one", "one"]]


@pytest.mark.parametrize(
    ("waiting", "workers", "shares"),
    [(10, 2, [5, 5]), (3, 2, [2, 1]), (9, 4, [3, 2, 2, 2]), (40, 2, [8, 8]), (1, 4, [1]), (0, 2, [])],
)
def test_idle_workers_share_evenly(waiting: int, workers: int, shares: list[int]) -> None:
    house = House(max_batch=8)
    house.open("one")
    house.send("one", waiting)
    assert [len(batch) for batch in house.deal(workers)] == shares


def test_a_window_is_kept_back_while_more_may_come(house: House) -> None:
    house.open("clip", quiet=False)
    house.send("clip")
    assert house.deal() == []
    assert house.turns.look_again_s() == MANNERS["interactive"].hold_s
    house.now_s = MANNERS["interactive"].hold_s
    assert house.deal() == [["clip"]]
    assert house.turns.look_again_s() is None


def test_but_not_when_nothing_more_can_come(house: House) -> None:
    house.open("clip", quiet=False)
    house.open("other", quiet=False)
    house.send("clip")
    house.queues["clip"].quiet = True
    assert house.deal() == []
    house.turns.close(house.queues["other"])
    assert house.deal() == [["clip"]]


def test_nor_when_a_batch_is_full(house: House) -> None:
    """And what is left of a full batch's companions is shared out with it, not kept back."""
    house.open("file", "batch", quiet=False)
    house.send("file", MAX_BATCH - 1)
    assert house.deal(2) == []
    house.send("file", 2)
    assert [len(batch) for batch in house.deal(2)] == [3, 2]


def test_a_full_batch_goes_past_one_that_is_kept_back(house: House) -> None:
    house.open("first", "batch", quiet=False)
    house.send("first")
    house.open("file", "batch", quiet=False)
    house.send("file", MAX_BATCH, key="de")
    assert house.deal(2) == [["file", "file"], ["file", "file"]]
    assert house.deal() == []


def test_what_is_live_is_never_kept_back_and_goes_with_its_like(house: House) -> None:
    house.open("file", "batch", quiet=False)
    house.send("file")
    for name in ("one", "two"):
        house.open(name, "live", quiet=False)
        house.send(name)
    house.open("guess", "partial", quiet=False)
    house.send("guess")
    assert house.deal() == [["one", "two", "guess"]]


def test_an_open_session_keeps_no_file_waiting(house: House) -> None:
    house.open("live", "live", quiet=False)
    house.open("guess", "partial", quiet=False)
    house.open("file", "batch")
    house.send("file")
    assert house.turns.requests == 1
    assert house.deal() == [["file"]]


def test_files_go_in_small_batches_while_a_session_is_open(house: House) -> None:
    house.open("file", "batch")
    house.send("file", 7)
    house.open("live", "live")
    assert house.deal(beside_live=2) == [["file", "file"]]
    house.send("live", 3)
    assert house.deal(beside_live=2) == [["live"] * 3]
    house.turns.close(house.queues["live"])
    assert house.deal(beside_live=2) == [["file"] * 4]


def test_finals_go_before_guesses_but_not_for_ever(house: House) -> None:
    house.open("guess", "partial")
    house.send("guess", key="short")
    house.open("final", "live")
    house.send("final")
    assert house.deal() == [["final"]]
    house.now_s = MANNERS["partial"].patience_s
    house.send("final")
    assert house.deal(2) == [["guess"], ["final"]]


def test_a_dropped_window_leaves_the_line(house: House) -> None:
    house.open("one")
    house.send("one", 3)
    second = house.queues["one"].waiting[1].window
    assert house.turns.drop(house.queues["one"], second)
    assert not house.turns.drop(house.queues["one"], ("one", 7))
    assert house.turns.deal(0.0, 1) == [[("one", 0), ("one", 2)]]


def test_a_request_that_ends_leaves_nothing_behind(house: House) -> None:
    house.open("one")
    house.send("one", 3)
    assert house.turns.close(house.queues["one"]) == [("one", 0), ("one", 1), ("one", 2)]
    assert house.turns.close(house.queues["one"]) == []
    assert (house.turns.windows, house.turns.seconds, house.deal()) == (0, 0.0, [])


@given(
    priorities=st.lists(st.sampled_from(PRIORITIES), min_size=2, max_size=6),
    sent=st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 5), st.integers(1, 8), st.sampled_from("ab")), max_size=40
    ),
    pace_s=st.sampled_from([0.5, 3.0, 20.0]),
)
def test_nobody_leads_twice_before_one_whose_turn_is_due(
    priorities: list[Priority], sent: list[tuple[int, int, int, str]], pace_s: float
) -> None:
    """Whatever comes when: with a turn due, a request waits for one batch led by each other at most."""
    house = House(max_batch=2)
    for number, priority in enumerate(priorities):
        house.open(str(number), priority)
    sent.sort()
    leaders: dict[str, list[str]] = {}
    while sent or house.turns.windows:
        while sent and sent[0][0] <= house.now_s:
            _, job, count, key = sent.pop(0)
            house.send(str(job % len(priorities)), count, key)
        due = {name for name, queue in house.queues.items() if queue.waiting and queue.due_s <= house.now_s}
        for batch in house.deal():
            for name in due - set(batch):
                assert batch[0] not in leaders.setdefault(name, [])
                leaders[name].append(batch[0])
            for name in batch:
                leaders.pop(name, None)
        house.now_s += pace_s


class AnyHouse(RuleBasedStateMachine):
    """Requests and sessions come, send, change their minds, fall silent and go, while workers take what is dealt."""

    jobs = Bundle("jobs")
    max_batch = 3

    def __init__(self) -> None:
        super().__init__()
        self.turns: Turns[tuple[int, int]] = Turns(self.max_batch)
        self.now_s = 0.0
        self.count = 0
        self.seconds: dict[tuple[int, int], float] = {}
        self.keys: dict[tuple[int, int], str] = {}
        self.waiting: dict[int, list[tuple[int, int]]] = {}
        self.queues: dict[int, Queue[tuple[int, int]]] = {}
        self.live: set[int] = set()

    @rule(target=jobs, priority=st.sampled_from(PRIORITIES))
    def open(self, priority: Priority) -> int:
        self.count += 1
        self.queues[self.count] = self.turns.open(priority)
        self.waiting[self.count] = []
        if MANNERS[priority].live:
            self.live.add(self.count)
        return self.count

    @rule(job=jobs, count=st.integers(1, 6), key=st.sampled_from("abcd"), seconds=st.sampled_from([0.5, 3.0, 30.0]))
    def send(self, job: int, count: int, key: str, seconds: float) -> None:
        for _ in range(count):
            window = (job, len(self.keys))
            self.keys[window], self.seconds[window] = key, seconds
            self.waiting[job].append(window)
            self.turns.add(self.queues[job], window, key, seconds, self.now_s)

    @rule(job=jobs, quiet=st.booleans())
    def expect(self, job: int, quiet: bool) -> None:
        self.queues[job].quiet = quiet

    @rule(job=jobs, data=st.data())
    def drop(self, job: int, data: st.DataObject) -> None:
        if self.waiting[job]:
            window = data.draw(st.sampled_from(self.waiting[job]))
            self.waiting[job].remove(window)
            assert self.turns.drop(self.queues[job], window)

    @rule(target=jobs, job=consumes(jobs))
    def close(self, job: int):  # type: ignore[no-untyped-def]
        assert self.turns.close(self.queues.pop(job)) == self.waiting.pop(job)
        return multiple()

    @rule(seconds=st.sampled_from([0.001, 1.0, 15.0, 70.0]))
    def time_passes(self, seconds: float) -> None:
        self.now_s += seconds

    @rule(workers=st.integers(1, 3), times=st.integers(1, 3), beside_live=st.none() | st.integers(0, 3))
    def serve(self, workers: int, times: int, beside_live: int | None) -> None:
        for _ in range(times):
            self.deal(workers, beside_live)

    def deal(self, workers: int, beside_live: int | None = None) -> None:
        held = MANNERS["batch"].hold_s
        due = {job for job, queue in self.queues.items() if self.waiting[job] and queue.due_s + held <= self.now_s}
        before = sum(map(len, self.waiting.values()))
        most = max(1, beside_live) if beside_live is not None and self.live & set(self.queues) else self.max_batch
        for batch in self.turns.deal(self.now_s, workers, beside_live):
            files = sum(job not in self.live for job, _ in batch)
            assert files <= most, "a batch of files is too large while a session is open"
            assert not files or batch[0][0] not in self.live, "a file makes a live window wait"
            assert 1 <= len(batch) <= self.max_batch
            assert len({self.keys[window] for window in batch}) == 1
            for window in batch:  # in the order in which they came, and each only once
                assert self.waiting[window[0]].pop(0) == window
            due -= {job for job, _ in batch}
        if before and due:
            assert before > sum(map(len, self.waiting.values())), "a worker idles though a turn is due"

    @invariant()
    def the_figures_are_those_of_what_waits(self) -> None:
        waiting = [window for windows in self.waiting.values() for window in windows]
        assert self.turns.windows == len(waiting)
        assert self.turns.seconds == pytest.approx(sum(self.seconds[window] for window in waiting))

    def teardown(self) -> None:
        """With nobody to wait for and time enough, everything that waits is served."""
        self.now_s += 100.0
        for _ in range(sum(map(len, self.waiting.values()))):
            self.deal(1)
        assert not any(self.waiting.values())
        assert self.turns.look_again_s() is None


TestAnyHouse = AnyHouse.TestCase
TestAnyHouse.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
