"""Guesses at an utterance that goes on: it is heard again and again, and what passes agree on is committed.

Knows nothing of sessions. A pass is made when nobody waits for the last one, enough has been said since, and somebody
is still speaking; so a machine that is busy makes fewer passes and never a queue of them. Of a long utterance only what
follows the committed phrases is heard again, where the engine says when they ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from math import ceil
from typing import Protocol

from talkie.audio.utterances import Utterances
from talkie.engines.base import RecognizeOptions
from talkie.errors import TalkieError
from talkie.pipeline.agreement import Agreement, units
from talkie.pipeline.live_plan import LivePlan
from talkie.text.filters import FilterContext, apply
from talkie.types import SAMPLE_RATE_HZ, Audio, LivePartial, Segment, Span, Transcript

LONG_PASS_S = 12.0
"""A pass over more than that begins after a committed phrase, if there is one."""
PATIENCE = 3.0
"""A session waits so many times as long for new sound as its last passes took."""
PACE_WEIGHT = 0.5
TOKENS_PER_S, TOKENS_MORE, MAX_TOKENS = 16, 24, 220
"""The most that a decoder may write in a pass: more is a loop, whatever the language."""


class Guesses(Protocol):
    """At one utterance. Called by one thread, and never waiting."""

    def hear(self, utterances: Utterances) -> None:
        """There may be new sound."""
        ...

    def collect(self) -> LivePartial | None:
        """The newest guess, where it differs from the last that was collected."""
        ...

    def go_on(self, sample: int) -> int:
        """What was said before `sample` is on its way to its final text, and the utterance goes on. How many windows
        were taken back."""
        ...

    def close(self) -> int:
        """No more. How many windows were taken back."""
        ...


class Telling:
    """An agreement as partials: only what changed is told."""

    def __init__(self, number: int, start_s: float) -> None:
        self.agreement = Agreement()
        self._number, self._start_s = number, start_s
        self._told = ("", "")

    def partial(self, end_s: float, language: str) -> LivePartial | None:
        texts = (self.agreement.committed, self.agreement.tentative)
        if texts == self._told:
            return None
        self._told = texts
        return LivePartial(self._number, self._start_s, end_s, *texts, language, self.agreement.gap)


class PassPace:
    """How long a pass of this session took of late, its wait in line included. On a machine with much to do passes take
    longer, so each session makes fewer of them, and finals of all find room."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.took_s = 0.0

    def asked(self) -> Callable[[], None]:
        """A pass begins; call what this gives when its answer is there, from any thread."""
        began_s = self._clock()

        def answered() -> None:
            self.took_s += PACE_WEIGHT * (self._clock() - began_s - self.took_s)

        return answered

    def every_s(self, usual_s: float) -> float:
        """How much new sound is worth a pass."""
        return max(usual_s, PATIENCE * self.took_s)


class Passes:
    """`Guesses` by an engine without partials of its own. `language` gives the one that is known, or None."""

    def __init__(
        self,
        number: int,
        start: int,
        plan: LivePlan,
        language: Callable[[], str | None],
        changed: Callable[[], None],
        pace: PassPace | None = None,
    ) -> None:
        self._plan, self._language, self._changed = plan, language, changed
        self._pace = pace or PassPace()
        self._telling = Telling(number, start / SAMPLE_RATE_HZ)
        self._from = self._until = start
        """What the last pass heard; the next one goes on from the same place."""
        self._future: Future[Transcript] | None = None

    def hear(self, utterances: Utterances) -> None:
        needed = self._pace.every_s(self._plan.partial_every_s()) * SAMPLE_RATE_HZ
        if self._future is not None or not utterances.speaking or utterances.judged - self._until < needed:
            return
        self._until = utterances.judged
        longest = int(self._plan.info.max_seconds * SAMPLE_RATE_HZ)
        start = max(self._from, utterances.open_from or 0, self._until - longest)
        start_s, end_s = start / SAMPLE_RATE_HZ, self._until / SAMPLE_RATE_HZ
        audio = Audio(utterances.read(start, self._until), start_s=start_s, speech=(Span(start_s, end_s),))
        answered = self._pace.asked()
        try:
            self._future = self._plan.submit_partial(audio, self._options(audio.duration_s))
        except TalkieError:  # no guess this time; what is wrong for good is told by the final
            return
        self._future.add_done_callback(lambda _: (answered(), self._changed()))

    def collect(self) -> LivePartial | None:
        if self._future is None or not self._future.done():
            return None
        future, self._future = self._future, None
        try:
            transcript = future.result()
        except (TalkieError, CancelledError):
            return None
        segments = believable(transcript, Span(self._from / SAMPLE_RATE_HZ, self._until / SAMPLE_RATE_HZ), self._plan)
        self._telling.agreement.hear(" ".join(segment.text.strip() for segment in segments))
        if self._until - self._from > LONG_PASS_S * SAMPLE_RATE_HZ:
            self._leave_behind(segments)
        return self._telling.partial(self._until / SAMPLE_RATE_HZ, transcript.language)

    def go_on(self, sample: int) -> int:
        self._telling.agreement.close()
        self._from = self._until = sample
        return self._drop()

    def close(self) -> int:
        return self._drop()

    def _drop(self) -> int:
        future, self._future = self._future, None
        return int(future is not None and future.cancel())

    def _leave_behind(self, segments: list[Segment]) -> None:
        """The next pass begins after the phrases that are committed as a whole; the last one is not over yet."""
        agreement = self._telling.agreement
        count = 0
        for segment in segments[:-1]:
            more = len(units(segment.text))
            place = round(segment.end_s * SAMPLE_RATE_HZ)
            if count + more > agreement.agreed or not self._from < place < self._until:
                break
            count += more
            self._from = place
        agreement.settle(count)

    def _options(self, seconds: float) -> RecognizeOptions:
        """Quick: the greedy way, once, in no more context than there is sound. Tokens are those of whole seconds, so
        that passes of several sessions may share a batch."""
        options = self._plan.options
        least = options.decoding.max_new_tokens or MAX_TOKENS
        most = min(TOKENS_MORE + TOKENS_PER_S * ceil(seconds), least)
        decoding = replace(options.decoding, beam_size=1, best_of=1, temperatures=(0.0,), max_new_tokens=most)
        language = options.language or self._language()
        return replace(options, language=language, words=False, context="guess", decoding=decoding)


def believable(transcript: Transcript, span: Span, plan: LivePlan) -> list[Segment]:
    """A guess's segments; none where a filter takes exception to any of them: it tells nothing."""
    segments = list(transcript.segments)
    context = FilterContext(transcript.language, (span,))
    if plan.filters and any(apply(segment, context) for segment in segments):
        return []
    return segments
