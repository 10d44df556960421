"""Speech while it is spoken, to events: utterances are found, guessed at, and heard in full when they end.

    sound -> audio/utterances.py (where speech is) -> live_guesses.py | live_native.py (what it says so far)
          -> live_finals.py (what it said) -> events

Knows nothing of sockets, threads or how many sessions there are. Everything is called from one thread, its owner's, and
nothing waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from talkie.audio.utterances import Utterances
from talkie.pipeline.live_finals import Finals
from talkie.pipeline.live_guesses import Guesses, Passes, PassPace
from talkie.pipeline.live_native import NativeGuesses
from talkie.pipeline.live_plan import LivePlan
from talkie.types import (
    SAMPLE_RATE_HZ,
    Audio,
    LiveEvent,
    LiveNotice,
    Notice,
    Samples,
    Span,
    SpeechStarted,
    SpeechStopped,
)

__all__ = ["LiveHearing", "LivePlan"]

MAX_COMMIT_S = 600.0
"""A client that says where an utterance ends does so within ten minutes of speech, or we do: its text has a bound."""
NO_PARTIALS = Notice("no_partials", "The engine has no place for another speaker: what is said is told when it ends.")


@dataclass(frozen=True, slots=True)
class _Open:
    """The utterance that is being spoken; it is heard to its end by the plan with which it began."""

    number: int
    start_s: float
    guesses: Guesses | None


class LiveHearing:
    """One session. Give sound to `feed`; call `collect` whenever `changed` was called; hand on what all of them return.

    `changed` is called from any thread, the owner's own too, when an answer has come. Errors of an engine for a final
    are raised by `collect` (once; the session should end by it); a guess that failed is forgotten.
    """

    def __init__(self, plan: LivePlan, changed: Callable[[], None]) -> None:
        """Raises `EngineUnavailable` where the detector is missing; loads it, should it not be loaded."""
        self._plan, self._changed = plan, changed
        self._next_plan: LivePlan | None = None
        self._finals = Finals(changed)
        self._pace = PassPace()
        self._number = 0
        self._open: _Open | None = None
        self._out: list[LiveEvent] = []
        self._told_no_partials = False
        self._taken_back = 0
        self._utterances = self._listen_from(0)

    # -- what is asked -----------------------------------------------------------------------------------------------

    @property
    def pending(self) -> bool:
        """A final is in the line, at work, or waits to be collected."""
        return bool(self._out) or self._finals.pending

    @property
    def heard_s(self) -> float:
        """Session time: seconds of sound fed so far."""
        return self._utterances.end / SAMPLE_RATE_HZ

    @property
    def unheard_s(self) -> float:
        """Seconds of sound that are on their way to a final text."""
        return self._finals.unheard_s

    @property
    def cancelled(self) -> int:
        """Windows that were taken back before their answer came, since the beginning."""
        return self._taken_back + self._finals.cancelled

    # -- what is done ------------------------------------------------------------------------------------------------

    def feed(self, samples: Samples) -> list[LiveEvent]:
        """More sound, of any length. Raises what a submit of the plan raises."""
        self._take(self._utterances.feed(samples))
        if self._plan.by_client and self._open is not None and self.heard_s - self._open.start_s > MAX_COMMIT_S:
            self._end(by_client=False)
        self._change_if_due()
        if self._open is None and self._utterances.open_from is not None:
            self._begin(self._utterances.open_from)
        if self._open is not None and self._open.guesses is not None:
            self._open.guesses.hear(self._utterances)
        return self.collect()

    def commit(self) -> list[LiveEvent]:
        """The utterance ends here, by the client's word. With nothing to hear since the last: an empty final."""
        self._end(by_client=True)
        self._change_if_due()
        return self.collect()

    def clear(self) -> None:
        """Forget the utterance that has not ended. One whose beginning was told ends empty, by the next `collect`."""
        end = self._utterances.end
        if self._open is not None:
            self._finals.forget(self._open.number)
            self._stop(Span(self._open.start_s, end / SAMPLE_RATE_HZ), by_client=True)
        self._utterances = self._listen_from(end)
        self._change_if_due()

    def finish(self) -> list[LiveEvent]:
        """No more sound will come. `pending` falls to False once all finals were collected."""
        windows = self._utterances.finish()
        self._take(windows)
        if self._open is not None:
            self._stop(self._open_span(windows))
        self._utterances = self._listen_from(self._utterances.end)
        return self.collect()

    def collect(self) -> list[LiveEvent]:
        """The events that answers make. Raises the error of an engine for a final."""
        self._collect_guess()
        self._out += self._finals.collect()
        out, self._out = self._out, []
        return out

    def change(self, plan: LivePlan) -> None:
        """Go on in another way, from the next utterance on."""
        self._next_plan = plan
        self._change_if_due()

    def close(self) -> None:
        """Everything in flight is cancelled, native streams are given back. Harmless a second time."""
        self._end_guesses()
        self._open = None
        self._finals.close()

    # -- an utterance ------------------------------------------------------------------------------------------------

    def _begin(self, start: int) -> None:
        start_s = start / SAMPLE_RATE_HZ
        self._open = _Open(self._number, start_s, self._guesses(start))
        self._out.append(SpeechStarted(self._number, start_s))

    def _guesses(self, start: int) -> Guesses | None:
        plan = self._plan
        if not plan.partials:
            return None
        if plan.native is not None:
            return NativeGuesses(self._number, start, plan, self._changed, self._refused)
        return Passes(self._number, start, plan, lambda: self._finals.language, self._changed, self._pace)

    def _take(self, windows: list[Audio]) -> None:
        """Windows that came of themselves: each is an utterance, unless it is for the client to say."""
        for window in windows:
            self._add(window)
            if self._plan.by_client:
                self._go_on(window)
            else:
                self._stop(_span(window))

    def _add(self, window: Audio) -> None:
        if self._open is None:
            self._begin(round(window.start_s * SAMPLE_RATE_HZ))
        self._finals.add(self._number, window, self._plan)

    def _go_on(self, window: Audio) -> None:
        if self._open is not None and self._open.guesses is not None:
            self._taken_back += self._open.guesses.go_on(round(_span(window).end_s * SAMPLE_RATE_HZ))

    def _end(self, *, by_client: bool) -> None:
        """What there is, is an utterance, said or not."""
        windows = self._utterances.finish()
        self._take(windows if self._plan.by_client else windows[:-1])
        if not self._plan.by_client and windows:
            self._add(windows[-1])
        self._stop(self._open_span(windows), by_client=by_client)
        self._utterances = self._listen_from(self._utterances.end)

    def _open_span(self, windows: list[Audio]) -> Span:
        end_s = _span(windows[-1]).end_s if windows else self.heard_s
        return Span(self._open.start_s if self._open is not None else end_s, end_s)

    def _stop(self, span: Span, *, by_client: bool = False) -> None:
        """The utterance is over: what was still guessed of it is of no use."""
        self._collect_guess()
        self._end_guesses()
        self._out.append(SpeechStopped(self._number, span.end_s, by_client))
        self._finals.end(self._number, span, self._plan)
        self._open = None
        self._number += 1

    def _collect_guess(self) -> None:
        if self._open is not None and self._open.guesses is not None:
            partial = self._open.guesses.collect()
            self._out += [partial] if partial is not None else []

    def _end_guesses(self) -> None:
        if self._open is not None and self._open.guesses is not None:
            self._taken_back += self._open.guesses.close()

    def _refused(self) -> None:
        if not self._told_no_partials:
            self._told_no_partials = True
            self._out.append(LiveNotice(NO_PARTIALS))

    # -- the plan ----------------------------------------------------------------------------------------------------

    def _listen_from(self, start: int) -> Utterances:
        plan = self._plan
        longest_s = min(plan.segmenting.max_seconds, plan.info.max_seconds)
        segmenting = replace(plan.segmenting, max_seconds=longest_s)
        return Utterances(plan.detector.open(), segmenting, by_client=plan.by_client, start=start)

    def _change_if_due(self) -> None:
        """Between utterances only. Sound that may be the beginning of the next is heard again in the new way."""
        plan = self._next_plan
        if plan is None or self._open is not None or self._utterances.open_from is not None:
            return
        before, self._plan, self._next_plan = self._plan, plan, None
        if plan.options.language != before.options.language:
            self._finals.language = None
        if (plan.detector, plan.segmenting, plan.by_client) != (before.detector, before.segmenting, before.by_client):
            place, sound = self._utterances.unsettled()
            self._utterances = self._listen_from(place)
            self._take(self._utterances.feed(sound))


def _span(window: Audio) -> Span:
    """Of the session: pauses that were left out count. Exact to a sample."""
    end_s = window.end_s + sum(skip.seconds for skip in window.skips)
    return Span(window.start_s, round(end_s * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ)
