"""A transparent sheet to paint smooth-edged shapes on, in units; and the colours it is painted with.

Colours are written as everybody writes them, `#RRGGBB`, and are B G R from `ink` on: what leaves here is a `Picture`
without any turning round. Knows nothing of faces.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from talkie.video.drawn.curves import Points

Ink: TypeAlias = tuple[int, int, int]
_SLOW = 100  # rows from which on a gradient is slow enough to show bands
_FINE = 3  # edges are painted this many times finer than the sheet


@lru_cache(128)
def ink(colour: str) -> Ink:
    return int(colour[5:7], 16), int(colour[3:5], 16), int(colour[1:3], 16)


def mixed(first: str, second: str, share: float) -> str:
    """A colour between two; `share` 0 is the first."""
    parts = [
        round(int(first[at : at + 2], 16) * (1 - share) + int(second[at : at + 2], 16) * share) for at in (1, 3, 5)
    ]
    return "#" + "".join(f"{part:02x}" for part in parts)


class Sheet:
    """`box` is what of the drawing it shows: left, top, right, bottom in units; `scale` pixels are one unit."""

    def __init__(self, box: tuple[float, float, float, float], scale: float, fine: int = _FINE) -> None:
        self.box, self.scale, self._fine = box, scale, fine
        size = round((box[2] - box[0]) * scale), round((box[3] - box[1]) * scale)
        self.image = Image.new("RGBA", (max(1, size[0]), max(1, size[1])))

    def fill(
        self,
        shape: Points,
        colour: str,
        to: str = "",
        *,
        opacity: float = 1.0,
        blur: float = 0.0,
        within: Points | None = None,
    ) -> None:
        """Paint a shape; `to` is the colour at its foot, `blur` (units) softens its edge, `within` cuts it off."""
        place = self._place(shape, blur)
        if place is None:
            return
        mask = self.mask(shape, place, round(255 * opacity))
        if blur:
            mask = mask.filter(ImageFilter.GaussianBlur(blur * self.scale))
        if within is not None:
            mask = ImageChops.multiply(mask, self.mask(within, place))
        paint = self._gradient(place, shape, colour, to) if to else Image.new("RGB", mask.size, ink(colour))
        paint.putalpha(mask)
        self.image.alpha_composite(paint, place[:2])

    def mask(self, shape: Points, place: tuple[int, int, int, int], level: int = 255) -> Image.Image:
        """How much of each pixel of a part of the sheet lies within a shape, 0..`level`."""
        fine = self._fine
        size = (place[2] - place[0]) * fine, (place[3] - place[1]) * fine
        mask = Image.new("L", size)
        points = (self._pixels(shape) - place[:2]) * fine - 0.5
        ImageDraw.Draw(mask).polygon(points.ravel().tolist(), fill=level)
        return mask.reduce(fine)

    def _pixels(self, shape: Points) -> Points:
        pixels: Points = (shape - self.box[:2]) * self.scale
        return pixels

    def _place(self, shape: Points, blur: float) -> tuple[int, int, int, int] | None:
        """The part of the sheet that a shape touches."""
        pixels, room = self._pixels(shape), 3 * blur * self.scale + 1
        left, top = np.maximum(np.floor(pixels.min(0) - room), 0).astype(int)
        right, bottom = np.minimum(np.ceil(pixels.max(0) + room), self.image.size).astype(int)
        return (int(left), int(top), int(right), int(bottom)) if left < right and top < bottom else None

    def _gradient(self, place: tuple[int, int, int, int], shape: Points, top: str, foot: str) -> Image.Image:
        """From the top of the shape to its foot."""
        first, last = self._pixels(shape)[:, 1].min(), self._pixels(shape)[:, 1].max()
        share = np.clip((np.arange(place[1], place[3]) + 0.5 - first) / max(last - first, 1e-6), 0, 1)[:, None, None]
        rows = (1 - share) * ink(top) + share * ink(foot)
        width = place[2] - place[0]
        if len(rows) < _SLOW:
            column = Image.fromarray(np.rint(rows).astype(np.uint8), "RGB")
            return column.resize((width, len(rows)), Image.Resampling.NEAREST)
        # Dithered by a fixed pattern, so that wide and slow gradients show no bands.
        noise = np.random.default_rng(0).random((len(rows), width, 1)) - 0.5
        return Image.fromarray(np.clip(np.rint(rows + noise), 0, 255).astype(np.uint8), "RGB")
