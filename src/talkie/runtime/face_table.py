"""The live faces of one service: opened within their bound, listed and ended as every live session is.

Knows nothing of what a face does.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING

from talkie.runtime import metrics
from talkie.runtime.face_maker import show
from talkie.runtime.face_options import FaceOptions
from talkie.runtime.face_session import LiveFace
from talkie.runtime.live import Limits, Who
from talkie.runtime.sessions import FACE_ID, SessionCard, SessionTable, label

if TYPE_CHECKING:
    from talkie.pipeline.faces import Face
    from talkie.runtime.face_speech import Speak


class FaceTable:
    """At most `most` open ones."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._table = SessionTable(most, Limits(), clock, setting="max_faces")

    def open(
        self,
        face: Callable[[], AbstractContextManager[Face]],
        speak: Speak,
        options: FaceOptions,
        *,
        door: str,
        avatar: str,
        owner: str = "",
        client: str = "",
    ) -> LiveFace:
        """A live face that has begun; loads it where it is not. Raises `TooManySessions`, `ShuttingDown`, and what
        loading raises."""
        self._table.refuse_if_full()
        who = Who(f"{FACE_ID}{secrets.token_urlsafe(16)}", door, avatar, owner, label(client), time.time(), "face")
        with ExitStack() as opened:
            shown = opened.enter_context(face())
            line = shown.open()
            opened.callback(line.close)
            session = LiveFace(who, line, shown.info, speak, options, over=self._table.over, clock=self._clock)
            given = opened.pop_all()
        metrics.FACES.inc()
        given.callback(metrics.FACES.dec)
        try:
            self._table.begin(session, lambda: show(session, line, given))
        except BaseException:
            session.close()
            given.close()
            raise
        return session

    def cards(self, owner: str | None = None) -> list[SessionCard]:
        """As `SessionTable.cards`."""
        return self._table.cards(owner)

    def end(self, session_id: str, owner: str | None = None) -> None:
        """As `SessionTable.end`."""
        self._table.end(session_id, owner)

    def close(self, grace_s: float = 0.0) -> None:
        """As `SessionTable.close`."""
        self._table.close(grace_s)
