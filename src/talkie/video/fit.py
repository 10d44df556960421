"""A square picture made larger or smaller, bicubic, by FFmpeg's scaler: four times as fast as Pillow.

For what is resized in every frame; what is resized once and kept is Pillow's (`crop.py`). Each colour is scaled as a
picture of greys: coloured ones FFmpeg takes through luma and chroma, and colours leak into each other. Knows nothing of
faces.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from talkie.types import Picture
from talkie.video.crop import resized

LEAST_SIDE = 32
"""Smaller ones are no work, and FFmpeg's filters want some pixels."""
_GREY = "gray"


def fitted(picture: Picture, side: int) -> Picture:
    """The picture itself where it has that side already. Safe for threads: each has scalers of its own."""
    if picture.shape[0] == side or min(side, picture.shape[0]) < LEAST_SIDE:
        return resized(picture, side, side)
    made = np.empty((side, side, 3), np.uint8)
    for channel, scaler in enumerate(_own()):
        made[..., channel] = _scaled(scaler, np.ascontiguousarray(picture[..., channel]), side)
    return made


def _scaled(scaler: Any, greys: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    import av

    frame: Any = av.VideoFrame.from_numpy_buffer(greys, _GREY)
    plane = scaler.reformat(frame, width=side, height=side, format=_GREY, interpolation="BICUBIC").planes[0]
    rows: NDArray[np.uint8] = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return rows[:side, :side]


_local = threading.local()


def _own() -> list[Any]:
    """Of this thread. A scaler keeps its filters from one picture to the next of the same sizes."""
    if not hasattr(_local, "scalers"):
        from av.video.reformatter import VideoReformatter

        _local.scalers = [VideoReformatter() for _ in range(3)]
    scalers: list[Any] = _local.scalers
    return scalers
