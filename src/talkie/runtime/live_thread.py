"""The thread of a live session: it opens the hearing, does what waits, tells what comes of it, and gives all back.

Knows nothing of callers, bounds or the clock; those are the session's.
"""

from __future__ import annotations

import logging

from talkie.audio.live_pcm import LivePcm
from talkie.errors import TalkieError
from talkie.runtime.live import LiveSession
from talkie.runtime.live_line import Change, Command, Sound
from talkie.runtime.live_opening import Ears
from talkie.runtime.requests import LiveRequest
from talkie.types import LiveEvent

_log = logging.getLogger(__name__)


def hear(session: LiveSession) -> None:
    """Until the session is over. Raises nothing; what fails ends the session."""
    try:
        if not session.ended:
            _hear(session)
    except TalkieError as error:
        session.end(error)
    except Exception as error:
        _log.error("A live session failed: %s", type(error).__name__, exc_info=error)
        session.end(TalkieError("Something went wrong inside the server."))
    else:
        session.end()


def _hear(session: LiveSession) -> None:
    request = session.first_request
    with session.opening.open(request, session.changed, session.partial_every_s) as ears:
        session.begin(ears.notices)
        work = _Work(ears, request)
        try:
            while (command := session.next(ears.hearing.pending)) is not None:
                session.say(work.do(command))
                session.account(command, ears.hearing.unheard_s, ears.hearing.cancelled)
        finally:
            ears.hearing.close()
            session.account(None, 0.0, ears.hearing.cancelled)


class _Work:
    """A hearing, and the bytes that are not yet sound for it."""

    def __init__(self, ears: Ears, request: LiveRequest) -> None:
        self._hearing, self._plan = ears.hearing, ears.plan
        self._pcm = LivePcm(request.raw)

    def do(self, command: Command) -> list[LiveEvent]:
        """Raises what a hearing raises, and `UnsupportedByModel`."""
        hearing = self._hearing
        match command:
            case Sound(data):
                return hearing.feed(self._pcm.feed(bytes(data)))
            case Change(request):
                flushed = hearing.feed(self._pcm.finish())
                self._pcm = LivePcm(request.raw)
                hearing.change(self._plan(request))
                return flushed
            case "commit":
                return hearing.feed(self._pcm.finish()) + hearing.commit()
            case "clear":
                self._pcm.finish()
                hearing.clear()
                return hearing.collect()
            case "finish":
                return hearing.feed(self._pcm.finish()) + hearing.finish()
            case "news":
                return hearing.collect()
