"""How far a session is behind: speakers are ended, senders of files wait."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.errors import SessionLagging
from talkie.runtime.live_lag import AHEAD_S, LONGEST_S, PUSHED_S, Lag


def spoken(lag: Lag, seconds: int, from_s: int = 0) -> int:
    """A second of sound each second; the time after it."""
    for second in range(from_s, from_s + seconds):
        assert lag.is_room(second)
        lag.came(1.0, second)
    return from_s + seconds


def test_nothing_came_nothing_is_behind() -> None:
    lag = Lag(30)
    assert lag.lag_s(0) == 0 and lag.is_room(0) and not lag.is_ahead(0)


def test_a_speaker_who_is_heard_at_once_goes_on_for_ever() -> None:
    lag = Lag(30)
    for second in range(10_000):
        assert lag.is_room(second)
        lag.came(1.0, second)
        lag.listened(1.0)
    assert lag.lag_s(10_000) == 0 and lag.received_s == 10_000


def test_a_speaker_too_far_ahead_of_us_is_ended() -> None:
    lag = Lag(30)
    now_s = spoken(lag, 30)
    with pytest.raises(SessionLagging) as told:
        lag.is_room(now_s)
    assert "30 seconds" in told.value.message


def test_texts_that_are_owed_count_as_time_goes_by() -> None:
    lag = Lag(30)
    now_s = spoken(lag, 20)
    lag.listened(20)
    lag.owe(0, now_s)
    lag.unheard_s = 20
    assert lag.lag_s(now_s) == 0 and lag.lag_s(now_s + 12) == 12
    lag.owe(1, now_s + 12)
    lag.paid(0)
    assert lag.lag_s(now_s + 13) == 1
    with pytest.raises(SessionLagging):
        lag.is_room(now_s + 12 + 30)


def test_one_long_utterance_is_no_lag_but_what_piles_up_behind_it_is() -> None:
    """Where the client says when an utterance ends, nothing is owed before; windows may pile up all the same."""
    lag = Lag(30)
    now_s = spoken(lag, 1)
    lag.listened(1)
    lag.unheard_s = LONGEST_S
    assert lag.lag_s(now_s) == 0
    lag.unheard_s = LONGEST_S + 31
    with pytest.raises(SessionLagging):
        lag.is_room(now_s)


def test_a_file_waits_however_slow_we_are() -> None:
    lag = Lag(30)
    refused = 0
    for now_s in range(1000):  # a second of sound is heard in two
        if lag.is_room(now_s):
            lag.came(1.0, now_s)
        elif lag.is_ahead(now_s):
            refused += 1
        if now_s % 2 and lag.queued_s:
            lag.listened(1.0)
        while lag.is_room(now_s):
            lag.came(1.0, now_s)
        assert lag.queued_s <= PUSHED_S + 1
    assert refused > 0 and lag.received_s > 400


def test_a_file_waits_for_texts_too() -> None:
    lag = Lag(30)
    while lag.is_room(0):
        lag.came(1.0, 0)
        lag.listened(1.0)
        lag.unheard_s += 1
    assert lag.received_s == 30
    assert not lag.is_room(600) and lag.is_ahead(600)
    lag.unheard_s = 0
    assert lag.is_room(600)


def test_what_was_gathered_before_is_no_file() -> None:
    lag = Lag(30)
    lag.came(AHEAD_S, 0)
    assert not lag.is_ahead(0)
    lag.came(0.1, 0)
    assert lag.is_ahead(0) and not lag.is_ahead(1)


def test_partials_become_fewer_and_then_none() -> None:
    lag = Lag(30)
    usual = lag.partial_every_s(0)
    now_s = spoken(lag, 3)
    assert lag.partial_every_s(now_s) == 2 * usual
    now_s = spoken(lag, 3, now_s)
    assert lag.partial_every_s(now_s) == inf
    lag.listened(6)
    assert lag.partial_every_s(now_s) == usual


def test_partials_of_a_file_depend_on_texts_only() -> None:
    lag = Lag(30)
    usual = lag.partial_every_s(0)
    lag.came(100, 0)
    assert lag.is_ahead(0) and lag.partial_every_s(0) == usual
    lag.owe(0, 0)
    assert lag.partial_every_s(6) == inf


@given(
    st.lists(st.tuples(st.floats(0.001, 3), st.floats(0, 3), st.floats(0, 3)), max_size=200),
    st.floats(5, 100),
)
def test_sound_that_waits_is_bounded_whatever_comes(steps: list[tuple[float, float, float]], most_s: float) -> None:
    lag, now_s = Lag(most_s), 0.0
    for seconds, wait_s, heard_s in steps:
        now_s += wait_s
        lag.listened(min(heard_s, lag.queued_s))
        try:
            if lag.is_room(now_s):
                lag.came(seconds, now_s)
        except SessionLagging:
            return
        assert 0 <= lag.queued_s <= most_s + seconds
        assert lag.lag_s(now_s) >= 0
