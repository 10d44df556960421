"""The lane with its threads and a real clock: batches across requests, order, faults, cancelling, closing."""

from __future__ import annotations

import gc
import random
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import replace

import numpy as np
import pytest

from fakes import FAKE_INFO, FakeRecognizer, hear_its_place
from talkie.engines.base import RecognizeOptions
from talkie.errors import EngineFailed, QueueFull, ShuttingDown, TalkieError, UnsupportedByModel
from talkie.runtime import metrics
from talkie.runtime.jobs import Job
from talkie.runtime.scheduler import Lane, LaneOptions
from talkie.types import Audio, Transcript

EN, DE = RecognizeOptions(language="en"), RecognizeOptions(language="de")


def audio(place: int, seconds: float = 0.01) -> Audio:
    return Audio(np.zeros(round(seconds * 16_000), np.float32), start_s=float(place))


@pytest.fixture
def held() -> Iterator[FakeRecognizer]:
    engine = FakeRecognizer(gate=threading.Event())
    yield engine
    release(engine)


def begin(lane: Lane, held: FakeRecognizer, place: int = 0) -> Job:
    """A request with one window at work, so that all that come now wait together."""
    job = lane.open()
    job.submit(audio(place), EN)
    assert held.started.wait(20)
    return job


def release(held: FakeRecognizer) -> None:
    assert held.gate is not None
    held.gate.set()


def places(held: FakeRecognizer) -> list[list[float]]:
    return [[item.start_s for item in batch] for batch in held.batches]


def test_windows_of_several_requests_share_a_batch(held: FakeRecognizer) -> None:
    lane = Lane(held)
    begin(lane, held)
    jobs = [lane.open() for _ in range(3)]
    wishes = ((1, EN), (2, EN), (1, EN), (3, DE), (2, EN))
    asked = [jobs[who - 1].submit(audio(place, 0.01), options) for place, (who, options) in enumerate(wishes, 1)]
    release(held)
    assert [future.result(20).text for future in asked] == [f"at {place}" for place in range(1, 6)]
    lane.close()
    assert places(held) == [[0], [1, 2, 3, 5], [4]]
    assert held.closed


def test_a_cancelled_window_leaves_the_line_at_once(held: FakeRecognizer) -> None:
    lane = Lane(held)
    begin(lane, held)
    job = lane.open()
    first, second = job.submit(audio(1, 20.0), EN), job.submit(audio(2, 5.0), EN)
    assert first.cancel()
    assert lane.queued_s == 5.0
    release(held)
    assert second.result(20).text == "at 2"
    lane.close()
    assert places(held) == [[0], [2]]
    with pytest.raises(CancelledError):
        first.result(0)


def test_a_request_that_ends_takes_its_windows_with_it(held: FakeRecognizer) -> None:
    lane = Lane(held)
    begin(lane, held)
    with lane.open() as job:
        gone = [job.submit(audio(place), EN) for place in range(1, 4)]
        stays = lane.open().submit(audio(9), EN)
    assert all(future.cancelled() for future in gone)
    release(held)
    assert stays.result(20).text == "at 9"
    lane.close()
    assert places(held) == [[0], [9]]


def test_what_one_request_asks_wrongly_is_its_own_error() -> None:
    """At once, where the engine can tell; else the others of its batch are heard without it."""

    class Choosy(FakeRecognizer):
        def batch_key(self, audio: Audio, options: RecognizeOptions) -> str:
            if options.language == "xx":
                raise UnsupportedByModel("language", "no")
            return "all"

    def hear(item: Audio, options: RecognizeOptions) -> Transcript:
        if options.hotwords:
            raise ZeroDivisionError
        return hear_its_place(item, options)

    engine = Choosy(hear, gate=threading.Event())
    lane = Lane(engine)
    begin(lane, engine)
    good, bad = lane.open(), lane.open()
    with pytest.raises(UnsupportedByModel):
        bad.submit(audio(1), RecognizeOptions(language="xx"))
    asked = [good.submit(audio(2), EN), bad.submit(audio(3), replace(EN, hotwords="x")), good.submit(audio(4), EN)]
    release(engine)
    assert [asked[0].result(20).text, asked[2].result(20).text] == ["at 2", "at 4"]
    with pytest.raises(EngineFailed, match="ZeroDivisionError"):
        asked[1].result(20)
    assert good.submit(audio(5), EN).result(20).text == "at 5"
    lane.close()
    assert places(engine) == [[0], [2, 3, 4], [2, 4], [3], [5]]


def test_an_engine_that_loses_a_part_is_an_error() -> None:
    class Losing(FakeRecognizer):
        def recognize(self, batch: Sequence[Audio], options: Sequence[RecognizeOptions]) -> list[Transcript]:
            return []

    lane = Lane(Losing())
    with pytest.raises(EngineFailed, match="lost"):
        lane.open().submit(audio(1), EN).result(20)
    lane.close()


