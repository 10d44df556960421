"""A picture of the face: the painted layers, moved as a pose says, with a mouth. Knows nothing of time."""

from __future__ import annotations

import math
from dataclasses import fields
from functools import lru_cache

import numpy as np
from PIL import Image

from talkie.types import Picture
from talkie.video.drawn.eyes import BROWS_BOX, EYES_BOX, NOSE_BOX
from talkie.video.drawn.head import HEAD_BOX, PIVOT
from talkie.video.drawn.idle import Pose
from talkie.video.drawn.layers import FACE_BOX, FINER, Layers
from talkie.video.drawn.mouth import MOUTH_BOX, MouthShape

_ROOM_X, _ROOM_Y = 13.0, 7.0  # units that the head may move out of its place, tilt and all
_STEPS = {"width": 2.0, "opening": 40.0}
_FIELDS = tuple((field.name, _STEPS.get(field.name, 12.0)) for field in fields(MouthShape))


class _Stage:
    """What is before and behind the head at each height of a breath; the same for all painters of a size."""

    def __init__(self, layers: Layers) -> None:
        self.head_place, self.face_place = _place(layers, HEAD_BOX), _place(layers, FACE_BOX)
        left, top, right, bottom = self.head_place
        self.behind = Image.fromarray(layers.wall[top:bottom, left:right])
        row = layers.shoulders_top
        self.lap = max(0, row - top)  # where in the region the shoulders begin, before the head
        self.fronts = [image.crop((left, 0, right, bottom - row)) for image in layers.shoulders]
        self.stills = []
        for shoulders in layers.shoulders:
            still = Image.fromarray(layers.wall[row:])
            still.paste(shoulders, (0, 0), shoulders)
            self.stills.append(np.asarray(still))


@lru_cache(3)
def _stage_of(layers: Layers) -> _Stage:
    return _Stage(layers)


def _place(layers: Layers, box: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    """The pixels of the picture that a sheet can come to."""
    left, top = layers.pixel(box[0] - _ROOM_X, box[1] - _ROOM_Y)
    right, bottom = layers.pixel(box[2] + _ROOM_X, box[3] + _ROOM_Y)
    return (
        max(0, math.floor(left)),
        max(0, math.floor(top)),
        min(layers.width, math.ceil(right)),
        min(layers.height, math.ceil(bottom)),
    )


class Painter:
    """For one line: not for several threads at once."""

    def __init__(self, layers: Layers) -> None:
        self._layers, self._stage = layers, _stage_of(layers)
        finer = layers.scale * FINER
        size = round((FACE_BOX[2] - FACE_BOX[0]) * finer), round((FACE_BOX[3] - FACE_BOX[1]) * finer)
        self._face = Image.new("RGBa", size)
        self._put(layers.nose, NOSE_BOX)
        self._last: tuple[Pose, MouthShape, Picture] | None = None
        self._shown: list[Image.Image | None] = [None, None, None]

    def paint(self, pose: Pose, mouth: MouthShape) -> Picture:
        """Nobody writes into it; where nothing has moved, it is the last one again."""
        wanted = pose, _rounded(mouth)
        if self._last is None or self._last[:2] != wanted:
            self._last = (*wanted, self._paint(*wanted))
        return self._last[2]

    def _paint(self, pose: Pose, mouth: MouthShape) -> Picture:
        layers, stage = self._layers, self._stage
        breath = round(max(0.0, min(1.0, pose.breath)) * (len(stage.fronts) - 1))
        self._set_face(pose, mouth)
        region = stage.behind.copy()
        left, top, right, bottom = stage.head_place
        self._move(region, layers.head, HEAD_BOX, stage.head_place, pose, (0.0, 0.0))
        self._move(region, self._face, FACE_BOX, stage.face_place, pose, (pose.turn, pose.nod))
        region.paste(stage.fronts[breath], (0, stage.lap), stage.fronts[breath])
        picture = np.empty((layers.height, layers.width, 3), np.uint8)
        picture[: layers.shoulders_top] = layers.wall[: layers.shoulders_top]
        picture[layers.shoulders_top :] = stage.stills[breath]
        picture[top:bottom, left:right] = np.asarray(region)
        return picture

    def _set_face(self, pose: Pose, mouth: MouthShape) -> None:
        """Put the sprites that have changed into their places."""
        layers = self._layers
        shut = round(pose.shut * 12) / 12
        sprites = (
            (layers.mouth(mouth), MOUTH_BOX),
            (layers.eyes(shut, _halves(pose.look_x), _halves(pose.look_y), round(pose.cheeks * 4) / 4), EYES_BOX),
            (layers.brows(round(pose.brow_tilt * 6) / 6, _halves(pose.brow_lift)), BROWS_BOX),
        )
        for at, (sprite, box) in enumerate(sprites):
            if self._shown[at] is not sprite:
                self._put(sprite, box)
                self._shown[at] = sprite

    def _put(self, sprite: Image.Image, box: tuple[float, float, float, float]) -> None:
        finer = self._layers.scale * FINER
        self._face.paste(sprite, (round((box[0] - FACE_BOX[0]) * finer), round((box[1] - FACE_BOX[1]) * finer)))

    def _move(
        self,
        region: Image.Image,
        sheet: Image.Image,
        box: tuple[float, float, float, float],
        place: tuple[int, int, int, int],
        pose: Pose,
        over: tuple[float, float],
    ) -> None:
        """Paint a sheet onto the region as the pose says; `over` moves it over the head (units)."""
        layers, origin = self._layers, self._stage.head_place
        turn = math.radians(pose.tilt)
        cos, sin, finer = math.cos(turn), math.sin(turn), FINER
        # From a pixel of the picture back to one of the sheet: the head's move undone, then its tilt, then the rest.
        pivot_x, pivot_y = layers.pixel(PIVOT[0] + pose.x, PIVOT[1] + pose.y)
        x, y = place[0] - pivot_x, place[1] - pivot_y
        to_x = (PIVOT[0] - box[0] - over[0]) * layers.scale
        to_y = (PIVOT[1] - box[1] - over[1]) * layers.scale
        data = (
            finer * cos, finer * sin, finer * (cos * x + sin * y + to_x),
            -finer * sin, finer * cos, finer * (cos * y - sin * x + to_y),
        )  # fmt: skip
        size = place[2] - place[0], place[3] - place[1]
        moved = sheet.transform(size, Image.Transform.AFFINE, data, Image.Resampling.BILINEAR).convert("RGBA")
        region.paste(moved, (place[0] - origin[0], place[1] - origin[1]), moved)


def _halves(value: float) -> float:
    return round(value * 2) / 2


def _rounded(mouth: MouthShape) -> MouthShape:
    """The nearest of a grid of mouths, so that they can be painted once."""
    return MouthShape(*(round(getattr(mouth, name) * steps) / steps for name, steps in _FIELDS))
