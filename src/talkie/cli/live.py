"""Listening from beginning to end: a source is pumped into an ear while its events are shown.

Stopping ends the source and lets what was said be heard to its end. Knows nothing of options, devices or formats.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from talkie.types import LiveEvent

if TYPE_CHECKING:
    from talkie.cli.live_ears import Ear, Ears
    from talkie.cli.live_sources import Source
    from talkie.cli.stop import Stop
    from talkie.runtime.requests import LiveRequest

JOIN_S = 2.0
Show = Callable[[LiveEvent], None]


def listen_to(source: Source, ears: Ears, request: LiveRequest, show: Show, stop: Stop) -> None:
    """Hear the source until it ends or `stop` is set, and what was said until then to its end.

    Raises what went wrong with the source or with the ear.
    """
    ear = ears.open(replace(request, raw=source.raw))
    pump = _Pump(source, ear, stop)
    pump.start()
    try:
        for event in ear.events():
            show(event)
    finally:
        stop.set()
        ear.close()
        pump.join(JOIN_S)
    if pump.error is not None:
        raise pump.error


class _Pump(threading.Thread):
    """Carries sound from the source to the ear. `error` is what ended it early."""

    def __init__(self, source: Source, ear: Ear, stop: Stop) -> None:
        super().__init__(name="pump", daemon=True)
        self._source, self._ear, self._stop_asked = source, ear, stop
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            with contextlib.closing(self._source.pieces(self._stop_asked)) as pieces:  # type: ignore[type-var]
                for piece in pieces:
                    if not self._ear.send(piece):
                        break
        except Exception as error:
            self.error = error
        finally:
            self._ear.finish()