def test_results_come_in_the_order_of_asking() -> None:
    """Two workers: the second window is done long before the first."""
    first_may_go, done = threading.Event(), threading.Event()

    def hear(item: Audio, options: RecognizeOptions) -> Transcript:
        if item.start_s == 1:
            assert first_may_go.wait(20)
        else:
            done.set()
        return hear_its_place(item, options)

    lane = Lane(FakeRecognizer(hear, info=replace(FAKE_INFO, workers=2, max_batch=1)))
    job, order = lane.open(), []
    asked = [job.submit(audio(place), EN) for place in (1, 2)]
    for future in asked:
        future.add_done_callback(lambda future: order.append(future.result().text))
    assert done.wait(20)
    assert not asked[1].done()
    first_may_go.set()
    wait_for(asked, 20)
    lane.close()
    assert order == ["at 1", "at 2"]


def test_who_is_told_may_hold_locks_of_his_own(held: FakeRecognizer) -> None:
    """A result is told while its owner holds a lock, hands in more and cancels: neither waits for the other."""
    own, told, lane = threading.Lock(), threading.Event(), Lane(held)
    job = lane.open("live")

    def hear_of_it(_: object) -> None:
        told.set()
        with own:
            job.submit(audio(3), EN).cancel()

    with own:
        job.submit(audio(1), EN).add_done_callback(hear_of_it)
        release(held)
        assert told.wait(20)
        job.submit(audio(2), EN).cancel()
    job.close()
    lane.close()
    assert lane.queued_s == 0.0


def test_idle_workers_share_what_waits() -> None:
    engine = FakeRecognizer(info=replace(FAKE_INFO, workers=2, max_batch=8), gate=threading.Event())
    lane = Lane(engine)
    job = lane.open("batch")  # its windows are kept back until a batch is full
    asked = [job.submit(audio(place), EN) for place in range(8)]
    release(engine)
    wait_for(asked, 20)
    lane.close()
    assert [len(batch) for batch in engine.batches] == [4, 4]


def test_requests_at_work_share_the_lookahead() -> None:
    """Two workers, batches of four: sixteen windows keep both busy, whoever they come from."""
    lane = Lane(FakeRecognizer(info=replace(FAKE_INFO, workers=2)))
    jobs = [lane.open() for _ in range(10)]
    assert [job.lookahead for job in jobs] == [16, 8, 5, 4, 3, 2, 2, 2, 2, 2]
    for job in jobs:
        job.close()
    assert lane.open().lookahead == 16
    lane.close()


def test_live_sessions_leave_the_lookahead_as_it_is_and_are_let_in_past_a_full_line(held: FakeRecognizer) -> None:
    lane = Lane(held, LaneOptions(max_queued_audio_s=10.0))
    sessions = [lane.open(priority) for priority in ("live", "partial")]
    assert lane.open().lookahead == 8
    begin(lane, held)
    waits = lane.open().submit(audio(1, 10.0), EN)
    with pytest.raises(QueueFull):
        lane.open()
    final = sessions[0].submit(audio(2), EN)
    lane.open("live")
    release(held)
    assert [future.result(20).text for future in (waits, final)] == ["at 1", "at 2"]
    lane.close()
    assert places(held) == [[0], [2], [1]]


def test_while_a_session_is_open_files_go_a_few_at_a_time() -> None:
    """As many as take half a second, by the clock that the lane was given; one while nobody knows."""
    now_s = 0.0

    def hear(item: Audio, options: RecognizeOptions) -> Transcript:
        nonlocal now_s
        now_s += 0.2
        return hear_its_place(item, options)

    engine = FakeRecognizer(hear, info=replace(FAKE_INFO, max_batch=8), gate=threading.Event())
    lane = Lane(engine, clock=lambda: now_s)
    session = lane.open("live")
    session.submit(audio(0), EN)  # at work; its own speed says nothing of files
    assert engine.started.wait(20)
    file = lane.open("batch")
    asked = [file.submit(audio(place), EN) for place in range(1, 6)]
    lane.expect(file.queue, more=False)
    release(engine)
    wait_for(asked, 20)
    lane.close()
    assert [len(batch) for batch in engine.batches] == [1, 1, 2, 2]


def test_a_full_line_says_when_to_come_again(held: FakeRecognizer) -> None:
    lane = Lane(held, LaneOptions(max_queued_audio_s=30.0, max_queued_windows=3))
    begin(lane, held)
    job = lane.open()
    job.submit(audio(1, 20.0), EN)
    lane.open().submit(audio(2, 20.0), EN)
    with pytest.raises(QueueFull) as full:
        lane.open()
    assert 1 <= full.value.retry_after_s <= 60
    job.submit(audio(3), EN)
    with pytest.raises(QueueFull):
        job.submit(audio(4), EN)
    release(held)
    lane.close()


