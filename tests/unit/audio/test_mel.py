"""Log-mel features against faster-whisper's, and what the reference does not say."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.audio.mel import HOP, MAX_FRAMES, content_frames, log_mel, mel_filters


def sound(samples: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    loud = 0.1 * rng.standard_normal(samples)
    loud[samples // 3 : samples // 2] *= 1e-4
    return loud.astype(np.float32)


def reference(samples: np.ndarray, n_mels: int) -> np.ndarray:
    from faster_whisper.feature_extractor import FeatureExtractor

    return FeatureExtractor(feature_size=n_mels)(samples)


@pytest.mark.parametrize("n_mels", [80, 128])
@pytest.mark.parametrize("samples", [160, 161, 319, 320, 1000, 16_000, 80_077, 480_000])
def test_features_are_those_of_the_reference(samples: int, n_mels: int) -> None:
    heard, theirs = log_mel(sound(samples), n_mels), reference(sound(samples), n_mels)
    frames = samples // HOP
    assert heard.shape == (n_mels, MAX_FRAMES)
    assert heard.dtype == np.float32
    assert theirs.shape[1] == frames + 1
    np.testing.assert_allclose(heard[:, :frames], theirs[:, :frames], atol=1e-4)


@pytest.mark.parametrize("n_mels", [80, 128])
def test_filters_are_those_of_the_reference(n_mels: int) -> None:
    from faster_whisper.feature_extractor import FeatureExtractor

    np.testing.assert_allclose(mel_filters(n_mels), FeatureExtractor(feature_size=n_mels).mel_filters, atol=1e-7)


def test_what_follows_the_sound_is_zero() -> None:
    heard = log_mel(sound(16_000))
    assert not heard[:, 100:].any()
    assert heard[:, :100].any()


def test_output_is_written_in_place_and_over_what_was_there() -> None:
    out = np.full((80, MAX_FRAMES), 7.0, np.float32)
    assert log_mel(sound(1600), 80, out) is out
    np.testing.assert_array_equal(out, log_mel(sound(1600)))


@pytest.mark.parametrize("frames", [1, 15, 16, 17, 256, 500, 2999])
def test_a_shorter_context_is_the_beginning_of_a_full_one(frames: int) -> None:
    samples = sound(max(HOP, (frames - 10) * HOP))
    whole = log_mel(samples)
    assert np.array_equal(log_mel(samples, frames=frames), whole[:, :frames])
    out = np.full((80, frames), 7.0, np.float32)
    assert log_mel(samples, 80, out) is out
    np.testing.assert_array_equal(out, whole[:, :frames])


def test_sound_beyond_a_shorter_context_is_not_heard() -> None:
    samples = sound(16_000)
    np.testing.assert_array_equal(log_mel(samples, frames=60), log_mel(samples[: 60 * HOP], frames=60))


def test_threads_do_not_disturb_each_other() -> None:
    with ThreadPoolExecutor(4) as pool:
        several = list(pool.map(lambda seed: log_mel(sound(30_000, seed)), range(12)))
    for seed, heard in enumerate(several):
        np.testing.assert_array_equal(heard, log_mel(sound(30_000, seed)))


def test_the_window_alone_sets_the_floor() -> None:
    """Silence after a loud sound is floored by it; silence alone has a floor of its own."""
    loud_then_silent = np.concatenate([sound(16_000), np.zeros(16_000, np.float32)])
    both = log_mel(loud_then_silent)[:, 150:190]
    assert np.ptp(both) == 0
    assert both[0, 0] > log_mel(np.zeros(16_000, np.float32))[0, 50]


def test_more_than_a_window_is_not_heard() -> None:
    long = sound(480_000 + 1600)
    np.testing.assert_array_equal(log_mel(long), log_mel(long[:480_000]))


@pytest.mark.parametrize("samples", [0, 1, 159])
def test_less_than_a_frame_is_nothing(samples: int) -> None:
    assert content_frames(samples) == 0
    assert not log_mel(np.ones(samples, np.float32)).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 3e38])
def test_impossible_samples_leave_finite_features(bad: float) -> None:
    samples = sound(3200)
    samples[1000:1010] = bad
    assert np.isfinite(log_mel(samples)).all()


@given(st.integers(0, 4000), st.floats(1e-6, 1.0))
def test_any_length_and_loudness_give_finite_features(samples: int, loudness: float) -> None:
    heard = log_mel(sound(samples) * np.float32(loudness))
    assert np.isfinite(heard).all()
    assert np.ptp(heard[:, : content_frames(samples)]) <= 2.0 + 1e-5 if content_frames(samples) else not heard.any()
