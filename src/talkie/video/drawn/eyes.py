"""The eyes, the brows and the nose. `shut` 0..1 lowers the lid; `x` and `y` (units) say where they look.

Knows nothing of when somebody blinks: `idle.py` does.
"""

from __future__ import annotations

import numpy as np

from talkie.video.drawn.curves import Points, blob, bow, mirrored, moved, oval, ribbon
from talkie.video.drawn.sheet import Sheet, mixed

MIDDLE_X = 256.0
EYES_BOX = (176.0, 210.0, 336.0, 258.0)
BROWS_BOX = (176.0, 174.0, 336.0, 210.0)
NOSE_BOX = (236.0, 258.0, 276.0, 287.0)
_EYE_X, _EYE_Y = 42.0, 236.0  # of each eye, from the middle
_WHITE, _LASH, _LID, _CREASE = "#fdfbf7", "#2b1a22", "#e3a684", "#b97a5c"
_IRIS, _IRIS_LOW, _PUPIL, _BROW = "#2f6f73", "#5fb3a4", "#16202a", "#4a2d3b"
_UPPER = [(-22.0, 4.0), (-16.0, -8.0), (-3.5, -16.0), (11.5, -13.5), (22.5, -1.0)]
_LOWER = [(-22.0, 4.0), (-13.0, 11.0), (1.0, 13.8), (13.5, 10.0), (22.5, -1.0)]


def paint_eyes(sheet: Sheet, shut: float, x: float, y: float, smile: float = 0.0) -> None:
    """Both eyes; `smile` 0..1 raises the lower lids."""
    for left in (True, False):
        _paint_eye(sheet, left, shut, x, y, smile)


def _paint_eye(sheet: Sheet, left: bool, shut: float, x: float, y: float, smile: float) -> None:
    def put(points: Points) -> Points:
        here = points * (-1 if left else 1, 1) + (MIDDLE_X + (-_EYE_X if left else _EYE_X), _EYE_Y)
        return here[::-1] if left else here

    open_lid, low = bow(_UPPER), bow(_LOWER)
    low = low - np.column_stack([np.zeros(len(low)), 3.0 * smile * np.sin(np.linspace(0, np.pi, len(low)))])
    meet = low - (0, 1.0)
    lid = open_lid + (meet - open_lid) * min(shut, 1.0)
    look = np.array([x * (-1 if left else 1), y])
    if shut < 0.93:
        _ball(sheet, put, np.vstack([lid, low[::-1]]), look, lid)
    if shut > 0.02:
        sheet.fill(put(np.vstack([moved(open_lid, 0, -0.4), lid[::-1]])), mixed(_LID, "#f3c3a0", 0.35), _LID)
    crease = moved(open_lid[6:-4], 0.6, -4.6 + 2.2 * shut)
    sheet.fill(put(ribbon(crease, [0.2, 1.5, 0.4])), _CREASE, opacity=0.6)
    sheet.fill(put(ribbon(low[8:-3], [0.2, 0.9, 1.3])), _CREASE, opacity=0.7 * (1 - shut))
    # The lashes are thicker to the outside and end in a small wing.
    wing = np.vstack([lid, moved(lid[-1:], 3.2, -2.4 + 2.6 * shut)])
    sheet.fill(put(ribbon(wing, [0.8, 2.2, 3.2, 3.6, 3.6, 0.6])), _LASH)


def _ball(sheet: Sheet, put: object, white: Points, look: Points, lid: Points) -> None:
    assert callable(put)
    shape = put(white)
    sheet.fill(shape, _WHITE)
    x, y = look[0] + 0.5, look[1] - 1.0
    sheet.fill(put(oval(x, y, 13.2, 13.6)), mixed(_IRIS, _PUPIL, 0.45), within=shape)
    sheet.fill(put(oval(x, y, 12.0, 12.3)), _IRIS, _IRIS_LOW, within=shape)
    sheet.fill(put(oval(x, y, 6.3, 6.5)), _PUPIL, within=shape)
    shadow = np.vstack([moved(lid, 0, -4), moved(lid, 0, 3.2)[::-1]])
    sheet.fill(put(shadow), "#5a3a4a", opacity=0.34, blur=1.2, within=shape)
    for dx, dy, size in ((-4.2, -5.2, 3.7), (4.2, 5.0, 1.7)):
        side = -1 if put(np.array([[1.0, 0.0]]))[0, 0] < put(np.array([[0.0, 0.0]]))[0, 0] else 1
        sheet.fill(put(oval(x + dx * side, y + dy, size, size)), "#ffffff", opacity=0.95, within=shape)


def paint_brows(sheet: Sheet, tilt: float = 0.0, lift: float = 0.0) -> None:
    """`tilt` -1..1 lowers or raises their inner ends; `lift` (units) raises all of them."""
    line = bow([(19.0, 196.5 - 3.0 * tilt), (31.0, 192.0 - 1.0 * tilt), (46.0, 189.6), (67.0, 197.5 + 0.8 * tilt)])
    right = ribbon(moved(line, MIDDLE_X, -lift), [2.0, 5.2, 5.6, 5.2, 4.0, 0.8])
    for brow in (right, mirrored(right, MIDDLE_X)):
        sheet.fill(brow, _BROW, opacity=0.92)


def paint_nose(sheet: Sheet) -> None:
    """A light on its back and a shadow below; it moves with the eyes, a little more than the head."""
    sheet.fill(
        blob([(248, 279), (256, 282.5), (264, 279), (261, 284), (256, 285.5), (251, 284)]), "#b56d50", opacity=0.7
    )
    sheet.fill(oval(256, 268, 4.0, 9.0), "#fff0e0", opacity=0.5, blur=2.6)
    for x in (-7.5, 7.5):
        sheet.fill(oval(MIDDLE_X + x, 279.5, 2.3, 1.3), "#9a5644", opacity=0.75, blur=0.7)
