"""The mouth: a few numbers, and the lips, teeth and tongue that they mean.

Knows nothing of letters or time: `shapes.py` gives the numbers for each viseme.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from talkie.video.drawn.curves import Points, moved, oval
from talkie.video.drawn.sheet import Sheet, mixed

MOUTH_X, MOUTH_Y = 256.0, 306.0
MOUTH_BOX = (206.0, 287.0, 306.0, 358.0)
_LIP, _LIP_LOW, _LINE = "#c4635f", "#d67b74", "#8c3a40"
_HOLLOW, _DEEP, _TONGUE, _TEETH = "#6e2233", "#45121f", "#d9696e", "#fffdf8"
_GAP = 33.0  # between the lips of a mouth that is wide open
_STEPS = 41


@dataclass(frozen=True, slots=True)
class MouthShape:
    """`opening` 0..1; `width` is half of it in units; `rounding`, `upper` and `lower` teeth, `tongue` (raised), `tuck`
    (lower lip under the teeth) and `press` (lips pressed together) 0..1; `smile` -1..1 lifts the corners."""

    opening: float = 0.0
    width: float = 27.0
    rounding: float = 0.0
    upper: float = 0.0
    lower: float = 0.0
    tongue: float = 0.0
    tuck: float = 0.0
    press: float = 0.0
    smile: float = 0.0

    def values(self) -> tuple[float, ...]:
        return astuple(self)


class _Lips:
    """The four lines of a mouth, left to right: outer and inner edge of both lips."""

    def __init__(self, mouth: MouthShape) -> None:
        self.half = max(mouth.width, 6.0)
        across = np.linspace(-1, 1, _STEPS)
        gap = mouth.opening * _GAP
        # A round mouth is an ellipse; a wide one is flatter in the middle and pointed at its corners.
        shape = np.maximum(1 - np.abs(across) ** (2.5 - 0.5 * mouth.rounding), 0) ** (0.85 - 0.33 * mouth.rounding)
        lift = -5.0 * mouth.smile * across**2 + 1.2 * mouth.smile
        x = MOUTH_X + across * self.half
        bow = 1.1 * (1 - mouth.rounding) * np.exp(-((across / 0.2) ** 2))
        top = MOUTH_Y + lift - gap * 0.36 * shape + 0.6 * bow
        foot = MOUTH_Y + lift + gap * 0.64 * shape + 0.6 * bow
        self.inner_top, self.inner_foot = np.column_stack([x, top]), np.column_stack([x, np.maximum(foot, top)])
        self._outer(mouth, across, lift)

    def _outer(self, mouth: MouthShape, across: Points, lift: Points) -> None:
        thin = (1 - 0.45 * mouth.press) * (1 - 0.18 * mouth.opening * (1 - mouth.rounding))
        body = np.maximum(1 - across**2, 0)
        cupid = 1 - 0.3 * np.exp(-((across / 0.17) ** 2)) * (1 - 0.6 * mouth.rounding)
        above = (5.4 + 2.0 * mouth.rounding) * thin * body**0.75 * cupid + 0.5
        below = (7.6 + 1.6 * mouth.rounding) * thin * (1 - 0.5 * mouth.tuck) * body**0.62 + 0.5
        x = MOUTH_X + across * (self.half + 1.4 + 1.5 * mouth.rounding)
        self.outer_top = np.column_stack([x, self.inner_top[:, 1] - above])
        self.outer_foot = np.column_stack([x, self.inner_foot[:, 1] + below])

    @property
    def hole(self) -> Points:
        return np.vstack([self.inner_top, self.inner_foot[::-1]])


def paint_mouth(sheet: Sheet, mouth: MouthShape) -> None:
    """Lips first, what is between them over them, then the light on the lower lip."""
    lips = _Lips(mouth)
    middle = np.vstack([lips.inner_top, lips.inner_foot[::-1]])
    _shade(sheet, mouth, lips)
    sheet.fill(np.vstack([lips.outer_top, lips.outer_foot[::-1]]), _LIP)
    sheet.fill(np.vstack([lips.inner_top, lips.outer_foot[::-1]]), _LIP_LOW, mixed(_LIP_LOW, _LIP, 0.6))
    if mouth.opening * _GAP > 0.8:
        _inside(sheet, mouth, lips, middle)
    _closing_line(sheet, mouth, lips)
    gleam = lips.outer_foot[_STEPS // 2, 1] * 0.62 + lips.inner_foot[_STEPS // 2, 1] * 0.38
    if mouth.press < 0.5 and mouth.tuck < 0.5:
        sheet.fill(oval(MOUTH_X - 2, gleam, lips.half * 0.34, 1.5), "#ffffff", opacity=0.26, blur=0.7)


def _shade(sheet: Sheet, mouth: MouthShape, lips: _Lips) -> None:
    """The shadow under the lower lip, and the dimples of a smile."""
    foot = lips.outer_foot[_STEPS // 2, 1]
    sheet.fill(oval(MOUTH_X, foot + 4.0, lips.half * 0.55, 2.6), "#c07a5c", opacity=0.38, blur=1.8)
    strength = 0.35 * max(mouth.smile, 0.0) * (1 - 0.7 * mouth.rounding)
    for x, y in (lips.outer_top[0], lips.outer_top[-1]):
        sheet.fill(oval(x + (2 if x > MOUTH_X else -2), y, 2.0, 3.4), "#b56c50", opacity=strength + 0.1, blur=1.1)


def _inside(sheet: Sheet, mouth: MouthShape, lips: _Lips, hole: Points) -> None:
    gap = mouth.opening * _GAP
    top, foot = lips.inner_top[_STEPS // 2, 1], lips.inner_foot[_STEPS // 2, 1]
    sheet.fill(hole, _DEEP, _HOLLOW)
    rise = foot - 0.30 * gap - mouth.tongue * 0.42 * gap
    sheet.fill(oval(MOUTH_X, rise + 0.42 * gap, lips.half * 0.66, 0.46 * gap + 1), _TONGUE, within=hole)
    if gap > 8:
        middle = oval(MOUTH_X, rise + 0.42 * gap, lips.half * 0.1, 0.36 * gap)
        sheet.fill(middle, "#a8414c", opacity=0.3, blur=1.4, within=hole)
    if mouth.lower > 0.05:
        edge = foot - mouth.lower * min(5.5, 0.5 * gap)
        sheet.fill(_teeth(lips.half * 0.74, edge, foot + 12, 2.5), mixed(_HOLLOW, _TEETH, 0.88), within=hole)
    if mouth.upper > 0.05:
        edge = top + mouth.upper * min(9.0, 0.62 * gap + 0.6)
        sheet.fill(_teeth(lips.half * 0.86, top - 14, edge, -2.2), _TEETH, within=hole)
    shadow = np.vstack([moved(lips.inner_top, 0, -3), moved(lips.inner_top, 0, 1.6)[::-1]])
    sheet.fill(shadow, _DEEP, opacity=0.45, blur=0.9, within=hole)


def _teeth(half: float, top: float, foot: float, curve: float) -> Points:
    """A row of teeth as one light band; its free edge is curved a little, as a jaw is."""
    across = np.linspace(-1, 1, 13)
    bend = curve * across**2 + np.sign(curve) * 4.0 * across**8
    above = np.column_stack([MOUTH_X + across * half, top + np.maximum(bend, 0)])
    below = np.column_stack([MOUTH_X + across * half, foot + np.minimum(bend, 0)])
    return np.vstack([above, below[::-1]])


def _closing_line(sheet: Sheet, mouth: MouthShape, lips: _Lips) -> None:
    """Where shut lips meet; it gives way as they part. The corners keep a dark point."""
    shut = max(0.0, 1 - mouth.opening * _GAP / 3)
    body = 1 - np.abs(np.linspace(-1, 1, _STEPS)) ** 4
    if shut:
        line = (lips.inner_top + lips.inner_foot) / 2
        thick = (0.3 + 0.6 * body)[:, None] * (0, 1)
        sheet.fill(np.vstack([line - thick, (line + thick)[::-1]]), _LINE, opacity=0.9 * shut)
    for x, y in (lips.inner_top[0], lips.inner_top[-1]):
        sheet.fill(oval(x, y, 1.5, 1.1), _LINE, opacity=0.75, blur=0.35)
