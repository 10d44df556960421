"""Smooth curves through a few points: what every part of the drawing is made of. Knows nothing of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Points: TypeAlias = NDArray[np.float64]
"""Shape `(n, 2)`: x to the right and y down, in units."""

_STEPS = 10


def blob(points: Sequence[tuple[float, float]]) -> Points:
    """A closed curve through the points (Catmull-Rom)."""
    knots = np.asarray(points, float)
    return _through(np.vstack([knots[-1:], knots, knots[:2]]))


def bow(points: Sequence[tuple[float, float]]) -> Points:
    """An open curve through the points, from the first to the last."""
    knots = np.asarray(points, float)
    first, last = 2 * knots[0] - knots[1], 2 * knots[-1] - knots[-2]
    return np.vstack([_through(np.vstack([first, knots, last])), knots[-1:]])


def oval(x: float, y: float, across: float, down: float) -> Points:
    """`across` and `down` are half of its width and height."""
    turn = np.linspace(0, 2 * np.pi, 40 if across < 60 else 160, endpoint=False)
    return np.column_stack([x + across * np.cos(turn), y + down * np.sin(turn)])


def ribbon(line: Points, widths: Sequence[float] | NDArray[np.float64]) -> Points:
    """The outline of a stroke along a line whose width changes evenly through `widths`, ends pointed or blunt."""
    along = np.gradient(line, axis=0)
    normal = np.column_stack([-along[:, 1], along[:, 0]])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    half = np.interp(np.linspace(0, 1, len(line)), np.linspace(0, 1, len(widths)), widths)[:, None] / 2
    return np.vstack([line + normal * half, (line - normal * half)[::-1]])


def moved(points: Points, x: float, y: float) -> Points:
    there: Points = points + np.array([x, y])
    return there


def mirrored(points: Points, x: float) -> Points:
    """The other side of a face whose middle is at `x`."""
    return np.column_stack([2 * x - points[:, 0], points[:, 1]])[::-1]


def _through(knots: Points) -> Points:
    """The curve from the second of the knots to the last but one, which itself is left out."""
    before, start, end, after = (knots[at : len(knots) - 3 + at, None] for at in range(4))
    t = np.linspace(0, 1, _STEPS, endpoint=False)[None, :, None]
    curve = (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    ) / 2
    points: Points = curve.reshape(-1, 2)
    return points
