"""A face cut out and put back: what changes, what does not, and what lies over the border."""

from __future__ import annotations

import numpy as np
import pytest

from talkie.types import Picture
from talkie.video.boxes import FaceBox, box_of, scaled
from talkie.video.cache import PictureCache
from talkie.video.crop import Crops, face_of, inner, outer_crop
from talkie.video.paste import mixed, paste

SIZE = 320
WIDTH, HEIGHT = 560, 520


@pytest.fixture(scope="module")
def smooth() -> Picture:
    """A frame as soft as a face is: no detail that a smaller picture could not hold."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    waves = [120 + 100 * np.sin(x / (21 + 5 * n) + n) * np.cos(y / (27 + 4 * n) - n) for n in range(3)]
    return np.stack(waves, axis=-1).round().astype(np.uint8)


@pytest.fixture(scope="module")
def rough() -> Picture:
    return np.random.default_rng(8).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def test_a_box_of_the_networks_own_size_is_taken_and_put_back_as_it_is(rough: Picture) -> None:
    box = FaceBox(71, 33, SIZE + 8)
    outer = outer_crop(rough, box, SIZE)
    assert np.array_equal(inner(outer), rough[37:357, 75:395])
    assert np.array_equal(paste(rough, box, outer, inner(outer)), rough)
    mouth = np.random.default_rng(9).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    expected = rough.copy()
    expected[37:357, 75:395] = mouth
    assert np.array_equal(paste(rough, box, outer, mouth), expected)


@pytest.mark.parametrize("side", [200, 327, 329, 470])
@pytest.mark.parametrize("feather", [0.0, 0.06])
def test_an_unchanged_face_changes_a_frame_by_two_levels_at_most(smooth: Picture, side: int, feather: float) -> None:
    box = FaceBox(40, 25, side)
    outer = outer_crop(smooth, box, SIZE)
    back = paste(smooth, box, outer, inner(outer), feather)
    away = np.abs(back.astype(int) - smooth)
    assert away.max() <= 2
    assert 10 * np.log10(255**2 / np.mean(away[25 : 25 + side, 40 : 40 + side] ** 2.0)) > 50
    outside = np.ones((HEIGHT, WIDTH), bool)
    outside[25 : 25 + side, 40 : 40 + side] = False
    assert not away[outside].any()


@pytest.mark.parametrize("box", [FaceBox(-30, -20, 300), FaceBox(350, 300, 328), FaceBox(0, 0, 500)])
@pytest.mark.parametrize("feather", [0.0, 0.05])
def test_a_box_may_lie_over_the_border(smooth: Picture, box: FaceBox, feather: float) -> None:
    outer = outer_crop(smooth, box, SIZE)
    assert outer.shape == (SIZE + 8, SIZE + 8, 3)
    away = np.abs(paste(smooth, box, outer, inner(outer), feather).astype(int) - smooth)
    assert away.max() <= 3  # what goes on beyond the border is flat, and bends the last pixels before it
    black = paste(smooth, box, outer, np.zeros((SIZE, SIZE, 3), np.uint8), feather)
    assert black.shape == smooth.shape
    top, left = max(box.top, 0), max(box.left, 0)
    middle = black[top + 40 : min(box.top + box.side, HEIGHT) - 40, left + 40 : min(box.left + box.side, WIDTH) - 40]
    assert not middle.any()


def test_beyond_the_border_the_border_goes_on(rough: Picture) -> None:
    face = face_of(rough, FaceBox(-2, -3, 10))
    assert np.array_equal(face[3:, 2:], rough[:7, :8])
    assert np.array_equal(face[0], face[3]) and np.array_equal(face[:, 0], face[:, 2])


def test_the_rim_is_soft_and_the_middle_is_all_mouth(smooth: Picture) -> None:
    frame = np.full((400, 400, 3), 200, np.uint8)
    box = FaceBox(30, 40, SIZE + 8)
    outer = np.zeros((SIZE + 8, SIZE + 8, 3), np.uint8)
    rim = round(0.1 * box.side)
    row = paste(frame, box, outer, inner(outer), 0.1)[200, :, 0].astype(int)
    assert (row[:30] == 200).all() and (row[30 + rim : 200] == 0).all()
    edge = row[29 : 30 + rim + 1]
    assert (np.diff(edge) <= 0).all() and np.abs(np.diff(edge)).max() < 15
    assert np.array_equal(row[30 : 30 + box.side], row[30 : 30 + box.side][::-1])


def test_the_frame_that_was_given_is_left_alone(smooth: Picture) -> None:
    before = smooth.copy()
    box = FaceBox(10, 10, 300)
    outer = outer_crop(smooth, box, SIZE)
    kept = outer.copy()
    paste(smooth, box, outer, np.zeros((SIZE, SIZE, 3), np.uint8), 0.1)
    assert np.array_equal(smooth, before) and np.array_equal(outer, kept)


def test_mouths_are_mixed() -> None:
    first, second = np.full((4, 4, 3), 100, np.uint8), np.full((4, 4, 3), 201, np.uint8)
    assert mixed(first, second, 0.0) is first and mixed(first, second, 1.0) is second
    assert (mixed(first, second, 0.25) == 125).all()
    assert (mixed(second, first, 0.25) == 176).all()


def test_a_frame_is_cropped_once_while_there_is_room(smooth: Picture) -> None:
    asked: list[int] = []

    def frame(index: int) -> Picture:
        asked.append(index)
        return smooth

    one = 72 * 72 * 3
    crops = Crops(frame, [FaceBox(0, 0, 100), FaceBox(9, 9, 90)], 64, 2 * one)
    first = crops.outer(0)
    assert crops.outer(0) is first and asked == [0]
    assert not first.flags.writeable
    crops.outer(1)
    crops.outer(2)
    crops.outer(2)
    assert asked == [0, 1, 2]
    assert np.array_equal(crops.outer(0), first) and asked == [0, 1, 2, 0]


def test_a_cache_forgets_what_was_used_longest_ago() -> None:
    cache = PictureCache(2 * 48)
    pictures = {name: np.zeros((4, 4, 3), np.uint8) for name in "abc"}
    cache.put("a", pictures["a"])
    cache.put("b", pictures["b"])
    assert cache.get("a") is pictures["a"]
    cache.put("c", pictures["c"])
    assert cache.get("b") is None and cache.get("a") is pictures["a"]
    assert cache.held_bytes == 96 and len(cache) == 2
    cache.put("large", np.zeros((40, 40, 3), np.uint8))
    assert len(cache) == 1 and cache.get("large") is not None


def test_boxes_follow_the_size_of_the_frame() -> None:
    assert scaled(FaceBox(100, 50, 200), 0.5, 0.5) == FaceBox(50, 25, 100)
    assert scaled(FaceBox(100, 50, 200), 1, 1) == FaceBox(100, 50, 200)
    stretched = scaled(FaceBox(100, 100, 100), 2, 0.5)
    assert stretched.side == 100 and stretched.left + 50 == 300 and stretched.top + 50 == 75
    boxes = [FaceBox(0, 0, 1), FaceBox(1, 1, 1)]
    assert [box_of(boxes, index).left for index in (0, 1, 2)] == [0, 1, 1]
