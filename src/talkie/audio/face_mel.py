"""What a face network hears: windows of 16 mel frames, one for each 1/25 s, from sound in pieces of any size.

16 kHz mono; pre-emphasis 0.97; a centred Hann STFT of 800 points every 200, with zeros (not a mirror image) before the
first sample and after the last; magnitude; 80 Slaney mel bands 55..7600 Hz; decibels, moved and cut to -4..4. These are
the numbers of Wav2Lip's `audio.py`, which the public family of networks was trained on. Knows nothing of networks.

However the sound is cut, the windows are the same to the last bit. What would add in another order for another number
of frames (a matrix product) is done one frame at a time, in 64 bits; all else is one operation an element.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from talkie.audio.blas import use_one_thread
from talkie.types import SAMPLE_RATE_HZ, Samples

FFT_SIZE, HOP = 800, 200
BANDS, WINDOW = 80, 16
LOW_HZ, HIGH_HZ = 55.0, 7600.0
WINDOWS_PER_S, MELS_PER_S = 25, SAMPLE_RATE_HZ // HOP

_EMPHASIS = 0.97
_LEAST_MAGNITUDE, _REFERENCE_DB, _LEAST_DB, _REACH = 1e-5, 20.0, -100.0, 4.0
_LOUDEST = 32768.0
_BLOCK_FRAMES = 256
_LINEAR_HZ_PER_MEL = 200.0 / 3
_LOG_FROM_HZ = 1000.0
_LOG_STEP = float(np.log(6.4)) / 27.0

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]


def window_count(samples: int) -> int:
    """How many windows so many samples have: at least two, for the mel of a short sound is made longer by its last."""
    frames = max(1 + samples // HOP, WINDOW)
    # In floating point, as the networks' own tools count: now and then one fewer than in whole numbers.
    return int((frames - WINDOW) / MELS_PER_S * WINDOWS_PER_S) + 2


def window_start(window: int) -> int:
    """The mel frame that a window begins with, where there are enough of them."""
    return window * MELS_PER_S // WINDOWS_PER_S


def windows_of(samples: Samples) -> Floats:
    """All windows of a sound: `(k, 16, 80)`, float32, -4..4."""
    mel = FaceMel()
    return np.concatenate([mel.feed(samples), mel.finish()])


class FaceMel:
    """The windows of one sound after another. Holds less than half a second of it."""

    def __init__(self) -> None:
        self._waiting: Doubles
        self._mel: Floats
        self._first_mel: int
        self._next: int
        self._begin()

    def feed(self, samples: Samples) -> Floats:
        """Mono at 16 kHz; the windows that are certain now, `(k, 16, 80)`. Samples that are not finite are silence."""
        self._heard += len(samples)
        self._take(self._emphasised(samples))
        starts = self._first_mel + len(self._mel) - WINDOW + 1
        certain = -(-starts * WINDOWS_PER_S // MELS_PER_S)  # all that begin before `starts`
        return self._windows(max(certain, self._next))

    def finish(self) -> Floats:
        """The sound ends here: the rest of its windows. The next `feed` begins another sound."""
        self._take(np.zeros(FFT_SIZE // 2))
        lacking = WINDOW - len(self._mel)
        if self._first_mel == 0 and lacking > 0:
            self._mel = np.concatenate([self._mel, np.repeat(self._mel[-1:], lacking, 0)])
        rest = self._windows(window_count(self._heard))
        self._begin()
        return rest

    def _begin(self) -> None:
        self._heard = 0
        self._last_sample = 0.0
        self._waiting = np.zeros(FFT_SIZE // 2)
        self._mel = np.empty((0, BANDS), np.float32)
        self._first_mel = self._next = 0

    def _emphasised(self, samples: Samples) -> Doubles:
        sound = np.clip(np.nan_to_num(np.asarray(samples, np.float64), posinf=0.0, neginf=0.0), -_LOUDEST, _LOUDEST)
        before = np.concatenate([[self._last_sample], sound])
        self._last_sample = before[-1]
        emphasised: Doubles = sound - _EMPHASIS * before[:-1]
        return emphasised

    def _take(self, sound: Doubles) -> None:
        """Makes mel frames of all that is there for them."""
        waiting = np.concatenate([self._waiting, sound])
        count = max(0, (len(waiting) - FFT_SIZE) // HOP + 1)
        made = [self._mel]
        for start in range(0, count, _BLOCK_FRAMES):
            stop = min(start + _BLOCK_FRAMES, count)
            made.append(mel_frames(waiting[start * HOP : (stop - 1) * HOP + FFT_SIZE]))
        self._waiting = waiting[count * HOP :]
        self._mel = np.concatenate(made)

    def _windows(self, end: int) -> Floats:
        """Those up to `end`, and forgets the mel frames that nobody will ask for again."""
        last = self._first_mel + len(self._mel) - WINDOW
        starts = np.array([min(window_start(one), last) for one in range(self._next, end)], np.int64)
        windows: Floats = self._mel[(starts - self._first_mel)[:, None] + np.arange(WINDOW)]
        self._next = end
        # The last sixteen stay: the end of the sound may ask for them once more.
        keep_from = max(self._first_mel, min(window_start(end), last))
        self._mel = self._mel[keep_from - self._first_mel :].copy()
        self._first_mel = keep_from
        return windows


def mel_frames(sound: Doubles) -> Floats:
    """Mel frames `(m, 80)` of emphasised sound, one for each whole 800 samples, 200 apart."""
    use_one_thread()
    spectrum = np.fft.rfft(np.lib.stride_tricks.sliding_window_view(sound, FFT_SIZE)[::HOP] * _hann())
    magnitude = np.sqrt(spectrum.real * spectrum.real + spectrum.imag * spectrum.imag)
    mel = (magnitude[:, None, :] @ mel_filters().T)[:, 0]  # a product for each frame: see above
    decibels = 20 * np.log10(np.maximum(mel, _LEAST_MAGNITUDE)) - _REFERENCE_DB
    scaled = 2 * _REACH * (decibels - _LEAST_DB) / -_LEAST_DB - _REACH
    cut: Floats = np.clip(scaled, -_REACH, _REACH).astype(np.float32)
    return cut


@cache
def mel_filters() -> Doubles:
    """Triangles of equal area on the Slaney mel scale: shape `(80, 401)`."""
    bins_hz = np.fft.rfftfreq(FFT_SIZE, 1 / SAMPLE_RATE_HZ)
    corners_hz = _mel_to_hz(np.linspace(_hz_to_mel(LOW_HZ), _hz_to_mel(HIGH_HZ), BANDS + 2))
    widths_hz = np.diff(corners_hz)[:, None]
    distance_hz = bins_hz[None, :] - corners_hz[:, None]
    triangles = np.maximum(0.0, np.minimum(distance_hz[:-2] / widths_hz[:-1], -distance_hz[2:] / widths_hz[1:]))
    filters: Doubles = triangles * (2.0 / (corners_hz[2:] - corners_hz[:-2]))[:, None]
    filters.flags.writeable = False
    return filters


@cache
def _hann() -> Doubles:
    return np.hanning(FFT_SIZE + 1)[:-1]


def _hz_to_mel(hz: float) -> float:
    if hz < _LOG_FROM_HZ:
        return hz / _LINEAR_HZ_PER_MEL
    return _LOG_FROM_HZ / _LINEAR_HZ_PER_MEL + float(np.log(hz / _LOG_FROM_HZ)) / _LOG_STEP


def _mel_to_hz(mels: Doubles) -> Doubles:
    log_from = _LOG_FROM_HZ / _LINEAR_HZ_PER_MEL
    above = _LOG_FROM_HZ * np.exp(_LOG_STEP * (np.maximum(mels, log_from) - log_from))
    return np.where(mels < log_from, mels * _LINEAR_HZ_PER_MEL, above)
