"""A window's tokens cut into phrases at its timestamp tokens. Pure; the rules are those of openai/whisper.

Text stands between timestamps, `<|0.00|> Hello. <|1.20|><|1.40|> Bye. <|2.00|>`. Two timestamps in a row part two
phrases; a single one at the very end says that nothing was said after it; phrases left open are taken up by the next
window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from talkie.audio.mel import FRAME_S
from talkie.engines.asr.whisper.tokens import TIMESTAMP_STEP_S

_FRAMES_PER_STEP = 2


@dataclass(frozen=True, slots=True)
class Phrase:
    """Tokens of one phrase, timestamps included, and its times in seconds of the recording."""

    tokens: tuple[int, ...]
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Window:
    """Where a window lies: its start in the recording, and how many 10 ms frames of it hold sound."""

    start_s: float
    frames: int

    @property
    def duration_s(self) -> float:
        return self.frames * FRAME_S

    @property
    def end_s(self) -> float:
        return self.start_s + self.duration_s

    def clip(self, time_s: float) -> float:
        return min(max(time_s, self.start_s), self.end_s)


@dataclass(frozen=True, slots=True)
class Cut:
    """The phrases of a window, and how many of its frames they account for.

    `ends_alone` says that a single timestamp ended it: the decoder is done with the whole window.
    """

    phrases: tuple[Phrase, ...]
    frames_done: int
    ends_alone: bool


def cut(tokens: Sequence[int], timestamp_begin: int, window: Window) -> Cut:
    """Phrases of `tokens`, their times kept inside the window."""
    is_time = [token >= timestamp_begin for token in tokens]
    ends_alone = is_time[-2:] == [False, True]
    breaks = [i for i in range(1, len(tokens)) if is_time[i - 1] and is_time[i]]
    if not breaks:
        return Cut((_whole(tokens, timestamp_begin, window),), window.frames, ends_alone)
    if ends_alone:
        breaks.append(len(tokens))
    parts = [tuple(tokens[start:end]) for start, end in zip([0, *breaks], breaks, strict=False)]
    phrases = tuple(_clip(_timed(part, timestamp_begin, window), window) for part in parts)
    last_step = tokens[breaks[-1] - 1] - timestamp_begin
    done = window.frames if ends_alone else min(last_step * _FRAMES_PER_STEP, window.frames)
    return Cut(phrases, done, ends_alone)


def _timed(part: tuple[int, ...], timestamp_begin: int, window: Window) -> Phrase:
    start_s = window.start_s + (part[0] - timestamp_begin) * TIMESTAMP_STEP_S
    end_s = window.start_s + (part[-1] - timestamp_begin) * TIMESTAMP_STEP_S
    return Phrase(part, start_s, end_s)


def _whole(tokens: Sequence[int], timestamp_begin: int, window: Window) -> Phrase:
    """One phrase from the start of the window to its last timestamp, or to its end where there is none."""
    times = [token for token in tokens if token >= timestamp_begin]
    duration_s = window.duration_s
    if times and times[-1] != timestamp_begin:
        duration_s = (times[-1] - timestamp_begin) * TIMESTAMP_STEP_S
    return _clip(Phrase(tuple(tokens), window.start_s, window.start_s + duration_s), window)


def _clip(phrase: Phrase, window: Window) -> Phrase:
    start_s = window.clip(phrase.start_s)
    return replace(phrase, start_s=start_s, end_s=max(start_s, window.clip(phrase.end_s)))
