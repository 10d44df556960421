"""Squares made larger and smaller: in place, in their colours, and as Pillow would have them, a little sharper."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from talkie.types import Picture
from talkie.video.crop import resized
from talkie.video.fit import fitted


def soft(side: int) -> Picture:
    """Waves of another length in each colour."""
    across = np.linspace(0, 1, side)
    waves = [128 + 100 * np.sin(k * across)[:, None] * np.cos(k * across)[None, :] for k in (5, 9, 13)]
    return np.stack(waves, axis=2).astype(np.uint8)


@pytest.mark.parametrize("side", [33, 150, 287, 288, 329, 500])
def test_it_is_near_to_what_pillow_makes(side: int) -> None:
    picture = soft(328)
    made, wanted = fitted(picture, side), resized(picture, side, side)
    assert made.shape == (side, side, 3)
    assert made.dtype == np.uint8
    assert np.abs(made.astype(int) - wanted).max() <= 3


def test_nothing_is_shifted() -> None:
    """The middle of a spot stays where it was, in each colour, and no other colour gets any of it."""
    picture = np.zeros((328, 328, 3), np.uint8)
    for channel in range(3):
        picture[100 + 40 * channel : 120 + 40 * channel, 60:80, channel] = 255
    made = fitted(picture, 164).astype(float)
    for channel in range(3):
        rows, columns = (made[..., channel].sum(axis) for axis in (1, 0))
        middle = [float((np.arange(164) * sums).sum() / sums.sum()) for sums in (rows, columns)]
        assert middle == pytest.approx([(109.5 + 40 * channel) / 2 - 0.25, 69.5 / 2 - 0.25], abs=0.05)


def test_one_of_that_size_is_taken_as_it_is() -> None:
    picture = soft(64)
    assert fitted(picture, 64) is picture


def test_threads_do_not_disturb_each_other() -> None:
    picture = soft(200)
    sides = [60, 90, 120, 250] * 8
    alone = {side: fitted(picture, side) for side in set(sides)}
    with ThreadPoolExecutor(4) as pool:
        for side, made in zip(sides, pool.map(lambda side: fitted(picture, side), sides), strict=True):
            np.testing.assert_array_equal(made, alone[side])
