"""Sound without an end, as utterances: where speech has begun, and the window of it once it is over.

Knows nothing of engines or sessions. Spans and windows are those that a recording is cut into (`segment`, `window`), so
that what is heard of an utterance is what would be heard of a file. Memory is bounded by the longest utterance.
Positions are samples of the session, wherever in it this hearing began.
"""

from __future__ import annotations

from dataclasses import replace

from talkie.audio.gate import ActivityStream
from talkie.audio.segment import SegmentOptions
from talkie.audio.window import Windower, WindowOptions
from talkie.types import SAMPLE_RATE_HZ, Audio, Samples, Skip, Span

APART = WindowOptions(join_gap_s=-1.0)
"""Each span is a window of its own, and is given out at once."""


class Utterances:
    """`by_client`: speech is gathered into windows as long as they come, until `finish`; else each span of speech is a
    window. `start`: the sample of the session that is the first to come."""

    def __init__(
        self, activity: ActivityStream, segment: SegmentOptions, *, by_client: bool = False, start: int = 0
    ) -> None:
        self.start = start
        self._windower = Windower(activity, segment, None if by_client else APART)
        self._fed = start

    @property
    def end(self) -> int:
        """The sample after the last that came."""
        return self._fed

    @property
    def open_from(self) -> int | None:
        """Where speech begins that is in no window yet, with its room before; None: there is none for certain."""
        found = self._windower.open_from
        return None if found is None else self.start + found

    @property
    def judged(self) -> int:
        """Up to where it is known what is speech."""
        return min(self.start + self._windower.judged, self._fed)

    @property
    def speaking(self) -> bool:
        """Does speech go on at `judged`?"""
        return self._windower.speaking

    def feed(self, samples: Samples) -> list[Audio]:
        """Windows that are over, in times of the session."""
        self._fed += len(samples)
        return [self._placed(window) for window in self._windower.feed(samples)]

    def finish(self) -> list[Audio]:
        """What is left. Nothing can be fed any more."""
        return [self._placed(window) for window in self._windower.finish()]

    def read(self, start: int, end: int) -> Samples:
        """Sound from `open_from` on or later."""
        return self._windower.read(start - self.start, end - self.start)

    def unsettled(self) -> tuple[int, Samples]:
        """What came and may belong to speech that has not begun for certain: its place, and the sound."""
        place = self._windower.settled
        return self.start + place, self._windower.read(place, self._fed - self.start)

    def _placed(self, window: Audio) -> Audio:
        if not self.start:
            return window
        return replace(
            window,
            start_s=self._s(window.start_s),
            speech=tuple(Span(self._s(span.start_s), self._s(span.end_s)) for span in window.speech),
            skips=tuple(Skip(self._s(skip.at_s), skip.seconds) for skip in window.skips),
        )

    def _s(self, time_s: float) -> float:
        """Exact, for times are those of whole samples."""
        return (round(time_s * SAMPLE_RATE_HZ) + self.start) / SAMPLE_RATE_HZ
