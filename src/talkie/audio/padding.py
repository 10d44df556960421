"""Padding around spans of speech, as they begin and end. Knows nothing of probabilities."""

from __future__ import annotations

from talkie.audio.gate import FRAME
from talkie.types import SAMPLE_RATE_HZ, Span


class Padder:
    """Room on both sides of each span: all of it where there is a long pause, half of the pause where it is short.

    Takes frames, gives seconds. A span that has ended waits until nothing that follows can reach into its room.
    """

    def __init__(self, pad: int) -> None:
        self._pad = pad
        self._floor = 0  # where the last span given out ended
        self._first: int | None = None  # where the span being heard begins
        self._ended: tuple[int, int] | None = None
        self._out: list[Span] = []

    def begin(self, frame: int) -> None:
        start = frame * FRAME
        if self._ended is not None:
            first, end = self._ended
            self._emit(first, min(end + self._pad, (end + start) // 2))
        self._first = max(self._floor, start - self._pad)

    def end(self, frame: int) -> None:
        if self._first is not None:
            self._ended, self._first = (self._first, frame * FRAME), None

    def cut(self, frame: int) -> None:
        if self._first is not None:
            self._emit(self._first, frame * FRAME)
            self._first = frame * FRAME

    def advance(self, frame: int) -> None:
        """No span will begin before `frame`."""
        if self._ended is not None and frame * FRAME >= self._ended[1] + 2 * self._pad:
            self._emit(self._ended[0], self._ended[1] + self._pad)

    @property
    def open_from(self) -> int | None:
        """Where the span begins that has begun for certain and was not given out, its room included."""
        return self._ended[0] if self._ended is not None else self._first

    def settled(self, frame: int) -> int:
        if self._ended is not None:
            return self._ended[0]
        return self._first if self._first is not None else max(self._floor, frame * FRAME - self._pad)

    def finish(self, total: int) -> list[Span]:
        if self._ended is not None:
            self._emit(self._ended[0], min(self._ended[1] + self._pad, total))
        return self.take()

    def take(self) -> list[Span]:
        spans, self._out = self._out, []
        return spans

    def _emit(self, first: int, end: int) -> None:
        self._ended, self._floor = None, end
        if end > first:
            self._out.append(Span(first / SAMPLE_RATE_HZ, end / SAMPLE_RATE_HZ))
