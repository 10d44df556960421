"""The ticks of a live face, one after the other: what is said, what is heard, or a face at rest.

Knows nothing of threads or of when a tick is due: its owner holds the lock and asks in time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from talkie.runtime import metrics
from talkie.runtime.face import FaceTick
from talkie.runtime.face_clock import FaceClock
from talkie.runtime.face_hearing import Hearing
from talkie.runtime.face_queue import Subjects
from talkie.runtime.face_track import Track

if TYPE_CHECKING:
    from talkie.types import Picture


class Ticks:
    """`index` is the next one. `spares` are pictures of a face at rest, which others make; `image` is the first."""

    def __init__(
        self, clock: FaceClock, subjects: Subjects, image: Picture, kind: str, now: Callable[[], float]
    ) -> None:
        self._clock, self._subjects, self._kind, self._now = clock, subjects, kind, now
        self._image = image
        self.index = 0
        self.spares: deque[Picture] = deque()

    def take(self) -> FaceTick:
        """The next; time begins with the first."""
        self._clock.begin()
        index, self.index = self.index, self.index + 1
        now = self._subjects.now
        tick = self._spoken(now, index) if isinstance(now, Track) else self._silent(now, index)
        self._image = tick.image
        metrics.FACE_FRAMES.labels(self._kind).inc()
        return tick

    def _silent(self, now: Hearing | None, index: int, generation: int = 0) -> FaceTick:
        """Nothing is said: a face at rest, or one that a voice moves."""
        if now is not None:
            picture = now.picture()
            if now.is_over:
                self._subjects.next()
        else:
            picture = self.spares.popleft() if self.spares else None
        silence = np.zeros(self._clock.samples(index), np.float32)
        image = self._image if picture is None else picture
        return FaceTick(image, silence, self._clock.at_s(index), index, generation)

    def _spoken(self, track: Track, index: int) -> FaceTick:
        if track.is_over:  # nothing of it could be said
            self._subjects.next()
            return replace(self._silent(None, index, track.generation), ended=True, error=track.error)
        if not track.can_begin:
            return self._silent(None, index)
        step = track.tick(index, self._clock.samples(index))
        if step is None:
            return self._silent(None, index, track.generation)
        if step.picture is None:
            metrics.FACE_REPEATED.labels("late").inc()
        metrics.FACE_SECONDS.labels(self._kind).inc(1 / self._clock.fps)
        if started := track.shown == 1:
            metrics.FACE_FIRST.labels(self._kind).observe(self._now() - track.came_s)
        if step.ended:
            self._subjects.next()
        image = self._image if step.picture is None else step.picture
        error = track.error if step.ended else None
        at_s, generation = self._clock.at_s(index), track.generation
        return FaceTick(image, step.samples, at_s, index, generation, started, step.ended, error, step.marks)
