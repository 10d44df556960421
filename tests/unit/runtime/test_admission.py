from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from talkie.errors import Cancelled, QueueFull, ShuttingDown
from talkie.runtime.admission import Admission
from talkie.runtime.cancel import CancelToken


def wait_until(condition) -> None:  # type: ignore[no-untyped-def]
    for _ in range(2000):
        if condition():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it never came to be")


def enter(admission: Admission, hold: threading.Event, order: list[int], place: int, cancel: CancelToken) -> None:
    with admission.enter(cancel):
        order.append(place)
        assert hold.wait(20)


def test_first_come_first_served_within_bounds() -> None:
    admission, hold, order = Admission(2, 3), threading.Event(), []
    with ThreadPoolExecutor(8) as pool:
        jobs = []
        for place in range(5):
            jobs.append(pool.submit(enter, admission, hold, order, place, CancelToken()))
            wait_until(lambda count=place + 1: admission.running + admission.waiting == count)
        assert (admission.running, admission.waiting) == (2, 3)
        with pytest.raises(QueueFull) as full:
            enter(admission, hold, order, 9, CancelToken())
        assert full.value.retry_after_s >= 1
        hold.set()
        for job in jobs:
            job.result(20)
    assert order[:2] == [0, 1]
    assert sorted(order) == [0, 1, 2, 3, 4]
    assert (admission.running, admission.waiting) == (0, 0)


def test_who_cancels_leaves_the_line() -> None:
    admission, hold, cancel = Admission(1, 4), threading.Event(), CancelToken()
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(enter, admission, hold, [], 0, CancelToken())
        wait_until(lambda: admission.running == 1)
        second = pool.submit(enter, admission, hold, [], 1, cancel)
        wait_until(lambda: admission.waiting == 1)
        cancel.cancel()
        with pytest.raises(Cancelled):
            second.result(20)
        assert admission.waiting == 0
        hold.set()
        first.result(20)


def test_a_place_is_given_back_when_the_work_fails() -> None:
    admission = Admission(1, 0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), admission.enter(CancelToken()):
            raise ZeroDivisionError
    assert admission.running == 0


def test_closing_refuses_newcomers_and_those_in_line_but_not_those_at_work() -> None:
    admission, hold = Admission(1, 4), threading.Event()
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(enter, admission, hold, [], 0, CancelToken())
        wait_until(lambda: admission.running == 1)
        second = pool.submit(enter, admission, hold, [], 1, CancelToken())
        wait_until(lambda: admission.waiting == 1)
        admission.close()
        with pytest.raises(ShuttingDown):
            second.result(20)
        with pytest.raises(ShuttingDown):
            enter(admission, hold, [], 2, CancelToken())
        assert not admission.drain(0.01)
        hold.set()
        first.result(20)
    assert admission.drain(1)


def test_a_wait_for_a_result_ends_when_it_is_cancelled() -> None:
    cancel, future = CancelToken(), Future[int]()
    threading.Timer(0.05, cancel.cancel).start()
    with pytest.raises(Cancelled):
        cancel.wait_for(future)
    assert future.cancelled()


def test_a_wait_gives_the_result_and_the_error() -> None:
    done, failed = Future[int](), Future[int]()
    done.set_result(7)
    failed.set_exception(TimeoutError("the engine's own"))
    assert CancelToken().wait_for(done) == 7
    with pytest.raises(TimeoutError, match="own"):
        CancelToken().wait_for(failed)
