"""The thread that makes the pictures of a live face: it does what the session says, in order, on the one line it has.

Knows nothing of callers, clocks or bounds; those are the session's.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from talkie.audio.resample import StreamResampler
from talkie.errors import TalkieError
from talkie.runtime.face import LIVE_RATE_HZ
from talkie.runtime.face_hearing import Hearing
from talkie.types import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from talkie.pipeline.faces import FaceLine
    from talkie.runtime.face_queue import Subject
    from talkie.runtime.face_session import LiveFace
    from talkie.runtime.face_track import Fed
    from talkie.types import Picture, Samples

STUCK_S = 5.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """`idle`: a picture of a face at rest; `feed`: sound of `subject`; `drop`: what was fed is no longer wanted."""

    kind: Literal["idle", "feed", "drop"]
    subject: Subject | None = None
    fed: Fed | None = None


def show(session: LiveFace, line: FaceLine, given: ExitStack) -> None:
    """Until the session is over; `given` is what it has to give back. Raises nothing; what fails ends the session."""
    try:
        with given:
            maker = _Maker(session, line)
            while (job := session.next_job()) is not None:
                maker.do(job)
            for speech in session.left():
                speech.join(STUCK_S)
    except TalkieError as error:
        session.end(error)
    except Exception as error:
        _log.error("A live face failed: %s", type(error).__name__, exc_info=error)
        session.end(TalkieError("Something went wrong inside the server."))
    else:
        session.end()


class _Maker:
    """A line, and the sound on its way into it."""

    def __init__(self, session: LiveFace, line: FaceLine) -> None:
        self._session, self._line = session, line
        self._subject: Subject | None = None
        self._sound = _At16k()

    def do(self, job: Job) -> None:
        """Raises what the line raises, unless nobody wants it any more."""
        if job.kind == "drop":
            self._line.drop()
        elif job.fed is None:
            self._session.made(None, self._line.idle())
        else:
            try:
                self._feed(job, job.fed)
            except (TalkieError, CancelledError):
                if self._session.is_wanted(job.subject):
                    raise

    def _feed(self, job: Job, fed: Fed) -> None:
        subject = job.subject
        assert subject is not None, "sound is of somebody"
        if subject is not self._subject or fed.anew:
            if fed.anew:
                self._line.drop()
            self._subject, self._sound = subject, _At16k()
        samples = fed.samples if isinstance(subject, Hearing) else self._sound.feed(fed.samples)
        if not fed.last:
            self._give(subject, self._line.feed(samples, fed.marks))
            return
        rest = samples if isinstance(subject, Hearing) else self._sound.finish()
        self._give(subject, self._line.feed(rest))
        if self._give(subject, self._line.finish()):
            self._session.all_made(subject)

    def _give(self, subject: Subject, pictures: Iterator[Picture]) -> bool:
        """False: nobody wants more."""
        with closing(_closable(pictures)) as given:
            return all(self._session.made(subject, picture) for picture in given)


def _closable(pictures: Iterator[Picture]) -> Generator[Picture, None, None]:
    yield from pictures


class _At16k:
    """Live sound as a face hears it: exactly a third of its samples."""

    def __init__(self) -> None:
        self._resampler = StreamResampler(SAMPLE_RATE_HZ)
        self._came = self._gone = 0

    def feed(self, samples: Samples) -> Samples:
        if not len(samples):
            return samples
        self._came += len(samples)
        ready = self._resampler.feed(samples, LIVE_RATE_HZ)
        self._gone += len(ready)
        return ready

    def finish(self) -> Samples:
        wanted = round(self._came * SAMPLE_RATE_HZ / LIVE_RATE_HZ) - self._gone
        rest = self._resampler.finish()[: max(0, wanted)]
        return np.concatenate([rest, np.zeros(wanted - len(rest), np.float32)]) if len(rest) < wanted else rest
