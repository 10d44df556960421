"""When ticks are due, and how much sound they have."""

from __future__ import annotations

import pytest

from face_parts import Clock
from talkie.runtime.face_clock import FaceClock


def test_time_begins_with_the_first_tick_and_never_drifts() -> None:
    clock = Clock()
    ticks = FaceClock(25.0, 0.1, clock)
    assert ticks.wait_s(7) == ticks.late_s(7) == 0.0 and not ticks.began
    ticks.begin()
    clock.now_s += 0.5
    ticks.begin()
    assert ticks.began
    assert ticks.wait_s(0) == pytest.approx(-0.6)
    assert ticks.late_s(0) == pytest.approx(0.5) and ticks.late_s(25) == 0.0
    assert ticks.wait_s(25) == pytest.approx(0.4)
    assert ticks.wait_s(100_000) == pytest.approx(4000 - 0.6)


@pytest.mark.parametrize("fps", [25.0, 30.0, 24.0, 29.97, 60.0, 7.0])
def test_sound_is_never_more_than_a_sample_off(fps: float) -> None:
    ticks = FaceClock(fps, 0.0, Clock())
    samples = 0
    for index in range(500):
        assert samples == ticks.sound_until(index)
        assert abs(samples - index * 48_000 / fps) <= 0.5
        samples += ticks.samples(index)


def test_what_was_seen_by_a_time() -> None:
    ticks = FaceClock(25.0, 0.0, Clock())
    assert [ticks.ticks_until(at_s) for at_s in (-1.0, 0.0, 0.0399, 0.04, 0.12, 1.0)] == [0, 0, 0, 1, 3, 25]
