"""What is behind the head and before its neck: the background, and shoulders in a knitted collar. Painted once."""

from __future__ import annotations

import numpy as np

from talkie.video.drawn.curves import Points, blob, bow, moved, oval, ribbon
from talkie.video.drawn.sheet import Sheet

BODY_BOX = (40.0, 372.0, 472.0, 524.0)
_KNIT, _KNIT_LOW, _KNIT_DEEP, _KNIT_LIGHT = "#2fa39a", "#1d7f80", "#125e66", "#7fd3c4"


def paint_background(sheet: Sheet) -> None:
    """A wall of one colour that darkens downwards, and a lighter disc behind the head."""
    left, top, right, bottom = sheet.box
    wall = np.array([(left - 4, top - 4), (right + 4, top - 4), (right + 4, bottom + 4), (left - 4, bottom + 4)])
    sheet.fill(wall, "#dfe6f7", "#c3cdea")
    sheet.fill(oval(256, 268, 214, 214), "#f7f0f4", "#eadcea")
    sheet.fill(oval(256, 440, 190, 60), "#8f8fbf", opacity=0.25, blur=26)


def paint_body(sheet: Sheet) -> None:
    trunk = blob([
        (210, 412), (256, 420), (302, 412), (340, 424), (392, 444), (428, 478), (446, 540), (256, 580), (66, 540),
        (84, 478), (120, 444), (172, 424),
    ])  # fmt: skip
    sheet.fill(trunk, _KNIT, _KNIT_LOW)
    for flip in (1, -1):
        fold = ribbon(bow([(256 + 128 * flip, 456), (256 + 120 * flip, 490), (256 + 126 * flip, 530)]), [0.5, 6, 4])
        sheet.fill(fold, _KNIT_DEEP, opacity=0.5, blur=2.5, within=trunk)
        top = ribbon(bow([(256 + 70 * flip, 428), (256 + 130 * flip, 447), (256 + 166 * flip, 480)]), [1, 8, 1])
        sheet.fill(top, _KNIT_LIGHT, opacity=0.35, blur=3.0, within=trunk)
    _collar(sheet, trunk)


def _collar(sheet: Sheet, trunk: Points) -> None:
    collar = blob([
        (213, 396), (234, 404), (256, 407), (278, 404), (299, 396), (308, 418), (306, 438), (282, 450), (256, 453),
        (230, 450), (206, 438), (204, 418),
    ])  # fmt: skip
    sheet.fill(moved(collar, 0, 6), _KNIT_DEEP, opacity=0.55, blur=4.5, within=trunk)
    sheet.fill(collar, "#38b0a5", "#238a89")
    for at in np.linspace(-0.92, 0.92, 15):
        rib = bow(
            [(256 + 45 * at, 404 - 9 * at**2), (256 + 50 * at, 426 - 6 * at**2), (256 + 48 * at, 451 - 12 * at**2)]
        )
        sheet.fill(ribbon(rib, [1.2, 1.8, 1.2]), _KNIT_DEEP, opacity=0.28, blur=0.5, within=collar)
