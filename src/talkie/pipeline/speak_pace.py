"""How much may be said in one breath and the listener never waits: for engines not much quicker than speech.

The listener is taken to hear without a stop from the first line on. A line that would be ready too late is cut at a
clause, which costs a little melody. Knows nothing of engines; a quick one is never asked to cut.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from talkie.text.lines import Line
from talkie.text.parts import Say
from talkie.text.sentences import CLAUSE_S

SPARE = 0.7
"""Of the time that is left until the listener has heard all, what may be used: lines do not all cost the same."""
UNNOTICED_S = 0.3
"""A line that takes no longer is never cut: so quick engines say the same whatever the machine does beside."""
SHORTEST_CHARACTERS = 24
_CLAUSE = re.compile(r"[,;:—–،؛](?=\s)|[、，；：]")  # noqa: RUF001


class Pace:
    """Told what each line cost and gave; cuts the next one where it must."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._heard_until: float | None = None  # on the clock: when the listener will have heard all
        self._second_a_character = 0.0

    def made(self, characters: int, sound_s: float, took_s: float) -> None:
        """A line was made just now. Its cost counts half, those before it the other half."""
        now = self._clock()
        self._heard_until = max(self._heard_until or now, now) + sound_s
        cost = took_s / max(1, characters)
        self._second_a_character = (self._second_a_character + cost) / 2 if self._second_a_character else cost

    def rested(self, ready_s: float) -> None:
        """The listener let us wait: that much is ready, whatever the clock says."""
        self._heard_until = max(self._heard_until or 0.0, self._clock() + ready_s)

    @property
    def characters(self) -> float:
        """As many can be made before the listener has heard all."""
        if self._heard_until is None or not self._second_a_character:
            return float("inf")
        left_s = SPARE * (self._heard_until - self._clock())
        return max(left_s, UNNOTICED_S) / self._second_a_character

    def parts(self, line: Line) -> Iterator[Line]:
        """The line, or its clauses; each is asked for when the one before it has been made."""
        rest: Line | None = line
        while rest is not None:
            part, rest = cut(rest, self.characters)
            yield part


def cut(line: Line, characters: float) -> tuple[Line, Line | None]:
    """Its clauses that have so many characters together, or the first one, and the rest; whole where nothing fits."""
    text = line.text
    if len(text) <= characters:
        return line, None
    ends = [
        found.end()
        for found in _CLAUSE.finditer(text, SHORTEST_CHARACTERS, max(0, len(text) - SHORTEST_CHARACTERS))
        if not _inside_whole(line, found.end())
    ]
    if not ends:
        return line, None
    end = max((end for end in ends if end <= characters), default=ends[0])
    after = len(text) - len(text[end:].lstrip())
    first = _slice(line, 0, end)
    rest = _slice(line, after, len(text))
    return Line(first, CLAUSE_S, clause=True), replace(line, says=rest)


def _inside_whole(line: Line, end: int) -> bool:
    return any(say.whole and say.start < line.start + end < say.start + len(say.text) for say in line.says)


def _slice(line: Line, start: int, end: int) -> tuple[Say, ...]:
    low, high = line.start + start, line.start + end
    return tuple(
        say if say.whole else say.cut(max(say.start, low), min(say.start + len(say.text), high))
        for say in line.says
        if say.start < high and say.start + len(say.text) > low
    )
