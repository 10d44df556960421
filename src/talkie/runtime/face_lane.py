"""The line in front of one face network: frames of all who show it share its batches.

Knows nothing of sound or faces. Whose turn it is stands in `turns`. A batch takes what waits and is never kept back to
fill; those who look on live go before recordings. Each thread has buffers of its own, made once, and frames are
written straight into them. Where the network is too slow for all who look on live, it makes every second mouth of
theirs, or every third, and what lies between repeats the one before: late pictures would help nobody.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from talkie.engines.base import FaceModel, FaceModelInfo
from talkie.errors import EngineFailed, ShuttingDown, TalkieError
from talkie.runtime import metrics
from talkie.runtime.face_batch import Ask, Frame, Staging
from talkie.runtime.turns import Priority, Queue, Turns

if TYPE_CHECKING:
    from talkie.pipeline.faces import MouthItem
    from talkie.types import Picture

FPS = 25.0
"""Of every network of this kind."""
LOAD = 0.7
"""Of the time there is, what mouths of live faces may take; the rest is for all else that a picture costs."""
MOST_EVERY = 25
CPU_MOST = 4
"""Frames at work where they are computed one after the other: who interrupts waits for no more."""
RECENT_S = 1.0
"""Who asked within so long is looking on."""
STUCK_S = 5.0


class FacePlace:
    """One line's place in a lane: the `Mouths` of `pipeline.faces`. As a context manager it closes itself."""

    def __init__(self, lane: FaceLane, queue: Queue[Frame], priority: Priority) -> None:
        self._lane, self._queue, self.priority = lane, queue, priority
        self.asked_s = float("-inf")
        self._before: Future[list[Picture]] | None = None
        self._since = 0  # frames since the last that was made, that one too

    @property
    def info(self) -> FaceModelInfo:
        return self._lane.info

    def encode(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """As `FaceModel.encode`. Raises `EngineFailed`, `ShuttingDown`."""
        return self._lane.encode(windows)

    def submit(self, items: Sequence[MouthItem]) -> Future[list[Picture]]:
        """One mouth for each, in order. Raises `ShuttingDown`.

        One that is asked for alone is always its own, for it may be kept: a shut mouth is.
        """
        last_s, every = self.asked_s, self._lane.every(self)
        is_new = self.asked_s - last_s > RECENT_S
        ask = Ask(items) if len(items) < 2 else self._follow_up(items, every, is_new=is_new)
        if items:
            self._lane.enqueue(self._queue, ask)
        return ask.future

    def _follow_up(self, items: Sequence[MouthItem], every: int, *, is_new: bool) -> Ask:
        before = self._before
        is_new = is_new or before is None or before.cancelled()
        first = 0 if is_new else min(len(items), max(0, every - self._since))
        ask = Ask(items, every, first, before)
        self._since = len(items) - ask.frames[-1].place if ask.frames else self._since + len(items)
        self._before = ask.future
        return ask

    def close(self) -> None:
        """What still waits is cancelled. Harmless a second time."""
        self._lane.leave(self, self._queue)

    def __enter__(self) -> FacePlace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class FaceLane:
    """The threads that serve one network, in batches of at most `most`. `close` ends them and it."""

    def __init__(self, model: FaceModel, most: int = 16, clock: Callable[[], float] = time.monotonic) -> None:
        self.model = model
        self.on_close = ExitStack()
        """Whatever must be given back with the lane."""
        most = min(most, CPU_MOST // max(1, model.info.workers)) if model.info.device == "cpu" else most
        self.info: FaceModelInfo = replace(model.info, max_batch=max(1, min(most, model.info.max_batch)))
        self._clock = clock
        self._metrics = metrics.LaneMetrics(self.info.name)
        self._changed = threading.Condition()
        self._encoding = threading.Lock()
        self._turns: Turns[Frame] = Turns(self.info.max_batch)
        self._live: set[FacePlace] = set()
        self._frame_s = 0.0  # that a mouth takes, while all threads are at work
        self._at_work = 0
        self._closed = False
        self._threads = [
            threading.Thread(target=self._serve, name=f"face-{self.info.name}-{number}", daemon=True)
            for number in range(max(1, self.info.workers))
        ]
        for thread in self._threads:
            thread.start()

    def ready(self) -> bool:
        """A network is loaded and warm as soon as there is one."""
        return True

    @property
    def waiting(self) -> int:
        """Frames in the line."""
        return self._turns.windows

    # -- for those who show ----------------------------------------------------------------------------------------

    def open(self, priority: Priority = "interactive") -> FacePlace:
        """A place for one line. Raises `ShuttingDown`."""
        with self._changed:
            self._refuse_if_closed()
            queue = self._turns.open(priority)
            queue.quiet = True  # nobody waits for more of it to come
            place = FacePlace(self, queue, priority)
            if queue.manners.live:
                self._live.add(place)
            return place

    def encode(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """One caller at a time, beside the frames at work. Raises `EngineFailed`, `ShuttingDown`."""
        with self._encoding:
            with self._changed:
                self._refuse_if_closed()
            try:
                return self.model.encode(windows)
            except TalkieError:
                raise
            except Exception as error:
                raise EngineFailed(self.info.engine, type(error).__name__) from error

    def every(self, place: FacePlace) -> int:
        """Of how many frames in a row the network makes one for this place: 1 while it can keep up."""
        with self._changed:
            now_s = place.asked_s = self._clock()
            if place not in self._live:
                return 1
            looking = sum(now_s - one.asked_s <= RECENT_S for one in self._live)
            share = self._frame_s * FPS * looking / LOAD
        return min(MOST_EVERY, max(1, ceil(share)))

    def enqueue(self, queue: Queue[Frame], ask: Ask) -> None:
        """Into the line; a cancelled ask leaves it. Raises `ShuttingDown`."""
        with self._changed:
            self._refuse_if_closed()
            now_s = self._clock()
            for frame in ask.frames:
                self._turns.add(queue, frame, None, 1 / FPS, now_s)
            metrics.FACE_REPEATED.labels("behind").inc(len(ask.items) - len(ask.frames))
            self._told()
        ask.future.add_done_callback(lambda future: self._drop(queue, ask) if future.cancelled() else None)

    def leave(self, place: FacePlace, queue: Queue[Frame]) -> None:
        with self._changed:
            self._live.discard(place)
            left = self._turns.close(queue)
            self._told()
        for frame in left:
            frame.ask.future.cancel()

    def _drop(self, queue: Queue[Frame], ask: Ask) -> None:
        with self._changed:
            for frame in ask.frames:
                self._turns.drop(queue, frame)
            self._told()

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise ShuttingDown

    def _told(self) -> None:
        """After every change; the caller holds the lock."""
        self._metrics.queued(self._turns.windows, self._turns.seconds)
        self._changed.notify()

    # -- the threads -----------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        staging = Staging(self.info)
        while batch := self._next():
            wanted = [frame for frame in batch if not frame.ask.future.done()]
            if wanted:
                self._make(wanted, staging)

    def _next(self) -> list[Frame]:
        """Wait for some; none when the lane is closed."""
        with self._changed:
            while not self._closed:
                dealt = self._turns.deal(self._clock(), 1)
                if dealt:
                    self._told()
                    return dealt[0]
                self._changed.wait()
        return []

    def _make(self, batch: list[Frame], staging: Staging) -> None:
        """What goes wrong is told to those in the batch, and to nobody else."""
        try:
            with self._metrics.busy(len(batch)), self._timed(len(batch)):
                staging.run(self.model, batch)
        except TalkieError as error:
            self._fail(batch, error)
        except Exception as error:
            self._fail(batch, EngineFailed(self.info.engine, type(error).__name__))

    @contextmanager
    def _timed(self, frames: int) -> Iterator[None]:
        """What a mouth takes, learned where nothing goes wrong. Threads at work at once share the network: each takes
        as much longer."""
        began_s, made = time.monotonic(), False
        with self._changed:
            self._at_work += 1
            before = self._at_work
        try:
            yield
            made = True
        finally:
            with self._changed:
                frame_s = (time.monotonic() - began_s) / frames / ((before + self._at_work) / 2)
                self._at_work -= 1
                if made:
                    self._frame_s += (frame_s - self._frame_s) * (0.2 if self._frame_s else 1.0)

    def _fail(self, batch: list[Frame], error: TalkieError) -> None:
        for ask in {id(frame.ask): frame.ask for frame in batch}.values():
            ask.fail(error)

    # -- the end ---------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Refuse what is in the line, let the batch at work end, and give the network back."""
        with self._changed:
            self._closed = True
            refused = self._turns.clear()
            self._changed.notify_all()
        for frame in refused:
            frame.ask.fail(ShuttingDown())
        with self.on_close:
            deadline_s = time.monotonic() + STUCK_S
            for thread in self._threads:
                thread.join(max(0.0, deadline_s - time.monotonic()))
            with self._encoding:
                self.model.close()
