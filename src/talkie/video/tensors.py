"""Pictures to the numbers of a face network, and back. Knows nothing of engines.

A network sees the inner face crop twice, the second time with a black rectangle over the face: the first tells it who,
the second where it has to paint. Whoever calls often gives the buffers, and nothing is allocated then.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from talkie.types import Picture

HIDDEN_FIRST, HIDDEN_SHORT_X, HIDDEN_SHORT_Y = 5, 5, 10
"""The rectangle: x 5..314, y 5..309 of 320, which is all but so many rows and columns at the edges."""

_WHITE = np.float32(255)


def write_visual(crop: Picture, out: NDArray[np.float32]) -> None:
    """An inner crop `(S, S, 3)` into one place of a batch, `(6, S, S)` float32 in 0..1."""
    size = crop.shape[0]
    seen, hidden = out[:3], out[3:]
    np.copyto(seen, crop.transpose(2, 0, 1))
    np.divide(seen, _WHITE, out=seen)
    hidden[:] = seen
    hidden[:, HIDDEN_FIRST : size - HIDDEN_SHORT_Y, HIDDEN_FIRST : size - HIDDEN_SHORT_X] = 0


def mouth_picture(
    mouth: NDArray[np.float32], out: Picture | None = None, scratch: NDArray[np.float32] | None = None
) -> Picture:
    """What a network gives, `(3, S, S)` in 0..1, as a picture `(S, S, 3)`; to the nearest level.

    `scratch`, `(S, S)`, is overwritten. What is no number becomes black.
    """
    out = np.empty((*mouth.shape[1:], 3), np.uint8) if out is None else out
    levels = np.empty(mouth.shape[1:], np.float32) if scratch is None else scratch
    for channel in range(3):
        np.multiply(mouth[channel], _WHITE, out=levels)
        np.rint(levels, out=levels)
        np.fmax(levels, np.float32(0), out=levels)
        np.fmin(levels, _WHITE, out=levels)
        np.copyto(out[..., channel], levels, casting="unsafe")
    return out
