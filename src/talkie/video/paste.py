"""A mouth put back into the frame it was cut from. Knows nothing of networks.

The mouth goes into the middle of its outer crop, that is resized to the box (bicubic) and laid over a copy of the
frame, through a mask that is soft at the rim. The frame is touched once: one copy, one box.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from talkie.types import Picture
from talkie.video.boxes import FaceBox, ring_and_core
from talkie.video.crop import inner
from talkie.video.fit import fitted


def paste(frame: Picture, box: FaceBox, outer: Picture, mouth: Picture, feather: float = 0.0) -> Picture:
    """A new picture. `feather` is the width of the soft rim in parts of the box's side, 0 for none.

    What of the box is outside the frame is left out. A box of the size of `outer` and no rim changes no pixel beside
    those of the mouth.
    """
    height, width = frame.shape[:2]
    patch = outer.copy()
    inner(patch)[:] = mouth
    patch = fitted(patch, box.side)
    result = frame.copy()
    core, strips = ring_and_core(box.side, round(feather * box.side))
    if part := core.within(box, width, height):
        result[part.of_frame(box)] = patch[part.of_box()]
    mask = _mask(box.side, round(feather * box.side)) if strips else None
    for strip in strips:
        part = strip.within(box, width, height)
        if part is not None and mask is not None:
            _blend(result[part.of_frame(box)], patch[part.of_box()], mask[part.of_box()])
    return result


def mixed(first: Picture, second: Picture, share: float) -> Picture:
    """So much of `second` over `first`: 0 is the first, 1 the second; the very pictures at the ends."""
    if share <= 0 or share >= 1:
        return first if share <= 0 else second
    both = np.subtract(second, first, dtype=np.float32)
    both *= np.float32(share)
    both += first
    return np.rint(both, out=both).astype(np.uint8)


def _blend(under: Picture, over: Picture, mask: NDArray[np.float32]) -> None:
    """In place."""
    both = np.subtract(over, under, dtype=np.float32)
    both *= mask
    both += under
    np.copyto(under, np.rint(both, out=both), casting="unsafe")


@lru_cache(maxsize=16)
def _mask(side: int, rim: int) -> NDArray[np.float32]:
    """`(side, side, 1)`: 1 from `rim` pixels inside the edge on, and smoothly to nothing just outside of it."""
    from_edge = np.minimum(np.arange(side), np.arange(side)[::-1]) + 0.5
    ramp = np.clip(from_edge / rim, 0, 1)
    smooth = (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)
    return np.minimum(smooth[:, None], smooth[None, :])[..., None]
