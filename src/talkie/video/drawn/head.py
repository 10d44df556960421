"""What of the head does not change: hair, neck and skin with their shading. Painted once for a size."""

from __future__ import annotations

import numpy as np

from talkie.video.drawn.curves import Points, blob, bow, moved, oval, ribbon
from talkie.video.drawn.eyes import MIDDLE_X
from talkie.video.drawn.sheet import Sheet

HEAD_BOX = (118.0, 46.0, 394.0, 436.0)
PIVOT = (256.0, 392.0)
"""About which the head tilts."""
_SKIN, _SKIN_LOW, _SHADE, _BLUSH = "#f7cfb0", "#edb592", "#c9835f", "#ee8f7c"
_HAIR, _HAIR_LOW, _HAIR_DEEP, _GLEAM = "#5a3648", "#3c2333", "#2c1826", "#a5697f"

_FACE = [
    (256, 96), (302, 104), (334, 140), (345, 190), (344, 240), (337, 284), (319, 323), (291, 348), (256, 357),
    (221, 348), (193, 323), (175, 284), (168, 240), (167, 190), (178, 140), (210, 104),
]  # fmt: skip
_BACK = [
    (256, 55), (312, 65), (358, 104), (380, 164), (386, 236), (390, 296), (384, 344), (362, 374), (334, 380),
    (310, 366), (256, 360), (202, 366), (178, 380), (150, 374), (128, 344), (122, 296), (126, 236), (132, 164),
    (154, 104), (200, 66),
]  # fmt: skip
_FRINGE = [
    (254, 51), (314, 61), (362, 103), (383, 168), (389, 240), (391, 296), (381, 342), (356, 366), (345, 358),
    (352, 326), (350, 286), (346, 246), (343, 208), (332, 178), (300, 156), (256, 137), (229, 118), (214, 148),
    (190, 178), (171, 204), (165, 246), (161, 286), (159, 322), (166, 354), (154, 364), (130, 340), (121, 296),
    (124, 236), (130, 164), (152, 103), (198, 63),
]  # fmt: skip


def paint_head(sheet: Sheet) -> None:
    """From the back to the front."""
    sheet.fill(blob(_BACK), _HAIR_LOW, _HAIR_DEEP)
    _neck(sheet)
    _skin(sheet)
    _hair(sheet)


def _neck(sheet: Sheet) -> None:
    neck = blob([(222, 330), (290, 330), (291, 380), (300, 430), (256, 462), (212, 430), (221, 380)])
    sheet.fill(neck, _SKIN_LOW, "#e5a985")
    under = blob([(214, 336), (256, 352), (298, 336), (294, 372), (256, 392), (218, 372)])
    sheet.fill(under, _SHADE, opacity=0.6, blur=5.0, within=neck)


def _skin(sheet: Sheet) -> None:
    face = blob(_FACE)
    sheet.fill(face, _SKIN, _SKIN_LOW)
    sheet.fill(_rim(face, 0.88), _SHADE, opacity=0.28, blur=9.0, within=face)
    sheet.fill(oval(256, 180, 62, 40), "#ffe6cf", opacity=0.4, blur=20, within=face)
    for x in (-59, 59):
        sheet.fill(oval(MIDDLE_X + x, 281, 19, 12), _BLUSH, opacity=0.4, blur=8.0, within=face)
        sheet.fill(oval(MIDDLE_X + 0.7 * x, 222, 26, 14), _SHADE, opacity=0.16, blur=6.0, within=face)
    sheet.fill(oval(256, 345, 20, 7), "#ffdcc2", opacity=0.35, blur=4.0, within=face)
    sheet.fill(blob([(250, 226), (247, 256), (243, 274), (250, 282), (255, 262)]), _SHADE, opacity=0.16, blur=3.0)


def _hair(sheet: Sheet) -> None:
    fringe, face = blob(_FRINGE), blob(_FACE)
    sheet.fill(moved(fringe, 0, 7), "#9c5a48", opacity=0.42, blur=5.0, within=face)
    sheet.fill(fringe, _HAIR, _HAIR_LOW)
    strands: list[tuple[list[tuple[float, float]], float, str, float]] = [
        ([(234, 72), (192, 96), (160, 140), (146, 200)], 8.0, _GLEAM, 0.34),
        ([(250, 74), (302, 88), (342, 126), (362, 190)], 10.0, _GLEAM, 0.38),
        ([(240, 84), (290, 112), (330, 140), (352, 186), (362, 250)], 3.5, _HAIR_DEEP, 0.5),
        ([(231, 86), (206, 118), (176, 156), (154, 206), (148, 268)], 3.5, _HAIR_DEEP, 0.45),
        ([(262, 66), (326, 88), (366, 144), (378, 226), (378, 300)], 3.0, _HAIR_DEEP, 0.4),
        ([(222, 68), (172, 100), (144, 160), (136, 240), (134, 300)], 3.0, _HAIR_DEEP, 0.35),
        ([(372, 226), (377, 280), (370, 330)], 6.0, _GLEAM, 0.3),
        ([(140, 226), (135, 280), (142, 330)], 6.0, _GLEAM, 0.26),
    ]
    for line, width, colour, opacity in strands:
        stroke = ribbon(bow(line), [0.4, width, width * 0.7, 0.4])
        sheet.fill(stroke, colour, opacity=opacity, blur=width * 0.3, within=fringe)


def _rim(shape: Points, share: float) -> Points:
    """The band between a shape and itself made smaller, as one outline with a seam."""
    middle = shape.mean(0)
    inner = (shape - middle) * share + middle
    return np.vstack([shape, shape[:1], inner[:1], inner[::-1]])
