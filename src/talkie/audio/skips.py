"""Times of a window from which pauses were left out, turned into times of the recording. Pure.

A time before a skip stays, a time after it moves by its length. At the skip itself, what ends there ended before the
pause, and what begins there began after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from talkie.types import Audio, Dropped, Segment, Skip, Span, Transcript, Word


def begin_s(time_s: float, skips: Sequence[Skip]) -> float:
    """The time of the recording for something that begins at `time_s` of the window."""
    return time_s + sum(skip.seconds for skip in skips if skip.at_s <= time_s)


def end_s(time_s: float, skips: Sequence[Skip]) -> float:
    """The time of the recording for something that ends at `time_s` of the window."""
    return time_s + sum(skip.seconds for skip in skips if skip.at_s < time_s)


def spans(window: Audio) -> tuple[Span, ...]:
    """`window.speech` in times of the recording."""
    skips = window.skips
    return tuple(Span(begin_s(span.start_s, skips), end_s(span.end_s, skips)) for span in window.speech)


def transcript(heard: Transcript, skips: Sequence[Skip]) -> Transcript:
    """What was heard in a window, with every time in it that of the recording."""
    if not skips:
        return heard
    return replace(
        heard,
        segments=tuple(_segment(segment, skips) for segment in heard.segments),
        dropped=tuple(Dropped(_segment(drop.segment, skips), drop.reason) for drop in heard.dropped),
        decoded_until_s=end_s(heard.decoded_until_s, skips),
    )


def _segment(segment: Segment, skips: Sequence[Skip]) -> Segment:
    return replace(
        segment,
        start_s=begin_s(segment.start_s, skips),
        end_s=end_s(segment.end_s, skips),
        words=tuple(_word(word, skips) for word in segment.words),
    )


def _word(word: Word, skips: Sequence[Skip]) -> Word:
    """A word is not said on both sides of a pause: one that seems to be is said where more of it lies."""
    start, end = begin_s(word.start_s, skips), end_s(word.end_s, skips)
    within = next((skip for skip in skips if word.start_s < skip.at_s < word.end_s), None)
    if within is None:
        return replace(word, start_s=start, end_s=max(start, end))
    if within.at_s - word.start_s >= word.end_s - within.at_s:
        return replace(word, start_s=start, end_s=end_s(within.at_s, skips))
    return replace(word, start_s=begin_s(within.at_s, skips), end_s=end)
