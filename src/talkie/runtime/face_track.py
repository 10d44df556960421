"""One utterance of a live face: its sound, which goes on whatever happens, and its pictures, each beside its sound.

    speech -> put -> sound ------------------------------> tick (a frame of sound and its picture)
                       \\-> take_feed -> the face -> add_picture --/

Frame j is the sound from j/fps on. A picture that comes too late is thrown away, and the one before it shown again;
where the speech pauses, silence is put in while the face still has pictures, so that sound and pictures never part.
Knows nothing of threads: its owner holds the lock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from talkie.errors import TalkieError
from talkie.runtime.cancel import CancelToken
from talkie.runtime.face import LIVE_RATE_HZ, Shown
from talkie.runtime.face_clock import FaceClock
from talkie.types import Mark, Picture, Samples

BUFFER_S = 2.0
"""Of sound that is not yet shown; who makes it waits then."""
QUIET_S = 0.3
"""Speech that has begun and does not go on for so long makes a pause."""
LOW, GATHER, MOST_FED = 2, 4, 8
"""Frames: with no more than `LOW` ready any are made at once; else `GATHER` together, which networks like better."""
START = 4
"""Frames that are ready when an utterance begins: who begins with one is late with the next, and then with all."""
BEHIND_S, LEAD_S = 0.3, 0.24
"""A face that is so far behind its sound leaves out what nobody will see, and goes on so far before it."""
STALLS_KEPT = 256


@dataclass(frozen=True, slots=True)
class Fed:
    """What the face is to be given next: sound at LIVE_RATE_HZ and the marks that begin in it. `last`: it ends here.
    `anew`: it follows on nothing."""

    samples: Samples
    marks: tuple[Mark, ...] = ()
    last: bool = False
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A frame to be shown; `picture` None: the last one again. `ended`: it is the last."""

    picture: Picture | None
    samples: Samples
    marks: tuple[Mark, ...]
    ended: bool


