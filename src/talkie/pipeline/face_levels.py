"""How loud a sound is for its speaker, and what its sound is like: every 10 ms, streaming and in bounded memory.

The same numbers come out however the sound is cut into pieces. Knows nothing of mouths.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from talkie.types import SAMPLE_RATE_HZ, Samples

HOP = SAMPLE_RATE_HZ // 100
HOP_S = HOP / SAMPLE_RATE_HZ
WINDOW = 512
SILENT_DB = -55.0
"""What is softer than this is silence, whoever speaks."""
_RANGE_DB, _HEAD_DB = 30.0, 5.0  # from shut to wide open; what is this near to the loudest is wide open
_FALL_DB, _RISE_DB = 0.01, 0.06  # for each hop: how the loudest is forgotten, and the background followed
_OVER_NOISE_DB = 7.0
_CHUNK = 1000


class Level(NamedTuple):
    """`loud` 0..1 of this speaker's range; `bright` 0 (oo) .. 1 (ee); `hiss` 0..1 (s, sh); `db` below full scale."""

    loud: float
    bright: float
    hiss: float
    db: float


QUIET = Level(0.0, 0.5, 0.0, -120.0)


class Levels:
    """Those of one utterance. `at` tells of a moment; what was forgotten, and what is to come, is quiet."""

    def __init__(self) -> None:
        self._frequencies = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE_HZ)
        self._shape = np.hanning(WINDOW).astype(np.float32)
        self._loudest_db, self._noise_db = -32.0, -60.0
        self._first = 0  # the hop that `_levels` begins with
        self._levels: list[Level] = []
        self._held = np.zeros(WINDOW // 2, np.float32)  # the window of the first hop is half before the sound

    def feed(self, samples: Samples) -> None:
        sound = np.clip(np.nan_to_num(samples), -1.0, 1.0)
        self._held = np.concatenate([self._held, sound])
        while (count := min((len(self._held) - WINDOW) // HOP + 1, _CHUNK)) > 0:
            windows = np.lib.stride_tricks.sliding_window_view(self._held, WINDOW)[::HOP][:count]
            self._add(windows * self._shape)
            self._held = self._held[count * HOP :].copy()

    def finish(self) -> None:
        """Silence follows."""
        self.feed(np.zeros(WINDOW, np.float32))

    def at(self, time_s: float) -> Level:
        hop = round(time_s / HOP_S) - self._first
        return self._levels[hop] if 0 <= hop < len(self._levels) else QUIET

    def forget(self, until_s: float) -> None:
        gone = min(max(0, int(until_s / HOP_S) - self._first), len(self._levels))
        del self._levels[:gone]
        self._first += gone

    def _add(self, windows: NDArray[np.float32]) -> None:
        """`(k, 512)`, each already shaped."""
        power = np.square(np.abs(np.fft.rfft(windows, axis=1)))
        low, high, hiss = (self._band(power, *band) for band in ((150, 900), (1400, 3600), (4200, 7800)))
        whole = self._band(power, 60, 7800)
        # Of a sine at full scale the sum over its lines is (sum of the window)² / 4 and half as much again beside.
        db = 10 * np.log10(whole / (np.sum(self._shape) ** 2 * 0.375) + 1e-12)
        bright = np.clip((10 * np.log10((high + 1e-9) / (low + 1e-9)) + 22) / 24, 0, 1)
        hissing = np.clip((hiss / (whole + 1e-9) - 0.25) / 0.4, 0, 1)
        for one in zip(db.tolist(), bright.tolist(), hissing.tolist(), strict=True):
            self._levels.append(Level(self._loud(one[0]), one[1], one[2], one[0]))

    def _band(self, power: NDArray[np.float32], first_hz: float, last_hz: float) -> NDArray[np.float64]:
        lines = (self._frequencies >= first_hz) & (self._frequencies < last_hz)
        band: NDArray[np.float64] = power[:, lines].sum(1, dtype=np.float64)
        return band

    def _loud(self, db: float) -> float:
        """Where between the background and the speaker's loudest this is. Both are followed."""
        self._loudest_db = max(db, self._loudest_db - _FALL_DB, -40.0)
        self._noise_db = max(min(db, self._noise_db + _RISE_DB), -90.0)
        shut = max(self._loudest_db - _RANGE_DB, SILENT_DB, self._noise_db + _OVER_NOISE_DB)
        wide = max(self._loudest_db - _HEAD_DB, shut + 6)
        return min(1.0, max(0.0, (db - shut) / (wide - shut)))
