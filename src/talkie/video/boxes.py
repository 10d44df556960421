"""Where a face is in a frame: a square, which may reach over the border. Knows nothing of pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple


class FaceBox(NamedTuple):
    """Pixels of the frame; `left` and `top` may be negative."""

    left: int
    top: int
    side: int


class Part(NamedTuple):
    """Rows and columns of a box, the last ones outside."""

    top: int
    bottom: int
    left: int
    right: int

    def within(self, box: FaceBox, width: int, height: int) -> Part | None:
        """What of it lies in a frame of that size; None where nothing does."""
        top, bottom = max(self.top, -box.top), min(self.bottom, height - box.top)
        left, right = max(self.left, -box.left), min(self.right, width - box.left)
        return Part(top, bottom, left, right) if top < bottom and left < right else None

    def of_box(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def of_frame(self, box: FaceBox) -> tuple[slice, slice]:
        top, bottom = self.top + box.top, self.bottom + box.top
        return slice(top, bottom), slice(self.left + box.left, self.right + box.left)


def scaled(box: FaceBox, across: float, down: float) -> FaceBox:
    """The box in the frame made so many times as wide and as high. It stays a square round the same middle."""
    side = max(1, round(box.side * (across * down) ** 0.5))
    middle_x, middle_y = (box.left + box.side / 2) * across, (box.top + box.side / 2) * down
    return FaceBox(round(middle_x - side / 2), round(middle_y - side / 2), side)


def box_of(boxes: Sequence[FaceBox], index: int) -> FaceBox:
    """One box is for all frames; the last of several is for frames that have none."""
    return boxes[min(index, len(boxes) - 1)]


def ring_and_core(side: int, rim: int) -> tuple[Part, tuple[Part, ...]]:
    """A box as its core and the four strips around it, each `rim` pixels wide."""
    rim = min(rim, side // 2)
    core = Part(rim, side - rim, rim, side - rim)
    return core, tuple(_strips(side, rim)) if rim else ()


def _strips(side: int, rim: int) -> Iterator[Part]:
    yield Part(0, rim, 0, side)
    yield Part(side - rim, side, 0, side)
    yield Part(rim, side - rim, 0, rim)
    yield Part(rim, side - rim, side - rim, side)
