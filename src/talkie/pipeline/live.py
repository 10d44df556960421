"""Speech while it is spoken, to events: utterances are found, guessed at, and heard in full when they end.

Knows nothing of sockets, threads or how many sessions there are. Everything is called from one thread, its owner's;
nothing waits for an engine, but for the few moments in which an engine with native partials is fed.
"""

from __future__ import annotations

from collections.abc import Callable

from talkie.pipeline.live_plan import LivePlan
from talkie.types import LiveEvent, Samples

__all__ = ["LiveHearing", "LivePlan"]


class LiveHearing:
    """One session. Give sound to `feed`; call `collect` whenever `changed` was called; hand on what both return.

    `changed` is called from any thread, when an answer has come. Errors of an engine for a final are raised by
    `collect` (once; the session should end by it); a guess that failed is forgotten.
    """

    def __init__(self, plan: LivePlan, changed: Callable[[], None]) -> None:
        """Raises `EngineUnavailable` where the detector is missing; loads it, should it not be loaded."""
        raise NotImplementedError

    def feed(self, samples: Samples) -> list[LiveEvent]:
        """More sound, of any length. Raises what a submit of the plan raises."""
        raise NotImplementedError

    def commit(self) -> list[LiveEvent]:
        """The utterance ends here, by the client's word. With nothing to hear since the last: an empty final."""
        raise NotImplementedError

    def clear(self) -> None:
        """Forget the utterance that has not ended; its `SpeechStarted`, if told, gets an empty final from `collect`."""
        raise NotImplementedError

    def finish(self) -> list[LiveEvent]:
        """No more sound will come. `pending` falls to False once all finals were collected."""
        raise NotImplementedError

    def collect(self) -> list[LiveEvent]:
        """The events that answers make. Raises the error of an engine for a final."""
        raise NotImplementedError

    def change(self, plan: LivePlan) -> None:
        """Go on in another way, from the next utterance on."""
        raise NotImplementedError

    def close(self) -> None:
        """Everything in flight is cancelled, native streams are given back. Harmless a second time."""
        raise NotImplementedError

    @property
    def pending(self) -> bool:
        """A final is in the line, at work, or waits to be collected."""
        raise NotImplementedError

    @property
    def heard_s(self) -> float:
        """Session time: seconds of sound fed so far."""
        raise NotImplementedError

    @property
    def unheard_s(self) -> float:
        """Seconds of sound in utterances that have ended and have no final yet."""
        raise NotImplementedError

    @property
    def cancelled(self) -> int:
        """Windows that were taken back before their answer came, since the beginning."""
        raise NotImplementedError
