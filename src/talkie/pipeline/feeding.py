"""Windows on their way to a recogniser: prepared in a thread, submitted as soon as there is room, heard in order.

Knows nothing of what is made of a transcript. While the model works on the windows in flight, the next are decoded and
their speech is found; as soon as one comes back, those that are ready follow it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, TypeAlias

from talkie.engines.base import RecognizeOptions
from talkie.pipeline.ahead import Ahead
from talkie.types import Audio, Transcript

Submit: TypeAlias = Callable[[Audio, RecognizeOptions], "Future[Transcript]"]

PREPARED_S = 360.0
"""Seconds of windows that are ready and not yet submitted: a full batch of full ones, 23 MB."""


@dataclass(frozen=True, slots=True)
class InFlight:
    """A window, and what it will become."""

    window: Audio
    future: Future[Transcript]


class Terms(Protocol):
    """How windows are submitted; both may change with each transcript."""

    @property
    def lookahead(self) -> int:
        """How many may be in flight."""
        ...

    @property
    def options(self) -> RecognizeOptions: ...


class Feed:
    """Windows, submitted as they are ready. `gather` of them are awaited before the first goes, where so many may go at
    once: a model that gains from a batch should not begin with a batch of one."""

    def __init__(self, windows: Iterator[Audio], submit: Submit, terms: Terms, gather: int = 1) -> None:
        self._ahead = Ahead(windows, lambda window: window.duration_s, PREPARED_S, self._submit_ready)
        self._submit, self._terms, self._gather = submit, terms, gather
        self._in_flight: deque[InFlight] = deque()
        self._unheard = 0
        """Windows submitted and not finished with."""

    def __iter__(self) -> Iterator[InFlight]:
        """In order; errors in their place. Taking the next says that the one before is finished with."""
        changed = self._ahead.changed
        while True:
            with changed:
                changed.wait_for(lambda: self._in_flight or (self._ahead.ended and not len(self._ahead)))
                if not self._in_flight:
                    break
                first = self._in_flight[0]
            yield first
            with changed:
                self._in_flight.popleft()
                self._unheard -= 1
                self._submit_ready()
        self._ahead.raise_error()

    def terms_changed(self) -> None:
        """More windows may go now."""
        with self._ahead.changed:
            self._submit_ready()

    def paused(self) -> AbstractContextManager[None]:
        """Nothing is prepared or submitted: see `Ahead.paused`."""
        return self._ahead.paused()

    def __enter__(self) -> Feed:
        self._ahead.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ahead.__exit__(kind, error, trace)
        for one in self._in_flight:
            one.future.cancel()

    def _submit_ready(self) -> None:
        """In whichever thread made room or brought a window; the caller holds the lock."""
        room = self._terms.lookahead - self._unheard
        if len(self._ahead) < min(self._gather, room) and not (self._ahead.ended or self._ahead.full):
            return
        while room > 0 and len(self._ahead):
            window = self._ahead.take()
            try:
                future = self._submit(window, self._terms.options)
            except BaseException as error:  # raised where windows are heard, after those before it
                self._ahead.fail(error)
                return
            self._gather = 1
            self._in_flight.append(InFlight(window, future))
            self._unheard += 1
            room -= 1
