"""The life of a face: blinks, glances, breath and a head that is never quite still.

All of it follows from a mood and a seed, picture by picture. Knows nothing of painting, nor of what is said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talkie.video.drawn.moods import Mood

_DOUBLE = 0.12  # of the blinks are followed by another at once
_GLANCE_S = 0.09
_WAVES_HZ = np.array([0.11, 0.23, 0.41])
_WEIGHTS = np.array([0.55, 0.32, 0.13])


@dataclass(frozen=True, slots=True)
class Pose:
    """Where everything but the mouth is. Lengths in units, `tilt` in degrees, `shut`, `cheeks` and `breath` 0..1.

    `x` and `y` move the head, `turn` and `nod` its face over it, `look_x` and `look_y` the eyes.
    """

    x: float = 0.0
    y: float = 0.0
    tilt: float = 0.0
    turn: float = 0.0
    nod: float = 0.0
    shut: float = 0.0
    look_x: float = 0.0
    look_y: float = 0.0
    brow_tilt: float = 0.0
    brow_lift: float = 0.0
    cheeks: float = 0.0
    breath: float = 0.0


class Idle:
    """One life. `next` is asked once a picture; `stress` 0..1 is how loudly it speaks just now."""

    def __init__(self, mood: Mood, fps: float, seed: int = 0) -> None:
        self._mood, self._fps = mood, fps
        self._chance = np.random.default_rng(abs(seed))
        self._phases = self._chance.uniform(0, 2 * np.pi, (5, 3))
        self._index = 0
        self._blink_s = self._next_blink(0.0)
        self._glance_s, self._from, self._to = 0.0, np.zeros(2), np.zeros(2)
        self._until_s = 1.5

    def next(self, stress: float = 0.0) -> Pose:
        mood, now_s = self._mood, self._index / self._fps
        self._index += 1
        x, y, tilt, turn, nod = (mood.sway * self._wave(row, now_s) for row in range(5))
        look = self._look(now_s) * mood.roam
        lively = stress if mood.sway else 0.0
        return Pose(
            x=3.2 * x,
            y=1.6 * y + 0.9 * lively,
            tilt=1.9 * tilt + 0.35 * mood.lean,
            turn=4.2 * turn,
            nod=2.0 * nod + 1.8 * lively,
            shut=max(self._lid(now_s), mood.lids),
            # The eyes hold on to the viewer while the head turns.
            look_x=float(look[0]) - 1.3 * turn,
            look_y=float(look[1]) - 0.7 * nod,
            brow_tilt=mood.brow_tilt,
            brow_lift=mood.brow_lift + 2.6 * lively,
            cheeks=mood.cheeks,
            breath=mood.breath * (0.5 - 0.5 * float(np.cos(2 * np.pi * mood.breaths_hz * now_s))) / 1.6,
        )

    def _wave(self, row: int, now_s: float) -> float:
        """A slow and never repeating motion, -1..1."""
        turns = 2 * np.pi * _WAVES_HZ * self._mood.pace * now_s + self._phases[row]
        return float(np.sum(_WEIGHTS * np.sin(turns)))

    def _lid(self, now_s: float) -> float:
        """It falls in a third of a blink and rises more slowly."""
        if not self._mood.blink_every_s:
            return 0.0
        since = (now_s - self._blink_s) / self._mood.blink_s
        if since >= 1:
            double = self._chance.random() < _DOUBLE
            self._blink_s = now_s + 0.08 if double else self._next_blink(now_s)
        if not 0 <= since < 1:
            return 0.0
        if since < 0.3:
            return since / 0.3
        return 1.0 if since < 0.45 else float(0.5 + 0.5 * np.cos(np.pi * (since - 0.45) / 0.55))

    def _next_blink(self, now_s: float) -> float:
        """The pauses between blinks are skewed: many short ones and some long."""
        return now_s + float(np.clip(self._chance.gamma(3.0, self._mood.blink_every_s / 3 or 1.0), 0.9, 12.0))

    def _look(self, now_s: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """A glance aside now and then, and back to the viewer."""
        if now_s >= self._until_s:
            self._from, away = self._to, bool(np.any(self._to))
            self._to = np.zeros(2) if away else self._chance.uniform((-4.0, -1.8), (4.0, 1.8))
            self._glance_s = now_s
            self._until_s = now_s + float(self._chance.uniform(*((1.6, 4.5) if away else (0.5, 1.6))))
        share = min(1.0, (now_s - self._glance_s) / _GLANCE_S)
        return self._from + (self._to - self._from) * share
