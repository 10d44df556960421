"""The thread that waits for a face's ticks and hands them to the event loop. What becomes of them it does not know."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from talkie.errors import SessionEnded

if TYPE_CHECKING:
    from talkie.runtime.face import FaceTick
    from talkie.transports.face import FaceSession

WAIT_S = 0.25


class TickPump:
    """`take` is called on the loop for every tick, `ended` once, with what ended the session."""

    def __init__(
        self, session: FaceSession, take: Callable[[FaceTick], None], ended: Callable[[Exception], None]
    ) -> None:
        self._session, self._take, self._ended = session, take, ended
        self._loop = asyncio.get_running_loop()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="face-call", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """No more ticks are handed over. Harmless a second time, and does not wait for the thread."""
        self._over.set()

    def _run(self) -> None:
        while not self._over.is_set():
            asked_s = time.monotonic()
            try:
                tick = self._session.next_tick(WAIT_S)
            except Exception as error:  # whatever it is, somebody must be told
                self._tell(self._ended, error)
                return
            if tick is not None:
                self._tell(self._take, tick)
            elif time.monotonic() - asked_s < WAIT_S / 2:  # there will be none
                self._tell(self._ended, SessionEnded())
                return

    def _tell(self, told: Callable[..., None], what: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(lambda: None if self._over.is_set() else told(what))
