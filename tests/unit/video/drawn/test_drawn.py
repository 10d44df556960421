"""The drawing itself: mouths that can be told apart, motion that is bounded, and a picture of any size."""

import itertools

import numpy as np
import pytest

from talkie.video.drawn.curves import blob
from talkie.video.drawn.head import _BACK, HEAD_BOX, PIVOT
from talkie.video.drawn.idle import Idle, Pose
from talkie.video.drawn.layers import Layers, layers_of
from talkie.video.drawn.moods import MOODS
from talkie.video.drawn.mouth import MouthShape
from talkie.video.drawn.painter import _ROOM_X, _ROOM_Y, Painter
from talkie.video.drawn.shapes import LETTERS, REST, between, blended


@pytest.fixture(scope="module")
def layers() -> Layers:
    return layers_of(192, 192)


@pytest.fixture
def painter(layers: Layers) -> Painter:
    return Painter(layers)


def test_each_mouth_looks_like_no_other(painter: Painter) -> None:
    mouths = {letter: painter.paint(Pose(), shape)[108:135, 77:115].astype(int) for letter, shape in LETTERS.items()}
    for (one, first), (other, second) in itertools.combinations(mouths.items(), 2):
        assert np.abs(first - second).max(2).mean() > 3, (one, other)


def test_a_mouth_moves_nothing_but_itself(painter: Painter) -> None:
    rest, wide = painter.paint(Pose(), REST), painter.paint(Pose(), LETTERS["D"])
    rows, columns = np.nonzero((rest != wide).any(2))
    assert rows.min() > 105
    assert rows.max() < 136
    assert columns.min() > 75
    assert columns.max() < 118


def test_colours_are_blue_green_red(painter: Painter) -> None:
    picture = painter.paint(Pose(), REST)
    blue, _, red = picture[55, 96]  # the forehead
    assert red > blue + 40


def test_lids_fall_and_eyes_turn(painter: Painter) -> None:
    def white(pose: Pose) -> int:
        return int((painter.paint(pose, REST)[80:97, 66:126].min(2) > 225).sum())

    open_eyes = white(Pose())
    assert white(Pose(shut=1.0)) == 0
    assert 0 < white(Pose(shut=0.5)) < open_eyes
    left, right = painter.paint(Pose(look_x=-4), REST), painter.paint(Pose(look_x=4), REST)
    assert np.abs(left.astype(int) - right)[80:97, 66:126].mean() > 2


@pytest.mark.parametrize(("width", "height"), [(64, 64), (256, 144), (101, 203)])
def test_it_stands_in_the_middle_of_the_lower_edge(width: int, height: int) -> None:
    picture = Painter(Layers(width, height)).paint(Pose(), REST)
    assert picture.shape == (height, width, 3)
    assert picture.dtype == np.uint8
    side = min(width, height)
    blue, _, red = picture[height - side + round(side * 0.34), width // 2]
    assert red > blue + 30, "skin"
    assert picture[0, 0, 0] >= picture[0, 0, 2], "the wall is bluish"


@pytest.mark.parametrize("mood", MOODS)
def test_no_motion_leads_out_of_the_place_that_is_painted(mood: str) -> None:
    idle = Idle(MOODS[mood], 25, 3)
    outline = blob(_BACK) - PIVOT
    box = np.array(HEAD_BOX) + np.array([-_ROOM_X, -_ROOM_Y, _ROOM_X, _ROOM_Y])
    for index in range(6000):
        pose = idle.next(1.0 if index % 50 < 25 else 0.0)
        if index % 6 == 0:
            turn = np.radians(pose.tilt)
            x = outline[:, 0] * np.cos(turn) - outline[:, 1] * np.sin(turn) + PIVOT[0] + pose.x
            y = outline[:, 0] * np.sin(turn) + outline[:, 1] * np.cos(turn) + PIVOT[1] + pose.y
            assert x.min() > box[0]
            assert x.max() < box[2]
            assert y.min() > box[1]
            assert y.max() < box[3]
        assert 0 <= pose.shut <= 1
        assert abs(pose.look_x) < 9


def test_a_seed_gives_a_life_and_another_another() -> None:
    def life(seed: int) -> list[Pose]:
        idle = Idle(MOODS["calm"], 25, seed)
        return [idle.next() for _ in range(500)]

    assert life(4) == life(4)
    assert life(4) != life(5)


def test_moods_blink_and_move_as_they_say() -> None:
    def life(mood: str) -> tuple[int, float, float]:
        idle = Idle(MOODS[mood], 25, 1)
        poses = [idle.next() for _ in range(25 * 160)]
        blinks = sum(before.shut < 0.9 <= after.shut for before, after in itertools.pairwise(poses))
        return blinks, float(np.std([pose.x for pose in poses])), min(pose.shut for pose in poses)

    lives = {mood: life(mood) for mood in MOODS}
    assert 20 <= lives["calm"][0] <= 60, "a person blinks some 15 times a minute"
    assert lives["attentive"][0] < lives["sleepy"][0]
    assert lives["attentive"][1] < lives["calm"][1] < lives["cheerful"][1]
    assert lives["sleepy"][2] > 0.3
    assert lives["still"][:2] == (0, 0.0)


def test_motion_is_smooth(painter: Painter) -> None:
    idle = Idle(MOODS["cheerful"], 25, 2)
    poses = [idle.next() for _ in range(1000)]
    for before, after in itertools.pairwise(poses):
        assert abs(after.x - before.x) < 0.5
        assert abs(after.tilt - before.tilt) < 0.3
        assert abs(after.turn - before.turn) < 0.6


def test_nothing_is_painted_again_where_nothing_moved(painter: Painter) -> None:
    first = painter.paint(Pose(), REST)
    assert painter.paint(Pose(), REST) is first
    assert painter.paint(Pose(x=1.0), REST) is not first
    assert np.array_equal(painter.paint(Pose(), REST), first)


def test_mouths_between_mouths() -> None:
    assert blended([]) == REST
    assert between(MouthShape(opening=0), MouthShape(opening=1), 0.25).opening == 0.25
    assert blended([(LETTERS["D"], 2.0), (LETTERS["X"], 0.0)]) == LETTERS["D"]
