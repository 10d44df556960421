"""Speech quicker and slower: as long as asked, the same pitch, no louder."""

from __future__ import annotations

import numpy as np
import pytest

from talkie.audio.tempo import at_tempo

RATE_HZ = 24_000


@pytest.mark.parametrize("factor", [0.25, 0.5, 0.8, 1.5, 2.0, 4.0])
def test_length_changes_and_pitch_does_not(factor: float) -> None:
    tone = (0.5 * np.sin(2 * np.pi * 220 * np.arange(2 * RATE_HZ) / RATE_HZ)).astype(np.float32)
    made = at_tempo(tone, RATE_HZ, factor)
    assert made.dtype == np.float32
    assert len(made) * factor == pytest.approx(len(tone), rel=0.03)
    assert np.abs(np.fft.rfft(made)).argmax() * RATE_HZ / len(made) == pytest.approx(220, abs=2)
    assert 0.45 < np.abs(made).max() < 0.52


def test_nothing_and_the_usual_speed_stay_as_they_are() -> None:
    tone = np.ones(100, np.float32)
    assert at_tempo(tone, RATE_HZ, 1.0) is tone
    assert len(at_tempo(tone[:0], RATE_HZ, 2.0)) == 0
    assert len(at_tempo(tone, RATE_HZ, 2.0)) < RATE_HZ
