"""Work done ahead: bounded, in order, with its errors, and never while its owner is paused."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from talkie.pipeline.ahead import Ahead

WAIT_S = 20.0


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "talkie-ahead"]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = threads()
    yield
    assert [thread for thread in threads() if thread not in before] == []


def ahead(items: Iterator[int], limit: int = 3) -> Ahead[int]:
    return Ahead(items, lambda _: 1, limit)


def until_at_rest(work: Ahead[int]) -> None:
    with work.changed:
        assert work.changed.wait_for(lambda: work.full or work.ended, WAIT_S)


def test_all_of_it_in_order() -> None:
    with ahead(iter(range(1000))) as work:
        assert list(work) == list(range(1000))


def test_it_stays_within_its_bound() -> None:
    drawn: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            drawn.append(number)
            yield number

    with ahead(items()) as work:
        for number in work:
            until_at_rest(work)
            with work.paused():
                assert len(drawn) <= number + 1 + 3
    assert drawn == list(range(100))


def test_errors_come_after_what_was_before_them() -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise LookupError("damaged")

    with ahead(items(), limit=10) as work:
        drawn = iter(work)
        assert [next(drawn) for _ in range(5)] == list(range(5))
        with pytest.raises(LookupError, match="damaged"):
            next(drawn)


def test_nothing_is_drawn_while_its_owner_is_paused() -> None:
    drawn: list[int] = []

    def items() -> Iterator[int]:
        for number in range(10_000):
            drawn.append(number)
            yield number

    with ahead(items(), limit=10_000) as work:
        with work.paused():
            before = len(drawn)
            time.sleep(0.02)
            assert len(drawn) == before
        until_at_rest(work)
    assert len(drawn) == 10_000


def test_what_is_left_in_a_pause_never_draws_again() -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            yield from iter(int, 1)
        finally:
            closed.set()

    with pytest.raises(KeyboardInterrupt), ahead(items()) as work, work.paused():
        raise KeyboardInterrupt
    assert closed.is_set()


def test_leaving_early_closes_the_iterator_in_its_own_thread() -> None:
    names: list[str] = []

    def items() -> Iterator[int]:
        try:
            yield from range(10)
        finally:
            names.append(threading.current_thread().name)

    with ahead(items()) as work:
        assert next(iter(work)) == 0
    assert names == ["talkie-ahead"]
