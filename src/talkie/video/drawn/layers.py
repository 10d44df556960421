"""What is painted once for a size and then only moved: wall, shoulders, head; and sprites of eyes, brows and mouths.

Sheets that move have twice the pixels of the picture, so that they stay sharp at any fraction of a pixel. Shared by
all faces of a size, and safe for threads: nothing of it is written to once it was made.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image

from talkie.types import Picture
from talkie.video.drawn.body import BODY_BOX, paint_background, paint_body
from talkie.video.drawn.eyes import BROWS_BOX, EYES_BOX, NOSE_BOX, paint_brows, paint_eyes, paint_nose
from talkie.video.drawn.head import HEAD_BOX, paint_head
from talkie.video.drawn.mouth import MOUTH_BOX, MouthShape, paint_mouth
from talkie.video.drawn.sheet import Sheet

UNITS = 512.0
FINER = 2.0
FACE_BOX = (176.0, 174.0, 336.0, 358.0)
"""Brows, eyes, nose and mouth: what moves over the head."""
BREATH_UNITS = 2.4
_BREATHS = 10
_SPRITE_BYTES = 12 << 20
_SIZES = 3


class Layers:
    """For pictures of `width` by `height`: the drawing stands on the lower edge, in the middle."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.scale = min(width, height) / UNITS
        self.left, self.top = (width - UNITS * self.scale) / 2, height - UNITS * self.scale
        self.head = self._sheet(HEAD_BOX, paint_head)
        self.nose = self._sheet(NOSE_BOX, paint_nose)
        self.wall = self._wall()
        self.shoulders_top, self.shoulders = self._breathing()
        # A mouth and a pair of eyes are small; at any size they stay within a bound.
        room = max(8, min(256, int(_SPRITE_BYTES / (7100 * 4 * (FINER * self.scale) ** 2))))
        self.mouth = lru_cache(room)(self._mouth)
        self.eyes = lru_cache(room)(self._eyes)
        self.brows = lru_cache(room)(self._brows)

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """Units to pixels of the picture."""
        return self.left + x * self.scale, self.top + y * self.scale

    def _sheet(self, box: tuple[float, float, float, float], paint: Callable[[Sheet], None]) -> Image.Image:
        """Premultiplied, as everything must be that is moved by fractions of a pixel."""
        sheet = Sheet(box, self.scale * FINER, fine=2)
        paint(sheet)
        return sheet.image.convert("RGBa")

    def _wall(self) -> Picture:
        left, top = -self.left / self.scale, -self.top / self.scale
        sheet = Sheet((left, top, left + self.width / self.scale, top + self.height / self.scale), self.scale)
        paint_background(sheet)
        return np.asarray(sheet.image.convert("RGB").resize((self.width, self.height)))

    def _breathing(self) -> tuple[int, tuple[Image.Image, ...]]:
        """The shoulders at each height of a breath, as wide as the picture, and the row where they begin."""
        body = self._sheet(BODY_BOX, paint_body)
        row = max(0, int(self.pixel(0, BODY_BOX[1] - BREATH_UNITS)[1]))
        size = self.width, self.height - row
        steps = max(2, min(_BREATHS, round(BREATH_UNITS * self.scale * 4)))
        moved = []
        for step in range(steps):
            lift = BREATH_UNITS * step / (steps - 1)
            left, top = self.pixel(BODY_BOX[0], BODY_BOX[1] - lift)
            place = (FINER, 0.0, -left * FINER, 0.0, FINER, (row - top) * FINER)
            moved.append(body.transform(size, Image.Transform.AFFINE, place, Image.Resampling.BILINEAR).convert("RGBA"))
        return row, tuple(moved)

    def _mouth(self, mouth: MouthShape) -> Image.Image:
        return self._sheet(MOUTH_BOX, lambda sheet: paint_mouth(sheet, mouth))

    def _eyes(self, shut: float, x: float, y: float, cheeks: float) -> Image.Image:
        return self._sheet(EYES_BOX, lambda sheet: paint_eyes(sheet, shut, x, y, cheeks))

    def _brows(self, tilt: float, lift: float) -> Image.Image:
        return self._sheet(BROWS_BOX, lambda sheet: paint_brows(sheet, tilt, lift))


@lru_cache(_SIZES)
def layers_of(width: int, height: int) -> Layers:
    """The same for all who show this size; the last few sizes are kept."""
    return Layers(width, height)