def test_closing_refuses_the_line_and_waits_for_the_batch_at_work(held: FakeRecognizer) -> None:
    lane = Lane(held)
    lane_job = lane.open("live")
    first = lane_job.submit(audio(0), EN)
    assert held.started.wait(20)
    other = lane.open()
    second = other.submit(audio(1), EN)
    closing = threading.Thread(target=lane.close)
    closing.start()
    with pytest.raises(ShuttingDown):
        second.result(20)
    with pytest.raises(ShuttingDown):
        other.submit(audio(2), EN)
    with pytest.raises(ShuttingDown):
        lane.open()
    assert not held.closed
    release(held)
    closing.join(20)
    assert first.result(0).text == "at 0"
    assert held.closed


def test_an_engine_that_can_be_interrupted_is_not_waited_for(held: FakeRecognizer) -> None:
    class Interruptible(FakeRecognizer):
        def close(self) -> None:
            super().close()
            release(self)

    engine = Interruptible(info=replace(FAKE_INFO, interruptible=True), gate=threading.Event())
    lane = Lane(engine)
    first = lane.open().submit(audio(0), EN)
    assert engine.started.wait(20)
    lane.close()  # would wait for ever for the batch
    assert engine.closed
    assert first.result(0).text == "at 0"


def test_the_line_is_on_view(held: FakeRecognizer) -> None:
    engine = FakeRecognizer(info=replace(FAKE_INFO, name="on view"), gate=held.gate)
    lane = Lane(engine)
    begin(lane, engine)
    asked = lane.open("batch").submit(audio(1, 12.0), EN)
    value = metrics.REGISTRY.get_sample_value
    assert value("talkie_queued_audio_seconds", {"model": "on view"}) == 12.0
    assert value("talkie_queued_windows", {"model": "on view"}) == 1
    release(held)
    asked.result(20)
    lane.close()
    assert value("talkie_queued_audio_seconds", {"model": "on view"}) == 0.0
    assert value("talkie_queue_wait_seconds_count", {"model": "on view", "priority": "batch"}) == 1


def one_request(lane: Lane, seed: int) -> int:
    """Some windows, some cancelled, some never waited for. How many were heard; each wait ends, or it fails."""
    rng, come, told = random.Random(seed), 0, []
    try:
        with lane.open(rng.choice(("live", "partial", "interactive", "batch"))) as job:
            asked = []
            for place in range(rng.randrange(1, 12)):
                asked.append((place, job.submit(audio(place), rng.choice((EN, DE)))))
                asked[-1][1].add_done_callback(lambda future, place=place: told.append(place))
                if rng.random() < 0.2:
                    rng.choice(asked)[1].cancel()
            for place, future in asked[: rng.randrange(len(asked) + 1)]:
                try:
                    with job.listening():
                        assert future.result(20).text == f"at {place}"
                    come += 1
                except CancelledError:
                    pass
        assert all(future.done() or future.running() for _, future in asked)
        assert len(told) == len(set(told))
    except ShuttingDown:
        return 0
    return come


@pytest.mark.parametrize("workers", [1, 3])
def test_nothing_is_lost_in_a_throng(workers: int) -> None:
    """Forty requests at once on a few threads; then the same while the lane is closed under them."""
    engine = FakeRecognizer(info=replace(FAKE_INFO, workers=workers))
    lane = Lane(engine)
    with ThreadPoolExecutor(40) as pool:
        assert sum(pool.map(lambda seed: one_request(lane, seed), range(200))) > 200
    assert lane.queued_s == 0.0
    heard = [id(item) for batch in engine.batches for item in batch]
    assert len(heard) == len(set(heard))
    with ThreadPoolExecutor(40) as pool:
        late = [pool.submit(one_request, lane, seed) for seed in range(200)]
        late[20].exception(20)
        lane.close()
        assert all(isinstance(future.exception(20), TalkieError | None) for future in late)
    assert engine.closed
    assert lane.queued_s == 0.0
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("lane-fake")]


def test_sound_goes_when_its_answer_is_read() -> None:
    """Without waiting for Python to look for cycles: hours of a recording would pile up meanwhile."""
    recognizer = FakeRecognizer()
    lane = Lane(recognizer)
    sound = np.zeros(16_000, np.float32)
    gone = weakref.ref(sound)
    gc.disable()
    try:
        with lane.open() as job:
            future = job.submit(Audio(sound), EN)
            del sound
            assert future.result(20).segments
            recognizer.batches.clear()  # the fake keeps what it heard
            job.submit(audio(1), EN).result(20)  # the worker has let go of the batch before
            recognizer.batches.clear()
            del future
        lane.close()
        assert gone() is None
    finally:
        gc.enable()


def test_idle_workers_leave_each_other_in_peace() -> None:
    """Every look at the line reads the clock: two workers that woke each other would read it without end."""
    looks = 0

    def clock() -> float:
        nonlocal looks
        looks += 1
        return time.monotonic()

    lane = Lane(FakeRecognizer(info=replace(FAKE_INFO, workers=2)), clock=clock)
    with lane.open() as job:
        assert job.submit(audio(1), EN).result(20).text == "at 1"
    time.sleep(0.2)
    before = looks
    time.sleep(0.3)
    lane.close()
    assert looks - before < 20
