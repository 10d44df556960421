"""Sound and picture of a call tell the browser one clock.

A sender report says which wall clock time belongs to which time of the stream (RFC 3550, 6.4.1); a browser lays the
lips on the sound by them. aiortc 1.14 reports when a frame had been encoded and sent: a picture that took 50 ms longer
to encode would be shown 50 ms beside its sound. Here a report says when the frame's tick was.
"""

from __future__ import annotations

from typing import Any, Protocol

from aiortc import RTCRtpSender
from aiortc.clock import current_ntp_time

_SECOND = 1 << 32
"""Of the 64 bits of an NTP time, 32 are below the second (RFC 5905, 6)."""
_FIELD = "_RTCRtpSender__ntp_timestamp"


class OneClock:
    """The wall clock of a call: where the time of its tracks began, in NTP's units."""

    def __init__(self) -> None:
        self._began: int | None = None

    def begin(self, at_s: float) -> None:
        """Now is `at_s` of the stream. Only the first time counts: from then on the ticks' own time does."""
        if self._began is None:
            self._began = current_ntp_time() - round(at_s * _SECOND)

    def ntp(self, at_s: float) -> int | None:
        return None if self._began is None else self._began + round(at_s * _SECOND)


class ClockedTrack(Protocol):
    """A track that knows which time of the stream the frame has that it handed out last."""

    clock: OneClock
    at_s: float


def report_ticks(sender: RTCRtpSender, track: ClockedTrack) -> None:
    """From now on the sender's reports tell the time of the track's ticks."""
    vars(sender).pop(_FIELD)
    sender.__class__ = _ClockedSender
    vars(sender).update(_ticks=track, _reported=0)


def _reported(sender: Any) -> int:
    return int(sender._reported)


def _sent(sender: Any, now: int) -> None:
    """aiortc says after each packet what time it is; the frame's own time stands in its place."""
    told = sender._ticks.clock.ntp(sender._ticks.at_s)
    sender._reported = now if told is None else told


_ClockedSender = type("ClockedSender", (RTCRtpSender,), {_FIELD: property(_reported, _sent)})
