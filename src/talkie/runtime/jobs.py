"""One request's way through a lane: windows in, transcripts out in the order in which the windows came.

Knows nothing of batches or threads: a lane takes its windows and tells it what became of them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias
from weakref import ref

from talkie.engines.base import RecognizeOptions
from talkie.errors import TalkieError
from talkie.runtime.turns import Priority, Queue
from talkie.types import Audio, Transcript

if TYPE_CHECKING:
    from talkie.runtime.scheduler import Lane

Outcome: TypeAlias = Transcript | TalkieError


@dataclass(slots=True, eq=False, weakref_slot=True)
class Window:
    """A piece of audio and what is wanted of it. `outcome` is kept here until its turn to be told has come."""

    job: Job
    audio: Audio
    options: RecognizeOptions
    came_s: float
    future: Future[Transcript] = field(default_factory=Future)
    outcome: Outcome | None = None

    @property
    def is_over(self) -> bool:
        return self.outcome is not None or self.future.cancelled()


class Job:
    """A request's place in a lane, until `close`. As a context manager it closes itself.

    `lookahead` is how many of its windows in flight keep the model busy; more would only take memory. `first_batch` is
    how many are worth waiting for before the first is handed in.
    """

    def __init__(
        self, lane: Lane, queue: Queue[Window], priority: Priority, lookahead: int, first_batch: int = 1
    ) -> None:
        self.priority = priority
        self.lookahead = lookahead
        self.first_batch = first_batch
        self.queue = queue
        self._lane = lane
        self._order = threading.Lock()
        self._untold: deque[Window] = deque()
        self._telling = threading.Lock()
        """Held while results are told, so that two threads cannot tell them the wrong way round. Nobody waits for it:
        who is told may hold locks of his own."""

    def submit(self, audio: Audio, options: RecognizeOptions) -> Future[Transcript]:
        """A window into the line. Its future gives the transcript or the engine's error; cancelled, it leaves the line.

        Raises `QueueFull`, `ShuttingDown`, and what the engine has against this window (`Recognizer.batch_key`).
        """
        with self._order:
            window = self._lane.enqueue(self, audio, options)
            self._untold.append(window)
        # A future keeps its callbacks: by a strong reference it and its window, sound and all, would keep each other.
        known = ref(window)
        window.future.add_done_callback(lambda future: self._forget(known()) if future.cancelled() else None)
        return window.future

    @contextmanager
    def listening(self) -> Iterator[None]:
        """While its owner waits for an answer nothing new is to be expected, and nobody is kept waiting for it."""
        self._lane.expect(self.queue, more=False)
        try:
            yield
        finally:
            self._lane.expect(self.queue, more=True)

    def tell(self, window: Window, outcome: Outcome) -> None:
        """What became of a window; its owner hears of it after all that came before."""
        window.outcome = outcome
        self._tell_in_order()

    def close(self) -> None:
        """The request has ended: what still waits is dropped, and nobody will read what is at work."""
        with self._order:
            untold = list(self._untold)
        for window in untold:
            window.future.cancel()
        self._lane.leave(self.queue)

    def __enter__(self) -> Job:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _forget(self, window: Window | None) -> None:
        if window is not None:
            self._lane.drop(self.queue, window)
        self._tell_in_order()

    def _tell_in_order(self) -> None:
        """Whoever is at it already tells this too: what comes while he ends is seen when he looks once more."""
        while self._is_news() and self._telling.acquire(blocking=False):
            try:
                while (window := self._next_news()) is not None:
                    if not window.future.cancelled():
                        _settle(window.future, window.outcome)
            finally:
                self._telling.release()

    def _is_news(self) -> bool:
        with self._order:
            return bool(self._untold) and self._untold[0].is_over

    def _next_news(self) -> Window | None:
        with self._order:
            return self._untold.popleft() if self._untold and self._untold[0].is_over else None


def _settle(future: Future[Transcript], outcome: Outcome | None) -> None:
    if isinstance(outcome, Transcript):
        future.set_result(outcome)
    else:
        future.set_exception(outcome)


def by_job(windows: Sequence[Window]) -> list[list[Window]]:
    """Each request's part of a batch."""
    parts: dict[int, list[Window]] = {}
    for window in windows:
        parts.setdefault(id(window.job), []).append(window)
    return list(parts.values())
