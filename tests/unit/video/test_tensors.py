from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from talkie.types import Picture
from talkie.video.tensors import mouth_picture, write_visual

SIZE = 320


@pytest.fixture(scope="module")
def crop() -> Picture:
    return np.random.default_rng(3).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)


def test_a_crop_is_seen_twice_and_the_second_time_with_its_face_hidden(crop: Picture) -> None:
    out = np.full((6, SIZE, SIZE), np.nan, np.float32)
    write_visual(crop, out)
    plain = crop.transpose(2, 0, 1) / 255
    hidden = plain.copy()
    hidden[:, 5:310, 5:315] = 0  # x 5..314, y 5..309
    np.testing.assert_allclose(out, np.concatenate([plain, hidden]), atol=1e-7)


def test_a_crop_that_is_a_view_and_a_place_in_a_batch_will_do(crop: Picture) -> None:
    wide = np.zeros((SIZE + 8, SIZE + 8, 3), np.uint8)
    wide[4:-4, 4:-4] = crop
    batch, alone = np.zeros((3, 6, SIZE, SIZE), np.float32), np.zeros((6, SIZE, SIZE), np.float32)
    write_visual(wide[4:-4, 4:-4], batch[1])
    write_visual(crop, alone)
    assert np.array_equal(batch[1], alone)
    assert not batch[0].any() and not batch[2].any()


def test_what_goes_in_comes_out_again(crop: Picture) -> None:
    out = np.zeros((6, SIZE, SIZE), np.float32)
    write_visual(crop, out)
    assert np.array_equal(mouth_picture(out[:3]), crop)


def test_levels_are_rounded_to_the_nearest_and_cut_to_the_range() -> None:
    levels = np.zeros((3, 2, 2), np.float32)
    levels[:, 0, 0] = 1.5, -0.2, np.nan
    levels[:, 0, 1] = 0.4 / 255, 0.6 / 255, 254.6 / 255
    levels[0, 1] = np.inf
    given = levels.copy()
    picture = mouth_picture(levels)
    assert picture[0, 0].tolist() == [255, 0, 0]
    assert picture[0, 1].tolist() == [0, 1, 255]
    assert picture[1, :, 0].tolist() == [255, 255]
    assert np.array_equal(levels, given, equal_nan=True)


def test_buffers_that_are_given_are_used_and_nothing_else_is_made(crop: Picture) -> None:
    visual, scratch = np.zeros((6, SIZE, SIZE), np.float32), np.zeros((SIZE, SIZE), np.float32)
    out = np.zeros_like(crop)
    tracemalloc.start()
    try:
        write_visual(crop, visual)
        assert mouth_picture(visual[:3], out, scratch) is out
        made = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert made < 10_000, "a picture has 300,000 bytes"
    assert np.array_equal(out, crop)
