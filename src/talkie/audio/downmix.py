"""Any layout of up to eight channels to one: weights by where a loudspeaker stands.

Weights follow ITU-R BS.775 (centre and surround 3 dB down against the front pair, taken to stereo and then summed to
one channel; the effects channel is left out) and are scaled to a sum of 1, so that nothing can clip. Channels without
a place (a microphone array, eight tracks) count the same. Mono and stereo are the plain mean.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from talkie.types import Samples

_HALF = 0.5**0.5
_WEIGHTS = {
    "FL": 1.0, "FR": 1.0, "FC": 2 * _HALF, "LFE": 0.0, "FLC": 1.0, "FRC": 1.0, "DL": 1.0, "DR": 1.0,
    "BL": _HALF, "BR": _HALF, "SL": _HALF, "SR": _HALF, "BC": 2 * _HALF * _HALF, "WL": _HALF, "WR": _HALF,
}  # fmt: skip
WAVE_ORDER = ("FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR")
"""Channel names by bit of a WAVE_FORMAT_EXTENSIBLE mask."""
DEFAULT_LAYOUTS: dict[int, tuple[str, ...]] = {
    1: ("FC",),
    2: ("FL", "FR"),
    3: ("FL", "FR", "FC"),
    4: ("FL", "FR", "BL", "BR"),
    5: ("FL", "FR", "FC", "BL", "BR"),
    6: ("FL", "FR", "FC", "LFE", "BL", "BR"),
    7: ("FL", "FR", "FC", "LFE", "BC", "SL", "SR"),
    8: ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}
"""The order that WAV and FLAC give channels where the file names no layout."""


def layout_weights(names: Sequence[str]) -> NDArray[np.float32]:
    """A weight for each channel, shape `(channels,)`, sum 1; all the same where a name is not known."""
    weights = np.array([_WEIGHTS.get(name, -1.0) for name in names], np.float32)
    if len(names) <= 2 or weights.min() < 0 or weights.sum() <= 0:
        weights = np.ones(len(names), np.float32)
    return np.asarray(weights / weights.sum(), np.float32)


def to_mono(samples: NDArray[np.float32], weights: NDArray[np.float32]) -> Samples:
    """`(n, channels)` and `(channels,)` to `(n,)`."""
    if samples.shape[1] == 1:
        return samples[:, 0]
    with np.errstate(all="ignore"):  # what is no number is cleaned away later
        return np.asarray(samples @ weights, np.float32)
