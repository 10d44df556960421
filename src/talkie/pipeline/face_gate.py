"""How far a mouth may open, frame by frame: not at all while nobody speaks.

A mouth that moves in silence is what people complain of most in faces of this kind, so the detector of voice activity
has the last word. The gate opens shortly before speech begins, which is known in time, since a frame of a face network
waits for 450 ms of sound after it anyway; and closes a little after it has ended. Between it slides, so that the mouth
fades and never jumps. Knows nothing of pictures.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from talkie.engines.base import VoiceActivityStream
from talkie.types import Samples

WINDOW_S = 0.032
"""The step of the detector."""
_MARGIN_S = 1e-3
"""A window that opens a frame by less than a rounding error must not count, or count always."""


@dataclass(frozen=True, slots=True)
class GateOptions:
    """Speech begins where a probability reaches `opens_at` and goes on while none is under `closes_at`.

    The gate is wide open from `lead_s` before it until `hold_s` after it; before that it takes `attack_s` to open, and
    after it `release_s` to close.
    """

    opens_at: float = 0.5
    closes_at: float = 0.35
    lead_s: float = 0.06
    attack_s: float = 0.12
    hold_s: float = 0.1
    release_s: float = 0.2


class FaceGate:
    """One utterance. The same frames get the same gates however the sound is cut. Not for two threads."""

    def __init__(self, activity: VoiceActivityStream, fps: float, options: GateOptions = GateOptions()) -> None:
        self._activity, self._fps, self._options = activity, fps, options
        self._speech: deque[int] = deque()  # windows with speech that a frame to come may still see
        self._speaks = False
        self._windows = 0
        self._frames = 0

    def feed(self, samples: Samples) -> NDArray[np.float32]:
        """Gates 0..1 of the frames that are certain now, from the first one not given yet."""
        self._hear(self._activity.feed(samples))
        seen_s = self._windows * WINDOW_S - self._options.lead_s - self._options.attack_s - _MARGIN_S
        return self._give(max(self._frames, int(seen_s * self._fps)))

    def finish(self, frames: int) -> NDArray[np.float32]:
        """The rest, so that there are `frames` in all."""
        self._hear(self._activity.finish())
        return self._give(max(self._frames, frames))

    def _hear(self, probabilities: NDArray[np.float32]) -> None:
        for probability in probabilities.tolist():
            self._speaks = probability >= (self._options.closes_at if self._speaks else self._options.opens_at)
            if self._speaks:
                self._speech.append(self._windows)
            self._windows += 1

    def _give(self, until: int) -> NDArray[np.float32]:
        gates = np.array([self._gate(frame) for frame in range(self._frames, until)], np.float32)
        self._frames = until
        return gates

    def _gate(self, frame: int) -> float:
        """By the nearest speech before the frame and after it."""
        begins_s, ends_s = frame / self._fps, (frame + 1) / self._fps
        while len(self._speech) > 1 and (self._speech[1] + 1) * WINDOW_S <= begins_s:
            self._speech.popleft()
        return max((self._open(window, begins_s, ends_s) for window in self._near()), default=0.0)

    def _near(self) -> list[int]:
        """The last speech before the frame, where there is any, and the first of the rest."""
        return [self._speech[place] for place in range(min(2, len(self._speech)))]

    def _open(self, window: int, begins_s: float, ends_s: float) -> float:
        since_s, until_s = begins_s - (window + 1) * WINDOW_S, window * WINDOW_S - ends_s
        options = self._options
        if since_s > 0:
            return min(1.0, max(0.0, 1 - (since_s - options.hold_s) / options.release_s))
        if until_s > 0:
            return min(1.0, max(0.0, 1 - (until_s - options.lead_s) / options.attack_s))
        return 1.0
