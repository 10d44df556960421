"""Is speech missing from a window's transcript? Pure arithmetic over times.

A Whisper decoder sometimes ends long before the speech does, and the rest would be lost without a word. So the end of
what it wrote is held against the speech that voice activity found, and what is left over is cut out to be heard again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from talkie.types import Audio, Span, Transcript

MISSING_S = 1.0
"""Speech left over that is worth another pass; less than this is the detector's padding and rounding."""


@dataclass(frozen=True, slots=True)
class Remainder:
    """The part of a window to hear again (None: nothing), and the seconds of speech in it."""

    audio: Audio | None = None
    missing_s: float = 0.0


def remainder(window: Audio, transcript: Transcript) -> Remainder:
    """What `transcript` leaves out of `window.speech`.

    A window in which nothing at all was heard is not taken up again: its decoder judged it to be no speech, and
    asking again gives the same answer.
    """
    if not transcript.segments and not transcript.dropped:
        return Remainder()
    heard_s = max(
        (segment.end_s for segment in (*transcript.segments, *(drop.segment for drop in transcript.dropped))),
        default=window.start_s,
    )
    left = tuple(Span(max(span.start_s, heard_s), span.end_s) for span in window.speech if span.end_s > heard_s)
    missing_s = sum(span.duration_s for span in left)
    if missing_s <= MISSING_S or heard_s <= window.start_s:
        return Remainder()
    return Remainder(_cut(window, left), missing_s)


def _cut(window: Audio, left: tuple[Span, ...]) -> Audio:
    start = max(0, round((left[0].start_s - window.start_s) * window.sample_rate))
    start_s = window.start_s + start / window.sample_rate
    return replace(window, samples=window.samples[start:], start_s=start_s, speech=left)
