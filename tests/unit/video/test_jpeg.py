from __future__ import annotations

import io

import numpy as np
from PIL import Image

from talkie.video.jpeg import jpeg, png

COLOURED = np.zeros((32, 48, 3), np.uint8)
COLOURED[:, :24] = (200, 30, 10)  # blue, as B G R has it
COLOURED[:, 24:] = (10, 30, 200)


def opened(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def test_a_jpeg_has_the_pictures_colours() -> None:
    data = jpeg(COLOURED, quality=90)
    assert data.startswith(b"\xff\xd8") and data.endswith(b"\xff\xd9")
    back = opened(data)[..., ::-1].astype(int)
    assert back.shape == COLOURED.shape
    assert np.abs(back[:, 4:20] - COLOURED[:, 4:20]).max() < 8 and np.abs(back[:, 28:44] - COLOURED[:, 28:44]).max() < 8


def test_a_lower_quality_is_smaller() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    assert len(jpeg(noise, quality=20)) < len(jpeg(noise)) < len(jpeg(noise, quality=95))


def test_a_png_loses_nothing() -> None:
    assert np.array_equal(opened(png(COLOURED[::-1]))[..., ::-1], COLOURED[::-1])
