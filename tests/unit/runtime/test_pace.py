from __future__ import annotations

import pytest

from talkie.runtime.pace import RETRY_AFTER_MAX_S, RETRY_AFTER_MIN_S, Pace


def test_the_time_to_come_again_is_that_of_the_line() -> None:
    pace = Pace(workers=2)
    assert pace.retry_after_s(1000.0) == RETRY_AFTER_MIN_S
    pace.note(30.0, 3.0)
    assert pace.audio_s_per_s == pytest.approx(20.0)
    assert pace.retry_after_s(400.0) == pytest.approx(20.0)
    assert pace.retry_after_s(1.0) == RETRY_AFTER_MIN_S
    assert pace.retry_after_s(1e9) == RETRY_AFTER_MAX_S


def test_the_pace_is_that_of_late() -> None:
    pace = Pace(workers=1)
    pace.note(100.0, 1.0)
    for _ in range(40):
        pace.note(10.0, 1.0)
    assert pace.audio_s_per_s == pytest.approx(10.0, rel=0.01)
    pace.note(10.0, 0.0)
    assert pace.audio_s_per_s == pytest.approx(10.0, rel=0.01)
