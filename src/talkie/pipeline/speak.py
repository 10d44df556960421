"""One text to one stream of speech and its marks: sentence by sentence, the next one made while the last is consumed.

Knows nothing of who asked, of models or of how many others there are: whoever calls gives a `synthesize` that speaks
one sentence. Steps: `speak_text.py` reads the text, `speak_line.py` makes one line of it whole, `audio/joins.py` puts
lines together, `speak_pieces.py` cuts what is made into pieces.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from talkie.audio.joins import CROSS_FADE_S, Joiner
from talkie.errors import NothingToSay
from talkie.pipeline.ahead import Ahead
from talkie.pipeline.speak_line import LineMaker, Spoken
from talkie.pipeline.speak_pace import Pace
from talkie.pipeline.speak_pieces import Pieces
from talkie.pipeline.speak_plan import Cancel, SpeakPlan
from talkie.pipeline.speak_text import check_options, lines_of
from talkie.text.parts import Pause
from talkie.types import Mark, SpeechChunk

if TYPE_CHECKING:
    from talkie.text.lines import Line

LAST_PAUSE_S = 0.1
"""After the last sentence, in place of the pause between two: some players cut the end off."""

_WAITED_S = 0.1
"""Giving a line away takes longer only where the listener is behind."""


def speak(text: str | Iterable[str], plan: SpeakPlan, cancel: Cancel) -> Generator[SpeechChunk, None, None]:
    """Speech as it is made, in pieces of 0.2 to 1 s of one rate; times count from the start of the whole text.

    Errors of a whole text and of the options are raised here, before the generator is made; those of a text in pieces,
    which may still be being written, come from it. Raises `NothingToSay`, `TextTooLong`, `BadSsml`, `InvalidValue`,
    `UnsupportedByModel`. Leaving the generator sets `cancel`.
    """
    check_options(plan.options)
    return _speak(lines_of(text, plan, cancel), plan, cancel)


def _speak(lines: Iterator[Line | Pause], plan: SpeakPlan, cancel: Cancel) -> Generator[SpeechChunk, None, None]:
    with Ahead(_made(lines, plan, cancel), _seconds, plan.ahead_s) as ahead:
        finished = False
        try:
            for chunk in ahead:
                cancel.check()
                yield chunk
            finished = True
        finally:
            if not finished:
                cancel.cancel()  # before `ahead` waits for its thread, which may wait for the engine


def _made(lines: Iterator[Line | Pause], plan: SpeakPlan, cancel: Cancel) -> Iterator[SpeechChunk]:
    """All of it, in order; runs in the thread of `Ahead`."""
    utterance, pace = _Utterance(plan), Pace(plan.clock)
    maker = LineMaker(plan, cancel)
    with ExitStack() as stack:
        stack.callback(getattr(lines, "close", _nothing))  # a text that is still being written is left at once
        for line in lines:
            cancel.check()
            if isinstance(line, Pause):
                yield from utterance.rest(line.seconds)
                continue
            for part in pace.parts(line):
                cancel.check()
                began = plan.clock()
                spoken = maker.make(part)
                given = plan.clock()
                pace.made(len(part.text), len(spoken.samples) / utterance.rate, given - began)
                yield from utterance.say(spoken, part.pause_s / maker.speed(part))
                if plan.clock() - given > _WAITED_S:
                    pace.rested(plan.ahead_s)
    yield from utterance.finish()


class _Utterance:
    """What has been said so far, on one timeline."""

    def __init__(self, plan: SpeakPlan) -> None:
        self._plan = plan
        self.rate = plan.sample_rate or plan.info.sample_rate
        self._joiner = Joiner(self.rate)
        self._pieces = Pieces(self.rate, plan.generation)
        self._owed_s = 0.0
        self._spoken = False

    def say(self, spoken: Spoken, pause_s: float) -> Iterator[SpeechChunk]:
        """A line, after the pause that the line before it asked for."""
        if not len(spoken.samples):
            self._owed_s = max(self._owed_s, pause_s)
            return
        yield from self.rest(self._owed_s)
        start, ready = self._joiner.add(spoken.samples, touched=not pause_s)
        own = len(spoken.samples) - (0 if pause_s else round(CROSS_FADE_S * self.rate))  # the rest is the next line's
        marks = [_placed(mark, start, max(own, 1), self.rate) for mark in spoken.marks]
        yield from self._pieces.add(ready, marks)
        self._owed_s, self._spoken = pause_s, True

    def rest(self, seconds: float) -> Iterator[SpeechChunk]:
        """Silence, in which the mouth is closed."""
        self._owed_s = 0.0
        start_s = self._joiner.length / self.rate
        silence = self._joiner.pause(seconds)
        if not len(silence):
            return
        closed = Mark("viseme", "X", start_s, self._joiner.length / self.rate)
        yield from self._pieces.add(silence, [closed] if self._plan.visemes else [])

    def finish(self) -> Iterator[SpeechChunk]:
        if not self._spoken:
            raise NothingToSay
        yield from self.rest(min(self._owed_s, LAST_PAUSE_S))
        yield from self._pieces.add(self._joiner.finish(), [])


def _nothing() -> None:
    """A list has nothing to be closed."""


def _placed(mark: Mark, start: int, length: int, sample_rate: int) -> Mark:
    """In the time of the whole; it begins before the last of the `length` samples that belong to it."""
    begin_s = min(mark.start_s, (length - 1) / sample_rate)
    end_s = max(begin_s, min(mark.end_s, length / sample_rate))
    return replace(mark, start_s=start / sample_rate + begin_s, end_s=start / sample_rate + end_s)


def _seconds(chunk: SpeechChunk) -> float:
    return len(chunk.samples) / chunk.sample_rate
