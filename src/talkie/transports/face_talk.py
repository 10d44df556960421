"""What is said on a live face, by its client and to it: commands to the session, and the events that answer them.

Every door of live faces has one for each session. `obey` and `hear` are for the task that listens, `tell` for whoever
takes ticks. Knows nothing of sockets or codecs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from talkie.errors import InvalidValue
from talkie.transports.http.errors import words_of
from talkie.wire import video_events as told
from talkie.wire.face_protocol import (
    MICROPHONE_HZ,
    Append,
    Command,
    End,
    Interrupt,
    Say,
    ShownUntil,
    Update,
    changed,
)
from talkie.wire.video_events import Json, Telling

if TYPE_CHECKING:
    from talkie.runtime.face import FaceTick
    from talkie.runtime.speech import SpeakRequest
    from talkie.transports.face import FaceSession
    from talkie.types import Samples

CREDIT_S = 5.0
"""How much sound may come at once: that of a line that stood still for a moment, and not a whole recording."""


class FaceTalk:
    """One session and how it speaks."""

    def __init__(self, session: FaceSession, spoken: SpeakRequest, clock: Callable[[], float] = time.monotonic) -> None:
        self._session, self.spoken, self._clock = session, spoken, clock
        self._telling = Telling(session.info.fps, words_of)
        self._latest, self._stopped, self._done = 0, 0, 0
        self._credit_s, self._credited_at = CREDIT_S, clock()
        self.heard_s = 0.0

    def stale(self, generation: int) -> bool:
        """Whether it was stopped: nothing of it may be told any more."""
        return 0 < generation <= self._stopped

    def obey(self, command: Command) -> list[Json]:
        """What it is answered at once; what follows comes with the ticks. Raises `InvalidValue`, `TextTooLong` and the
        session's own error."""
        if isinstance(command, Say):
            answer = self._stop()
            self._latest = self._session.say(command.text)
            return answer
        if isinstance(command, Interrupt):
            return self._stop() or [told.interrupted(None)]
        if isinstance(command, Append):
            self._latest = self._session.write(command.text)
        elif isinstance(command, End):
            self._session.end_text()
        elif isinstance(command, ShownUntil):
            self._session.shown_until(command.at_s)
        elif isinstance(command, Update):
            spoken = changed(self.spoken, command)
            self._session.change(spoken)
            self.spoken = spoken
            return [told.session_updated(spoken)]
        return []

    def hear_pcm(self, data: bytes) -> list[Json]:
        """A binary message: 16-bit sound at 16 kHz. Raises `InvalidValue` for half a sample, and for more sound than
        anybody speaks."""
        if len(data) % 2:
            raise InvalidValue("sound", "A message ends within a sample.", hint="Send 16-bit PCM at 16 kHz, mono.")
        now = self._clock()
        self._credit_s = min(CREDIT_S, self._credit_s + now - self._credited_at) - len(data) / 2 / MICROPHONE_HZ
        self._credited_at = now
        if self._credit_s < 0:
            raise InvalidValue(
                "sound", "The sound comes faster than it is spoken.", hint="A whole recording goes to .../animate."
            )
        return self.hear(np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768))

    def hear(self, samples: Samples) -> list[Json]:
        """Somebody's voice at 16 kHz, as it is spoken. What was being said is over."""
        answer = self._stop() if self._latest > max(self._stopped, self._done) else []
        self.heard_s += len(samples) / MICROPHONE_HZ
        self._session.hear(samples)
        return answer

    def tell(self, tick: FaceTick) -> list[Json]:
        """The events of a frame, in order; none of one that was stopped meanwhile."""
        if self.stale(tick.generation):
            return []
        if tick.ended:
            self._done = tick.generation
        return self._telling.tell(tick)

    def _stop(self) -> list[Json]:
        shown = self._session.interrupt()
        if shown is None:
            return []
        self._stopped = max(shown.generation, self._latest)
        return [told.interrupted(shown)]