class Track:
    """`lookahead` and `ahead`: the frames that the face must hear before it is sure, and those made before their
    time."""

    def __init__(self, generation: int, clock: FaceClock, lookahead: int, ahead: int, came_s: float) -> None:
        self.generation, self.came_s = generation, came_s
        self.cancel = CancelToken()
        self.error: TalkieError | None = None
        self.total: int | None = None
        """Frames in all, when it is known."""
        self.made = False
        """The face has given all its pictures."""
        self.late = 0
        self._clock, self._lookahead, self._ahead = clock, lookahead, ahead
        self._blocks: deque[Samples] = deque()
        self._first = self._written = self._read = self._inserted = 0  # samples
        self._fed = self._base = self._next = self.shown = 0  # frames
        self._pictures: deque[tuple[int, Picture]] = deque()
        self._to_feed: deque[Mark] = deque()
        self._to_show: deque[Mark] = deque()
        self._words: list[Mark] = []
        self._runs: deque[list[int]] = deque(maxlen=STALLS_KEPT)
        """Stretches without a stall: the tick and the frame they began with, and their length."""
        self._last_put_s = came_s
        self._anew = False

    # -- from the speech -------------------------------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        return self._written - self._read >= BUFFER_S * LIVE_RATE_HZ

    def put(self, samples: Samples, marks: Sequence[Mark], now_s: float) -> None:
        """Sound, and the marks of it, in seconds of the speech."""
        self._last_put_s = now_s
        shift_s = self._inserted / LIVE_RATE_HZ
        self._mark([replace(one, start_s=one.start_s + shift_s, end_s=one.end_s + shift_s) for one in marks])
        self._write(samples)

    def end(self, error: TalkieError | None = None) -> None:
        """There is no more of it: it is made whole frames."""
        frames = ceil(self._written * self._clock.fps / LIVE_RATE_HZ - 1e-6)
        self._write(np.zeros(max(0, self._clock.sound_until(frames) - self._written), np.float32))
        self.total, self.error = frames, error

    def _mark(self, marks: Sequence[Mark]) -> None:
        self._to_feed.extend(mark for mark in marks if mark.kind == "viseme")
        self._to_show.extend(marks)
        self._words.extend(mark for mark in marks if mark.kind == "word")

    def _write(self, samples: Samples) -> None:
        if len(samples):
            self._blocks.append(samples)
            self._written += len(samples)

    # -- for the face ----------------------------------------------------------------------------------------------

    def take_feed(self, now_s: float) -> Fed | None:
        """What is to be made now; None: nothing, for now."""
        if self.made or self.total == 0:
            return None
        if self.total is not None and self._fed >= self.total:
            return Fed(np.zeros(0, np.float32), last=True)
        self._catch_up()
        room = self._ahead + self._lookahead - (self._fed - self.shown)
        unfed = self._whole() - self._fed
        if unfed <= 0 and self._pauses(now_s):
            self._rest()
            unfed = self._whole() - self._fed
        frames = min(unfed, room, MOST_FED)
        frames -= frames % GATHER if frames > GATHER else 0
        if frames <= 0 or (frames < min(unfed, GATHER) and self._sure > LOW):
            return None
        return self._fed_with(frames)

    @property
    def _sure(self) -> int:
        """Frames that can be shown once all that was fed is made."""
        return self._fed - self._lookahead - self.shown

    def _whole(self) -> int:
        """Whole frames of sound."""
        frames = int(self._written * self._clock.fps / LIVE_RATE_HZ + 1e-6)
        return frames if self._clock.sound_until(frames) <= self._written else frames - 1

    def _pauses(self, now_s: float) -> bool:
        """Whether silence is better now than to wait: the face would come to its last sure picture."""
        if self.total is not None or not self._written:
            return False
        if self.shown:
            return self._sure <= LOW
        return self._sure < START and now_s - self._last_put_s >= QUIET_S

    def _rest(self) -> None:
        """Silence up to the end of the next frame."""
        length = self._clock.sound_until(self._whole() + 1) - self._written
        self._inserted += length
        start_s = self._written / LIVE_RATE_HZ
        self._mark([Mark("viseme", "X", start_s, start_s + length / LIVE_RATE_HZ, True)])
        self._write(np.zeros(length, np.float32))

    def _catch_up(self) -> None:
        base = self.shown + round(LEAD_S * self._clock.fps)
        if self.shown - self._next <= BEHIND_S * self._clock.fps or base >= self._whole():
            return
        self._fed = self._base = self._next = base
        base_s = self._clock.at_s(self._base)
        while self._to_feed and self._to_feed[0].start_s < base_s:
            self._to_feed.popleft()
        self._anew = True

    def _fed_with(self, frames: int) -> Fed:
        begin, self._fed = self._clock.sound_until(self._fed), self._fed + frames
        end = self._clock.sound_until(self._fed)
        base_s, until_s = self._clock.at_s(self._base), end / LIVE_RATE_HZ
        marks = []
        while self._to_feed and self._to_feed[0].start_s < until_s:
            mark = self._to_feed.popleft()
            marks.append(replace(mark, start_s=mark.start_s - base_s, end_s=mark.end_s - base_s))
        anew, self._anew = self._anew, False
        return Fed(self._between(begin, end), tuple(marks), anew=anew)

    def add_picture(self, picture: Picture) -> None:
        """The next one; one that comes too late is let go."""
        if self._next >= self.shown:
            self._pictures.append((self._next, picture))
        self._next += 1

    # -- for the clock ---------------------------------------------------------------------------------------------

    @property
    def can_begin(self) -> bool:
        return self.shown > 0 or len(self._pictures) >= START or (self.made and bool(self._pictures))

    @property
    def is_over(self) -> bool:
        """All of it was shown, or there is nothing to show."""
        return self.total is not None and self.shown >= self.total

    def tick(self, index: int, samples: int) -> Step | None:
        """The next frame, shown at that tick of the session; None: its sound is not there."""
        if self.total is None and self._written < self._read + samples:
            return None
        self._shows(index)
        sound = self._between(self._read, min(self._written, self._read + samples))
        if len(sound) < samples:
            sound = np.concatenate([sound, np.zeros(samples - len(sound), np.float32)])
        self._read += samples
        self.shown += 1
        self._forget()
        return Step(self._picture(self.shown - 1), sound, self._marks(), self.is_over)

    def _shows(self, index: int) -> None:
        if self._runs and sum(self._runs[-1][::2]) == index:
            self._runs[-1][2] += 1
        else:
            self._runs.append([index, self.shown, 1])

    def _picture(self, frame: int) -> Picture | None:
        while self._pictures and self._pictures[0][0] < frame:
            self._pictures.popleft()
        if self._pictures and self._pictures[0][0] == frame:
            return self._pictures.popleft()[1]
        self.late += 1
        return None

    def _marks(self) -> tuple[Mark, ...]:
        until_s, marks = self._clock.at_s(self.shown), []
        while self._to_show and (self._to_show[0].start_s < until_s or self.is_over):
            marks.append(self._to_show.popleft())
        return tuple(marks)

    # -- looking back ----------------------------------------------------------------------------------------------

    def frames_by(self, ticks: int) -> int:
        """How many of its frames were in the first `ticks` of the session."""
        return max(
            (frame + min(ticks - index, length) for index, frame, length in self._runs if index < ticks), default=0
        )

    def seen(self, frames: int) -> Shown:
        shown_s = self._clock.at_s(frames)
        words = " ".join(mark.text for mark in self._words if mark.end_s <= shown_s + 1e-6)
        return Shown(self.generation, shown_s, words, self._written / LIVE_RATE_HZ)

    # -- the sound -------------------------------------------------------------------------------------------------

    def _between(self, begin: int, end: int) -> Samples:
        parts, at = [], self._first
        for block in self._blocks:
            if at < end and at + len(block) > begin:
                parts.append(block[max(0, begin - at) : end - at])
            at += len(block)
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def _forget(self) -> None:
        """What was shown and fed is needed no more."""
        until = min(self._read, self._clock.sound_until(self._fed))
        while self._blocks and self._first + len(self._blocks[0]) <= until:
            self._first += len(self._blocks.popleft())
