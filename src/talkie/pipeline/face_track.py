"""What a mouth does at each picture: by the marks of the shapes that are said, and by the sound where there are none.

A mouth is on its way to the next shape before it is heard, and lips that close are shut in time. Knows nothing of
pictures: shapes are letters of the Rhubarb set with weights.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from talkie.pipeline.face_levels import HOP_S, SILENT_DB, Levels
from talkie.types import SAMPLE_RATE_HZ, Mark, Samples

LOOKAHEAD_S = 0.1
_BEFORE_S, _AFTER_S = 0.05, 0.08  # how much of what was and what comes is in a shape
_STEP_S = 0.01
_CLOSING_S, _OPENING_S = 0.05, 0.06
_STRONG = {"A": 1.5, "G": 1.7, "F": 1.3}  # shapes that would be missed most
_SHUT = "X"
_LOUD_BEFORE_S, _LOUD_AFTER_S = 0.04, 0.05
_KEPT_S = 0.5
_MOST_MARKS = 100_000


@dataclass(frozen=True, slots=True)
class Moment:
    """`weights` of letters, their sum is 1; `lips` 0..1 is how nearly they are closed for p, b or m; `loud` 0..1.
    `by_sound`: no shape was known, and the weights follow the sound."""

    weights: tuple[tuple[str, float], ...] = ((_SHUT, 1.0),)
    lips: float = 0.0
    loud: float = 0.0
    by_sound: bool = False


AT_REST = Moment()


class MouthTrack:
    """One utterance. Moments must be asked for in the order of time."""

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._levels = Levels()
        self._fed = 0
        self._marks: list[Mark] = []
        self._starts: list[float] = []

    @property
    def seconds(self) -> float:
        return self._fed / SAMPLE_RATE_HZ

    def feed(self, samples: Samples, marks: Sequence[Mark] = ()) -> None:
        self._fed += len(samples)
        self._levels.feed(samples)
        for mark in marks:
            if mark.kind == "viseme" and mark.end_s > mark.start_s:
                self._marks.append(mark)
                self._starts.append(mark.start_s)
        if len(self._marks) > _MOST_MARKS:  # marks of days to come: nobody gives them but by mistake
            del self._marks[_MOST_MARKS:], self._starts[_MOST_MARKS:]

    def finish(self) -> None:
        self._levels.finish()

    def moment(self, index: int) -> Moment:
        """That of a picture."""
        middle_s = (index + 0.5) / self._fps
        self._forget(middle_s - _KEPT_S)
        loud = self._loud(middle_s)
        if self._silent(middle_s):
            return Moment(loud=loud)
        weights: dict[str, float] = {}
        total = 0.0
        for step in range(round((_BEFORE_S + _AFTER_S) / _STEP_S) + 1):
            offset_s = step * _STEP_S - _BEFORE_S
            near = 1 - abs(offset_s - 0.015) / 0.08
            if near > 0:
                total += self._sound(middle_s + offset_s, near, weights)
        shares = tuple((letter, weight / total) for letter, weight in weights.items())
        return Moment(shares, self._lips(middle_s), loud, by_sound=self._mark(middle_s) is None)

    def _sound(self, at_s: float, near: float, weights: dict[str, float]) -> float:
        """Add the shape of one moment to the weights; how much was added."""
        mark = self._mark(at_s)
        if mark is not None:
            near *= _STRONG.get(mark.text, 1.0)
            parts = {mark.text: near}
        else:
            parts = {letter: near * share for letter, share in self._heard(at_s).items()}
        for letter, weight in parts.items():
            weights[letter] = weights.get(letter, 0.0) + weight
        return near

    def _mark(self, at_s: float) -> Mark | None:
        place = bisect_right(self._starts, at_s) - 1
        return self._marks[place] if place >= 0 and at_s < self._marks[place].end_s else None

    def _heard(self, at_s: float) -> dict[str, float]:
        """A mouth that follows the sound: wide open where it is loud, round where dark, narrow where it hisses."""
        level = self._levels.at(at_s)
        wide = level.loud**0.8
        hiss = wide * level.hiss
        voice = wide - hiss
        dark, bright = max(0.0, 1 - 2.5 * level.bright), max(0.0, 2 * level.bright - 1)
        return {_SHUT: 1 - wide, "B": hiss, "E": voice * dark, "C": voice * bright, "D": voice * (1 - dark - bright)}

    def _loud(self, middle_s: float) -> float:
        steps = range(-round(_LOUD_BEFORE_S / HOP_S), round(_LOUD_AFTER_S / HOP_S) + 1)
        return sum(self._levels.at(middle_s + step * HOP_S).loud for step in steps) / len(steps)

    def _silent(self, middle_s: float) -> bool:
        steps = range(-4, 8)
        return all(self._levels.at(middle_s + step * HOP_S).db < SILENT_DB for step in steps)

    def _lips(self, middle_s: float) -> float:
        """Shut at the picture that is nearest to a closure at least."""
        slack_s = max(0.0, 0.5 / self._fps - 0.02)
        lips = 0.0
        first = max(0, bisect_right(self._starts, middle_s) - 2)
        for mark in self._marks[first : first + 4]:
            if mark.text != "A":
                continue
            if middle_s < mark.start_s:
                lips = max(lips, 1 - (mark.start_s - middle_s - slack_s) / _CLOSING_S)
            else:
                lips = max(lips, 1 - (middle_s - mark.end_s - slack_s) / _OPENING_S)
        return min(1.0, lips)

    def _forget(self, until_s: float) -> None:
        gone = 0
        while gone < len(self._marks) and self._marks[gone].end_s < until_s:
            gone += 1
        del self._marks[:gone], self._starts[:gone]
        self._levels.forget(until_s)
