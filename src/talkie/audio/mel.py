"""Log-mel features as Whisper hears them: one window of at most 30 s in, one matrix out.

Knows nothing of models. The numbers are those of openai/whisper `audio.py` and of the Hugging Face feature extractor:
25 ms Hann windows every 10 ms, a Slaney mel scale (Slaney, Auditory Toolbox, 1998), log10, a floor 8 below the
loudest value. The floor is that of the window, not of the whole recording: docs/decisions/0020.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from talkie.audio.blas import use_one_thread
from talkie.types import SAMPLE_RATE_HZ, Samples

FFT_SIZE = 400
HOP = 160
MAX_SECONDS = 30
MAX_FRAMES = MAX_SECONDS * SAMPLE_RATE_HZ // HOP
FRAME_S = HOP / SAMPLE_RATE_HZ

_PADDING = 160
_LOWEST_POWER = 1e-10
_RANGE = 8.0
_LOUDEST = 32768.0
_BLOCK_FRAMES = 256
_LINEAR_HZ_PER_MEL = 200.0 / 3
_LOG_FROM_HZ = 1000.0
_LOG_STEP = float(np.log(6.4)) / 27.0


def content_frames(samples: int) -> int:
    """How many frames of a window hold sound: one for each whole 10 ms, at most `MAX_FRAMES`."""
    return min(samples // HOP, MAX_FRAMES)


def log_mel(
    samples: Samples, n_mels: int = 80, out: NDArray[np.float32] | None = None, *, frames: int = MAX_FRAMES
) -> NDArray[np.float32]:
    """Features of one window, shape `(n_mels, frames)`, float32, about -1..1.5; zeros after the end of the sound.

    `samples` are mono at 16 kHz, shape `(n,)`; what is beyond `frames` of 10 ms, at most 3000, is not heard. `out`,
    shape `(n_mels, frames)`, is written in place and returned. Samples that are not finite count as silence.
    Thread-safe.
    """
    if out is None:
        out = np.empty((n_mels, frames), np.float32)
    samples = samples[: out.shape[1] * HOP]
    heard = content_frames(len(samples))
    out[:, heard:] = 0.0
    if not heard:
        return out
    with np.errstate(invalid="ignore", over="ignore"):
        log_power = _log_power(_padded(samples), heard + 1, n_mels)
    if not np.isfinite(log_power.max()):
        log_power = _log_power(_padded(_tamed(samples)), heard + 1, n_mels)
    # The reference takes its maximum over one frame more than the window keeps.
    np.maximum(log_power, log_power.max() - np.float32(_RANGE), out=log_power)
    np.add(log_power[:, :heard], np.float32(4.0), out=out[:, :heard])
    out[:, :heard] *= np.float32(0.25)
    return out


def _tamed(samples: Samples) -> Samples:
    finite = np.nan_to_num(samples, posinf=0.0, neginf=0.0)
    tamed: Samples = np.clip(finite, -_LOUDEST, _LOUDEST)
    return tamed


def _padded(samples: Samples) -> Samples:
    """The window with 10 ms of silence after it and half a Fourier window mirrored at both ends."""
    half = FFT_SIZE // 2
    kept = np.asarray(samples[: MAX_FRAMES * HOP], np.float32)
    padded = np.empty(len(kept) + _PADDING + FFT_SIZE, np.float32)
    end = half + len(kept) + _PADDING
    padded[half : half + len(kept)] = kept
    padded[half + len(kept) : end] = 0.0
    padded[:half] = padded[2 * half : half : -1]
    padded[end:] = padded[end - 2 : end - 2 - half : -1]
    return padded


def _log_power(padded: Samples, frames: int, n_mels: int) -> NDArray[np.float32]:
    """log10 of mel power, shape `(n_mels, frames)`; in blocks, so that what is worked on stays in the cache.

    One matrix product for all: smaller ones add in another order, and the last bit decides a timestamp now and then.
    """
    filters, window = mel_filters(n_mels), _hann()
    sliding = np.lib.stride_tricks.sliding_window_view(padded, FFT_SIZE)[::HOP]
    power = np.empty((frames, FFT_SIZE // 2 + 1), np.float32)
    for start in range(0, frames, _BLOCK_FRAMES):
        spectrum = np.fft.rfft(sliding[start : min(start + _BLOCK_FRAMES, frames)] * window)
        block = power[start : start + len(spectrum)]
        np.abs(spectrum, out=block, casting="same_kind")
        block *= block
    use_one_thread()
    mel: NDArray[np.float32] = filters @ power.T
    np.maximum(mel, np.float32(_LOWEST_POWER), out=mel)
    np.log10(mel, out=mel)
    return mel


@cache
def _hann() -> NDArray[np.float32]:
    return np.hanning(FFT_SIZE + 1)[:-1].astype(np.float32)


@cache
def mel_filters(n_mels: int) -> NDArray[np.float32]:
    """Triangles of equal area on the Slaney mel scale, 0 Hz to 8 kHz: shape `(n_mels, 201)`."""
    bins_hz = np.fft.rfftfreq(FFT_SIZE, 1 / SAMPLE_RATE_HZ)
    corners_hz = _mel_to_hz(np.linspace(0.0, _hz_to_mel(SAMPLE_RATE_HZ / 2), n_mels + 2))
    widths_hz = np.diff(corners_hz)[:, None]
    distance_hz = bins_hz[None, :] - corners_hz[:, None]
    rising = distance_hz[:-2] / widths_hz[:-1]
    falling = -distance_hz[2:] / widths_hz[1:]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    area = 2.0 / (corners_hz[2:] - corners_hz[:-2])
    filters: NDArray[np.float32] = (triangles * area[:, None]).astype(np.float32)
    filters.flags.writeable = False
    return filters


def _hz_to_mel(hz: float) -> float:
    if hz < _LOG_FROM_HZ:
        return hz / _LINEAR_HZ_PER_MEL
    return _LOG_FROM_HZ / _LINEAR_HZ_PER_MEL + float(np.log(hz / _LOG_FROM_HZ)) / _LOG_STEP


def _mel_to_hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    log_from = _LOG_FROM_HZ / _LINEAR_HZ_PER_MEL
    above = _LOG_FROM_HZ * np.exp(_LOG_STEP * (np.maximum(mels, log_from) - log_from))
    return np.where(mels < log_from, mels * _LINEAR_HZ_PER_MEL, above)
