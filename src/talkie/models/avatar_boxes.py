"""Where the face is in the frames of an avatar pack: one box for all, or one each. Knows nothing of pictures.

A line of a boxes file is `left top right bottom` in pixels, right and bottom outside the box, with spaces or commas
between; or the file is JSON, a list of such lists. That is what landmark tools of this family write.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

from talkie.models.avatar_findings import Findings
from talkie.models.files import is_plain_file

MAX_BOXES_BYTES = 1024 * 1024
MIN_BOX_PX = 16
_LIMIT_PX = 100_000
_SEPARATOR = re.compile(r"[\s,;]+")


class Box(NamedTuple):
    """A square; it may lie over the border of the frame, not outside of it."""

    left: int
    top: int
    side: int


def read_boxes(value: object, path: Path | None, findings: Findings) -> tuple[Box, ...]:
    """Of the key `box`, else of a file."""
    if value is not None:
        return _boxes([value], "box", findings)
    if path is None or not is_plain_file(path):
        hint = "box = [left, top, right, bottom] in avatar.toml, or a file boxes.txt with a line a frame."
        findings.error("boxes", "it is not said where the face is.", hint)
        return ()
    where = path.name
    try:
        if path.stat().st_size > MAX_BOXES_BYTES:
            findings.error(where, f"it is larger than {MAX_BOXES_BYTES} bytes.")
            return ()
        return _boxes(_rows(path.read_text("utf-8")), where, findings)
    except (ValueError, RecursionError):
        findings.error(where, "it is neither lines of `left top right bottom` nor JSON of such lists.")
    except OSError as error:
        findings.error(where, f"it cannot be read: {error.strerror}.")
    return ()


def _rows(text: str) -> list[object]:
    if text.lstrip().startswith("["):
        rows = json.loads(text)
        return rows if isinstance(rows, list) else []
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [[float(cell) for cell in _SEPARATOR.split(line)] for line in lines if line]


def _boxes(rows: list[object], where: str, findings: Findings) -> tuple[Box, ...]:
    boxes = []
    for number, row in enumerate(rows, start=1):
        corners = _corners(row)
        here = where if where == "box" else f"{where}:{number}"
        if corners is None:
            findings.error(here, "a box is four whole numbers: left, top, right, bottom.")
            continue
        left, top, right, bottom = corners
        if right - left != bottom - top:
            findings.error(
                here,
                f"the box is {right - left} px wide and {bottom - top} px high, and must be square.",
                f"Like {left} {top} {right} {top + right - left}, if it is the width that is right.",
            )
        elif right - left < MIN_BOX_PX:
            findings.error(here, f"the box is smaller than {MIN_BOX_PX} px.", "Right and bottom come third and fourth.")
        else:
            boxes.append(Box(left, top, right - left))
    if not rows:
        findings.error(where, "there is no box in it.")
    return tuple(boxes)


def _corners(row: object) -> list[int] | None:
    if not isinstance(row, list) or len(row) != 4:
        return None
    whole = [int(cell) for cell in row if isinstance(cell, (int, float)) and _is_whole(cell)]
    return whole if len(whole) == 4 else None


def _is_whole(cell: float) -> bool:
    return not isinstance(cell, bool) and abs(cell) <= _LIMIT_PX and cell == int(cell)


def check_boxes(boxes: tuple[Box, ...], frames: int, width: int, height: int, findings: Findings) -> None:
    """Against the frames: their number (0: not known) and their size."""
    if frames and len(boxes) not in (0, 1, frames):
        findings.error("boxes", f"there are {len(boxes)} boxes for {frames} frames; there must be one, or one each.")
    for number, box in enumerate(boxes, start=1):
        inside_x = min(width, box.left + box.side) - max(0, box.left)
        inside_y = min(height, box.top + box.side) - max(0, box.top)
        if inside_x <= 0 or inside_y <= 0:
            findings.error("boxes", f"box {number} lies outside the frame of {width}x{height} px.")
        elif inside_x * inside_y * 2 < box.side**2:
            findings.error("boxes", f"more than half of box {number} lies outside the frame of {width}x{height} px.")
        elif inside_x * inside_y < box.side**2:
            findings.warn("boxes", f"box {number} reaches over the border of the frame of {width}x{height} px.")
