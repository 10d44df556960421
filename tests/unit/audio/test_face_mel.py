"""Features of faces: against an implementation of its own in 64 bits, whole and in pieces."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from talkie.audio.face_mel import FaceMel, mel_filters, window_count, windows_of
from talkie.types import Samples

RATE = 16_000
RNG = np.random.default_rng(12)


def speech_like(seconds: float) -> Samples:
    """Tones that glide, noise and pauses: loud and quiet bands side by side."""
    t = np.arange(int(seconds * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * (130 * n * t + 40 * n * t * t)) / n for n in range(1, 12))
    loud = np.maximum(np.sin(2 * np.pi * 1.3 * t), 0) ** 2
    return (0.2 * loud * tone + 0.003 * RNG.normal(0, 1, len(t))).astype(np.float32)


def slaney_hz(mel: float) -> float:
    """Slaney, Auditory Toolbox (1998): linear to 1 kHz, 3 mel a 200 Hz; then 27 steps for each factor of 6.4."""
    return 200 * mel / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)


def slaney_mel(hz: float) -> float:
    return 3 * hz / 200 if hz < 1000 else 15 + 27 * math.log(hz / 1000, 6.4)


def reference_filters() -> NDArray[np.float64]:
    low, high = slaney_mel(55), slaney_mel(7600)
    corners = [slaney_hz(low + (high - low) * n / 81) for n in range(82)]
    filters = np.zeros((80, 401))
    for band, (left, middle, right) in enumerate(zip(corners, corners[1:], corners[2:], strict=False)):
        for point in range(401):
            hz = point * RATE / 800
            if left < hz <= middle:
                filters[band, point] = (hz - left) / (middle - left) * 2 / (right - left)
            elif middle < hz < right:
                filters[band, point] = (right - hz) / (right - middle) * 2 / (right - left)
    return filters


def reference_mel(samples: Samples) -> NDArray[np.float64]:
    """`(M, 80)`, by the formulas one after another: a Fourier transform by its definition, nothing in blocks."""
    x = samples.astype(np.float64)
    y = x.copy()
    y[1:] -= 0.97 * x[:-1]
    padded = np.concatenate([np.zeros(400), y, np.zeros(400)])
    transform = np.array([[cmath.exp(-2j * cmath.pi * (k * n % 800) / 800) for n in range(800)] for k in range(401)])
    window = np.array([0.5 - 0.5 * math.cos(2 * math.pi * n / 800) for n in range(800)])
    frames = np.stack([padded[m * 200 : m * 200 + 800] * window for m in range(1 + len(samples) // 200)])
    magnitude = np.abs(frames @ transform.T)
    decibels = 20 * np.log10(np.maximum(1e-5, magnitude @ reference_filters().T)) - 20
    mel: NDArray[np.float64] = np.clip(8 * (decibels + 100) / 100 - 4, -4, 4)
    return mel


def test_features_are_those_of_the_formulas() -> None:
    samples = speech_like(3.0)
    mel = reference_mel(samples)
    count = int((len(mel) - 16) / 80 * 25) + 2
    expected = np.stack([mel[min(int(3.2 * k), len(mel) - 16) :][:16] for k in range(count)])
    found = windows_of(samples)
    assert found.shape == (count, 16, 80)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)
    assert expected.std() > 0.5, "the sound must have something to compare"


def test_filters_are_slaneys() -> None:
    np.testing.assert_allclose(mel_filters(), reference_filters(), rtol=1e-9, atol=1e-15)


WHOLE = speech_like(2.3)
WINDOWS = windows_of(WHOLE)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 9000), max_size=30), st.integers(1, len(WHOLE)))
def test_cuts_change_nothing(cuts: list[int], length: int) -> None:
    whole = windows_of(WHOLE[:length])
    mel, at, parts = FaceMel(), 0, []
    for cut in [*cuts, length]:
        parts.append(mel.feed(WHOLE[at : min(at + cut, length)]))
        at = min(at + cut, length)
    parts.append(mel.finish())
    found = np.concatenate(parts)
    assert found.shape[0] == window_count(length)
    assert found.tobytes() == whole.tobytes()


def test_single_samples_and_a_second_sound() -> None:
    mel = FaceMel()
    for _ in range(2):
        parts = [mel.feed(WHOLE[at : at + 1]) for at in range(4000)]
        assert np.concatenate([*parts, mel.finish()]).tobytes() == windows_of(WHOLE[:4000]).tobytes()


def test_windows_come_as_soon_as_their_sound_is_there() -> None:
    """Window k ends with mel frame int(3.2 k) + 15, whose last sample is 400 later than its middle."""
    mel, given_windows = FaceMel(), 0
    for at in range(0, len(WHOLE), 100):
        given_windows += len(mel.feed(WHOLE[at : at + 100]))
        heard = min(at + 100, len(WHOLE))
        certain = sum((int(3.2 * k) + 15) * 200 + 400 <= heard for k in range(200))
        assert given_windows == certain


@pytest.mark.parametrize("samples", [0, 1, 1600, 3199, 3200, 3400])
def test_short_sounds_have_windows(samples: int) -> None:
    windows = windows_of(WHOLE[8000 : 8000 + samples])
    assert windows.shape == (window_count(samples), 16, 80)
    assert len(windows) >= 2
    assert np.isfinite(windows).all()
    if samples < 3000:
        frames = 1 + samples // 200
        assert (windows[:, frames - 1 :] == windows[:, frames - 1 : frames]).all(), "the last mel frame is repeated"


def test_silence_is_the_lowest_there_is() -> None:
    assert (windows_of(np.zeros(8000, np.float32)) == -4).all()


def test_what_is_no_number_is_silence_and_stays_where_it_is() -> None:
    spoilt = WHOLE.copy()
    spoilt[5000], spoilt[5001], spoilt[5002] = np.nan, np.inf, -np.inf
    silent = WHOLE.copy()
    silent[5000:5003] = 0
    assert windows_of(spoilt).tobytes() == windows_of(silent).tobytes()


def test_windows_are_the_callers_own() -> None:
    """What was given must not change with what is fed later."""
    mel = FaceMel()
    first = mel.feed(WHOLE[:16000])
    kept = first.copy()
    mel.feed(WHOLE[16000:])
    mel.finish()
    assert (first == kept).all()
    assert (first == WINDOWS[: len(first)]).all()


def test_an_hour_is_held_in_little_memory() -> None:
    mel = FaceMel()
    for _ in range(20):
        mel.feed(WHOLE)
        held = sum(value.nbytes for value in vars(mel).values() if isinstance(value, np.ndarray))
        assert held < 40_000
