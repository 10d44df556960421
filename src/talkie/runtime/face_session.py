"""A live face, as its callers and its threads see it: texts and voices in, a tick each 1/fps out.

    say, write -> Track <- sound and marks, from a thread that speaks (face_speech.py)
                  Track -> sound -> the thread that makes pictures (face_maker.py) -> pictures -> Track -> next_tick

Knows nothing of sockets, of speech or of how pictures are made. What is no longer wanted is not waited for: it is taken
out of the line at once, and whoever still works on it learns that by its next step.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

from talkie.errors import QueueFull, SessionIdle, SlowReader, TalkieError
from talkie.runtime import metrics
from talkie.runtime.face import FaceTick, Shown
from talkie.runtime.face_clock import FaceClock
from talkie.runtime.face_hearing import Hearing
from talkie.runtime.face_maker import Job
from talkie.runtime.face_options import FaceOptions
from talkie.runtime.face_queue import Subject, Subjects
from talkie.runtime.face_speech import MOST_AT_WORK, Speak, Speech
from talkie.runtime.face_text import Text
from talkie.runtime.face_ticks import Ticks
from talkie.runtime.face_track import Track
from talkie.runtime.live import Who
from talkie.runtime.live_figures import reason_label

if TYPE_CHECKING:
    from talkie.pipeline.faces import FaceInfo, FaceLine
    from talkie.runtime.speech import SpeakRequest
    from talkie.types import Mark, Picture, Samples

AHEAD_S = 0.5
"""Pictures are made so long before their time, and what is left of an interrupted utterance is no more than that."""
SPARES = 2
"""Pictures of a face at rest that are ready."""
SLOW_S = 10.0
"""Who took no tick for so long, or is so late, does not read."""
LOOK_AGAIN_S = 1.0


class LiveFace:
    """See `talkie.transports.face.FaceSession` for what each method promises."""

    def __init__(
        self,
        who: Who,
        line: FaceLine,
        info: FaceInfo,
        speak: Speak,
        options: FaceOptions,
        *,
        over: Callable[[LiveFace], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`over` is called once, in some thread, when the session has ended; its threads may still be on their way
        out."""
        self.who, self.info = who, info
        self._line, self._speak, self._options, self._now = line, speak, options, clock
        self._was_over = over
        self._news = threading.Condition()
        self._clock = FaceClock(info.fps, max(0.0, options.ahead_s), clock)
        self._subjects = Subjects()
        self._ticks = Ticks(self._clock, self._subjects, line.idle(), options.kind, clock)
        self._writing: tuple[Track, Text] | None = None
        self._generation = 0
        self._at_work: Subject | None = None  # what the line holds sound of
        self._busy = False  # the maker is inside the line
        self._droppers = 0
        self._speeches: set[Speech] = set()
        self._told_s: float | None = None
        self._heard = 0
        self._used_s = self._taken_s = clock()
        self._over = self._finishing = False
        self._error: TalkieError | None = None
        self._tell: Callable[[], None] | None = None

    # -- what it is ------------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        return self.who.id

    @property
    def ended(self) -> bool:
        return self._over

    @property
    def state(self) -> str:
        now = self._subjects.now
        if now is None:
            return "idle"
        return "speaking" if isinstance(now, Track) else "listening"

    @property
    def heard_s(self) -> float:
        """Seconds of sound that came."""
        return self._heard / 16_000

    @property
    def lag_s(self) -> float:
        """By how much ticks are taken late."""
        return self._clock.late_s(self._ticks.index)

    # -- for callers: text, sound, commands -------------------------------------------------------------------------

    def say(self, text: str) -> int:
        with self._news:
            self._check()
            self._refuse_flood()
            dropped = self._clear()[1]
            track = self._track()
            self._begin(track, replace(self._options.spoken, text=text), None)
        self._drop(dropped)
        return track.generation

    def write(self, text: str) -> int:
        with self._news:
            self._check()
            if self._writing is None or self._writing[0].cancel.cancelled:
                self._refuse_flood()
                track, pieces = self._track(), Text()
                self._begin(track, self._options.spoken, pieces)
                self._writing = track, pieces
            track, pieces = self._writing
            self._used_s = self._now()
            pieces.write(text)
            return track.generation

    def end_text(self) -> None:
        with self._news:
            self._check()
            if self._writing is not None:
                self._writing[1].end()
                self._writing = None

    def change(self, spoken: SpeakRequest) -> None:
        with self._news:
            self._check()
            spoken = replace(spoken, text="", visemes=True, priority=spoken.priority or "live")
            self._options = replace(self._options, spoken=spoken)

    def hear(self, samples: Samples) -> None:
        with self._news:
            self._check()
            self._used_s = now_s = self._now()
            self._heard += len(samples)
            dropped = None
            if not isinstance(self._subjects.now, Hearing) or self._subjects.now.made:
                dropped = self._clear()[1]
                self._subjects.hear(Hearing(now_s))
            assert isinstance(self._subjects.now, Hearing)
            self._subjects.now.put(samples, now_s)
            self._news.notify_all()
        self._drop(dropped)

    def interrupt(self) -> Shown | None:
        with self._news:
            self._check()
            shown, dropped = self._clear()
        self._drop(dropped)
        return shown

    def shown_until(self, at_s: float) -> None:
        with self._news:
            self._check()
            self._told_s = at_s

    def close(self) -> None:
        self._tell = None
        self.end()

    def finish_quietly(self) -> None:
        """End when nothing is being said any more."""
        with self._news:
            self._finishing = True
            if self._writing is not None:
                self._writing[1].end()
            is_over = not self._subjects.tracks()
        if is_over:
            self.end()

    def end(self, error: TalkieError | None = None) -> None:
        """Stop now: of `error`, or because nobody looks on."""
        with self._news:
            if self._over:
                return
            dropped = self._clear()[1]
            self._over, self._error = True, error
            self._news.notify_all()
            tell = self._tell
        self._drop(dropped)
        if error is not None:
            metrics.LIVE_DROPPED.labels(reason_label(error.code)).inc()
        self._was_over(self)
        if tell is not None:
            tell()

    def _check(self) -> None:
        """It may be raised any number of times, and keeps no trace of the last."""
        if self._error is not None:
            raise self._error.with_traceback(None)

    def _refuse_flood(self) -> None:
        if len(self._speeches) >= MOST_AT_WORK:
            raise QueueFull(len(self._speeches))

    def _track(self) -> Track:
        self._used_s = now_s = self._now()
        self._generation += 1
        fps = self.info.fps
        lookahead = ceil(self.info.lookahead_s * fps)
        return Track(self._generation, self._clock, lookahead, round(AHEAD_S * fps), now_s)

    def _begin(self, track: Track, request: SpeakRequest, pieces: Text | None) -> None:
        """The caller holds the lock. Raises `QueueFull`."""
        if self._over:
            return
        if isinstance(self._subjects.now, Hearing):
            self._subjects.next()
        self._subjects.add(track)
        speech = Speech(self, track, replace(request, generation=track.generation), pieces)
        self._speeches.add(speech)
        speech.start(self._speak)
        self._news.notify_all()

    def _clear(self) -> tuple[Shown | None, bool]:
        """Nothing of what is said or heard is shown any more. The caller holds the lock, and calls `_drop` after."""
        told_s = self._told_s
        ticks = self._ticks.index if told_s is None else min(self._ticks.index, self._clock.ticks_until(told_s))
        shown = self._subjects.clear(ticks)
        if self._writing is not None:
            self._writing[1].close()
            self._writing = None
        # A network may be long in coming; what is drawn is left at its next picture.
        drop = self._busy and self._at_work is not None and self.info.kind == "neural"
        self._droppers += drop
        self._news.notify_all()
        return shown, drop

    def _drop(self, dropped: bool | None) -> None:
        """What the line is at work on is no longer wanted; the maker goes on only after this."""
        if not dropped:
            return
        try:
            self._line.drop()
        finally:
            with self._news:
                self._droppers -= 1
                self._news.notify_all()

    # -- for who looks on ------------------------------------------------------------------------------------------

    def next_tick(self, timeout_s: float) -> FaceTick | None:
        until_s = time.monotonic() + timeout_s
        with self._news:
            while True:
                self._check()
                if self._over:
                    return None
                wait_s, left_s = self._clock.wait_s(self._ticks.index), until_s - time.monotonic()
                if wait_s <= 0:
                    break
                if left_s <= 0:
                    return None
                self._news.wait(min(wait_s, left_s))
            tick = self._tick() if self._clock.late_s(self._ticks.index) <= SLOW_S else None
        if tick is None:
            self.end(SlowReader())
            self._check()
        elif self._finishing and tick.ended:
            self.finish_quietly()
        return tick

    def wake(self, callback: Callable[[], None]) -> None:
        with self._news:
            is_first, self._tell = self._tell is None, callback
        if is_first:
            threading.Thread(target=self._wake, name="talkie-face-wake", daemon=True).start()

    def _wake(self) -> None:
        told = -1
        while True:
            with self._news:
                if self._over or self._tell is None:
                    return
                wait_s, index, tell = self._clock.wait_s(self._ticks.index), self._ticks.index, self._tell
                if wait_s > 0 or told == index:
                    self._news.wait(min(wait_s, LOOK_AGAIN_S) if wait_s > 0 else LOOK_AGAIN_S)
                    continue
            told = index
            tell()

    def _tick(self) -> FaceTick:
        """The caller holds the lock."""
        self._taken_s = self._now()
        tick = self._ticks.take()
        self._news.notify_all()
        return tick

    # -- for the threads that speak --------------------------------------------------------------------------------

    def put(self, track: Track, samples: Samples, marks: Sequence[Mark]) -> bool:
        """Sound of a track; waits while it has enough. False: nobody wants it."""
        with self._news:
            while track.is_full and not track.cancel.cancelled:
                self._news.wait(LOOK_AGAIN_S)
            if track.cancel.cancelled:
                return False
            track.put(samples, marks, self._now())
            self._news.notify_all()
        return True

    def spoken(self, speech: Speech, error: TalkieError | None) -> None:
        """There is no more of it."""
        with self._news:
            self._speeches.discard(speech)
            speech.track.end(error)
            if self._writing is not None and self._writing[0] is speech.track:
                self._writing = None
            self._news.notify_all()

    # -- for the thread that makes pictures ------------------------------------------------------------------------

    def next_job(self) -> Job | None:
        """What is to be done with the line; waits for it. None: the session is over."""
        with self._news:
            self._busy = False
            while not self._over:
                job = None if self._droppers else self._job()
                if job is not None:
                    self._busy = True
                    return job
                if (error := self._given_up()) is not None:
                    break
                self._news.wait(self._patience_s())
            else:
                return None
        self.end(error)
        return None

    def _job(self) -> Job | None:
        now = self._subjects.now
        if self._at_work is not None and self._at_work is not now:
            self._at_work = None
            return Job("drop")
        fed = now.take_feed(self._now()) if now is not None else None
        if fed is not None:
            self._at_work = now
            return Job("feed", now, fed)
        if self._at_work is None and len(self._ticks.spares) < SPARES:
            return Job("idle")
        return None

    def _patience_s(self) -> float:
        """Speech that pauses, and a voice that ends, make no news."""
        return LOOK_AGAIN_S if self._subjects.now is None else 0.1

    def _given_up(self) -> TalkieError | None:
        now_s = self._now()
        if self._clock.began:
            return SlowReader() if now_s - self._taken_s > SLOW_S else None
        return SessionIdle(self._options.idle_s) if now_s - self._used_s > self._options.idle_s else None

    def made(self, subject: Subject | None, picture: Picture) -> bool:
        """A picture for it, or (None) of a face at rest. False: nobody wants more."""
        with self._news:
            if subject is None:
                self._ticks.spares.append(picture)
                return not self._over
            if self._over or self._subjects.now is not subject:
                return False
            self._ticks.spares.clear()
            subject.add_picture(picture)
            self._news.notify_all()
            return True

    def all_made(self, subject: Subject) -> None:
        """The line has given all pictures of it, and is ready for the next."""
        with self._news:
            if self._at_work is subject and self._subjects.now is subject:
                subject.made, self._at_work = True, None

    def is_wanted(self, subject: Subject | None) -> bool:
        with self._news:
            return not self._over and (subject is None or self._subjects.now is subject)

    def left(self) -> list[Speech]:
        """Those that still speak."""
        with self._news:
            return list(self._speeches)
