"""Utterances that are over, on their way to their texts: windows are submitted, answers told in order.

Knows nothing of how utterances are found, and never waits. The language is found once for the session and kept: until
it is known, one window at a time is asked for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from talkie.audio import skips
from talkie.pipeline.feeding import InFlight
from talkie.pipeline.heard import Heard
from talkie.pipeline.live_plan import LivePlan
from talkie.types import Audio, LiveFinal, Span, Transcript


@dataclass(slots=True, eq=False)
class _Utterance:
    """`span` is known once it is over; `resumes`: how often the rest of the window in front was asked for."""

    number: int
    plan: LivePlan
    waiting: deque[Audio] = field(default_factory=deque)
    in_flight: deque[InFlight] = field(default_factory=deque)
    heard: Heard | None = None
    resumes: int = 0
    span: Span | None = None

    @property
    def windows(self) -> list[Audio]:
        return [*(one.window for one in self.in_flight), *self.waiting]

    @property
    def is_done(self) -> bool:
        return self.span is not None and not self.waiting and not self.in_flight


class Finals:
    """`changed` is called from any thread when an answer has come."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._utterances: deque[_Utterance] = deque()
        self.language: str | None = None
        """The one that was found, until it is set anew."""
        self.cancelled = 0

    @property
    def pending(self) -> bool:
        return bool(self._utterances)

    @property
    def unheard_s(self) -> float:
        return sum(window.duration_s for one in self._utterances for window in one.windows)

    def add(self, number: int, window: Audio, plan: LivePlan) -> None:
        """A window of an utterance, which may go on. Raises what a submit raises."""
        self._of(number, plan).waiting.append(window)
        self._send()

    def end(self, number: int, span: Span, plan: LivePlan) -> None:
        """The utterance is over; without a window its text is empty."""
        self._of(number, plan).span = span

    def forget(self, number: int) -> None:
        """What was submitted of an utterance is no longer wanted."""
        for one in self._utterances:
            if one.number == number:
                self._cancel(one)
                one.heard = None

    def collect(self) -> list[LiveFinal]:
        """The finals that are ready, in order. Raises the error of an engine."""
        finals: list[LiveFinal] = []
        while self._utterances:
            first = self._utterances[0]
            self._take_answers(first)
            self._send()
            if first.in_flight and first.in_flight[0].future.done():
                continue
            if not first.is_done:
                break
            finals.append(self._final(self._utterances.popleft()))
        return finals

    def close(self) -> None:
        for one in self._utterances:
            self._cancel(one)
        self._utterances.clear()

    def _of(self, number: int, plan: LivePlan) -> _Utterance:
        if not self._utterances or self._utterances[-1].number != number:
            self._utterances.append(_Utterance(number, plan))
        return self._utterances[-1]

    def _send(self) -> None:
        for one in self._utterances:
            while one.waiting:
                heard = self._heard(one)
                if heard.needs_answer and any(other.in_flight for other in self._utterances):
                    return
                one.heard = heard
                window = one.waiting.popleft()
                one.in_flight.append(InFlight(window, self._submit(one, window, heard)))

    def _heard(self, one: _Utterance) -> Heard:
        """Kept once its first window goes: by then the language may be known."""
        if one.heard is not None:
            return one.heard
        options = replace(one.plan.options, language=one.plan.options.language or self.language)
        return Heard(one.plan.info, options, filters=one.plan.filters, by_speech=True)

    def _submit(self, one: _Utterance, window: Audio, heard: Heard) -> Future[Transcript]:
        future = one.plan.submit_final(window, heard.options)
        future.add_done_callback(lambda _: self._changed())
        return future

    def _take_answers(self, one: _Utterance) -> None:
        while one.in_flight and one.in_flight[0].future.done():
            window, future = one.in_flight[0].window, one.in_flight[0].future
            one.in_flight.popleft()
            transcript, heard = future.result(), self._heard(one)
            heard.learn(transcript)
            self.language = self.language or heard.options.language
            heard.keep(window, skips.transcript(transcript, window.skips))
            rest = heard.rest(window, transcript, one.resumes)
            one.resumes = one.resumes + 1 if rest is not None else 0
            if rest is not None:
                one.in_flight.appendleft(InFlight(rest, self._submit(one, rest, heard)))

    def _final(self, one: _Utterance) -> LiveFinal:
        span = one.span or Span(0.0, 0.0)
        return LiveFinal(one.number, span, self._heard(one).result(span.duration_s, span.end_s))

    def _cancel(self, one: _Utterance) -> None:
        self.cancelled += len(one.waiting) + sum(asked.future.cancel() for asked in one.in_flight)
        one.waiting.clear()
        one.in_flight.clear()
