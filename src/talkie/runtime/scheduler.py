"""The one bridge between those who ask and an engine: windows from all requests and doors, batched, on a few threads.

Knows nothing of sockets or recordings. A lane belongs to one loaded model and has as many threads as the model gains
from. Whose turn it is stands in `turns`; here are the clock, the threads, and what is done when an engine fails.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from math import ceil

from talkie.engines.base import RecognizeOptions, Recognizer, RecognizerInfo
from talkie.engines.memory import give_back_free_memory
from talkie.errors import EngineFailed, QueueFull, ShuttingDown, TalkieError
from talkie.runtime import metrics
from talkie.runtime.jobs import Job, Window, by_job
from talkie.runtime.pace import Pace
from talkie.runtime.turns import MANNERS, Priority, Queue, Turns
from talkie.types import Audio, Transcript

REST_AFTER_S = 5.0
"""With nothing to do for so long, memory that was kept for the next batch goes back to the machine."""
FIRST_ANSWER_S = 8.0
"""A long recording's first batch may take so long: full batches are cheaper, and somebody waits for the first words."""
BESIDE_LIVE_S = 0.5
"""While somebody speaks, a batch of recordings takes no longer, so that what was said is heard soon."""
MIN_LOOKAHEAD, MAX_LOOKAHEAD = 2, 64
"""Windows of at most 30 s: 64 of them are about 120 MB."""


@dataclass(frozen=True, slots=True)
class LaneOptions:
    """`max_queued_audio_s`: with more waiting no new request is taken. `max_queued_windows`: what can never be passed;
    requests at work and their lookahead keep the line far shorter."""

    max_queued_audio_s: float = 3600.0
    max_queued_windows: int = 4096


class Lane:
    """The line in front of one recogniser, and the threads that serve it. `close` ends both."""

    def __init__(
        self,
        recognizer: Recognizer,
        options: LaneOptions = LaneOptions(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.recognizer = recognizer
        self.on_close = ExitStack()
        """Whatever must be given back with the lane."""
        info = recognizer.info
        self._options = options
        self._clock = clock
        self._pace = Pace(info.workers)
        self._metrics = metrics.LaneMetrics(info.name)
        self._changed = threading.Condition()
        self._turns: Turns[Window] = Turns(info.max_batch)
        self._dealt: deque[list[Window]] = deque()
        self._idle = 0
        """Workers for whom no batch has been dealt."""
        self._closed = False
        self._threads = [
            threading.Thread(target=self._serve, name=f"lane-{info.name}-{number}", daemon=True)
            for number in range(max(1, info.workers))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def info(self) -> RecognizerInfo:
        return self.recognizer.info

    def ready(self) -> bool:
        """Engines that load behind their constructor say when they can work."""
        is_ready = getattr(self.recognizer, "ready", None)
        return is_ready is None or bool(is_ready())

    @property
    def queued_s(self) -> float:
        """Seconds of audio that wait."""
        return self._turns.seconds

    # -- for requests ----------------------------------------------------------------------------------------------

    def open(self, priority: Priority = "interactive") -> Job:
        """A place for one request. Raises `ShuttingDown`; `QueueFull` while too much audio waits, unless it is live."""
        with self._changed:
            self._refuse_if_closed()
            waits = not MANNERS[priority].live
            if waits and self._turns.windows and self._turns.seconds >= self._options.max_queued_audio_s:
                raise self._full()
            queue = self._turns.open(priority)
            return Job(self, queue, priority, self._lookahead(), self._first_batch())

    def _lookahead(self) -> int:
        """A full batch at work on every worker and the next one behind it, shared by the requests that are open."""
        info = self.recognizer.info
        share = 2 * max(1, info.max_batch) * max(1, info.workers) // max(1, self._turns.requests)
        return min(max(share, MIN_LOOKAHEAD), MAX_LOOKAHEAD)

    def _first_batch(self) -> int:
        """As many windows as give a first answer soon; half a batch while nobody knows how fast the model is."""
        full = max(1, self.recognizer.info.max_batch)
        return min(full, self._pace.windows_within(FIRST_ANSWER_S) or ceil(full / 2))

    def enqueue(self, job: Job, audio: Audio, options: RecognizeOptions) -> Window:
        """A job's window into the line. Raises as `Job.submit`."""
        key = self.recognizer.batch_key(audio, options)
        with self._changed:
            self._refuse_if_closed()
            if self._turns.windows >= self._options.max_queued_windows:
                raise self._full()
            window = Window(job, audio, options, self._clock())
            self._turns.add(job.queue, window, key, audio.duration_s, window.came_s)
            self._deal()
        return window

    def expect(self, queue: Queue[Window], *, more: bool) -> None:
        """Whether a request is about to send more; others are kept back a moment for that."""
        with self._changed:
            queue.quiet = not more
            self._deal()

    def drop(self, queue: Queue[Window], window: Window) -> None:
        with self._changed:
            self._turns.drop(queue, window)
            self._deal()

    def leave(self, queue: Queue[Window]) -> None:
        with self._changed:
            self._turns.close(queue)
            self._deal()

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise ShuttingDown

    def _full(self) -> QueueFull:
        return QueueFull(max(1, self._turns.requests), self._pace.retry_after_s(self._turns.seconds))

    # -- the threads -----------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        while (batch := self._next_batch()) is not None:
            self._run(batch)

    def _next_batch(self) -> list[Window] | None:
        """Wait for one; None when the lane is closed. Windows that were cancelled meanwhile are left out."""
        with self._changed:
            self._idle += 1
            self._deal(news=False)
            rested = False
            while not self._dealt and not self._closed:
                look_again_s = self._until_look_again_s()
                is_idle = look_again_s is None and not rested
                woken = self._changed.wait(REST_AFTER_S if is_idle else look_again_s)
                if is_idle and not woken and self._idle == len(self._threads):
                    rested = True
                    give_back_free_memory()
                self._deal(news=False)
            if not self._dealt:
                return None
            batch = self._dealt.popleft()
        return [window for window in batch if window.future.set_running_or_notify_cancel()]

    def _deal(self, *, news: bool = True) -> None:
        """After every change: batches for idle workers, who then wake. The caller holds the lock.

        A worker that looks again brings no `news`: it wakes others for batches only, or two would wake each other for
        ever."""
        beside_live = self._pace.windows_within(BESIDE_LIVE_S) or 1
        batches = self._turns.deal(self._clock(), self._idle, beside_live)
        self._dealt.extend(batches)
        self._idle -= len(batches)
        self._metrics.queued(self._turns.windows, self._turns.seconds)
        if news or batches:
            self._changed.notify_all()

    def _until_look_again_s(self) -> float | None:
        at_s = self._turns.look_again_s()
        return None if at_s is None else max(0.0, at_s - self._clock())

    def _run(self, batch: Sequence[Window]) -> None:
        """A batch through the engine. One that fails is tried again request by request: a fault stays with its own."""
        if not batch:
            return
        try:
            transcripts = self._recognize(batch)
        except TalkieError as error:
            parts = by_job(batch)
            if len(parts) > 1:
                for part in parts:
                    self._run(part)
                return
            for window in batch:
                window.job.tell(window, error)
        else:
            for window, transcript in zip(batch, transcripts, strict=True):
                window.job.tell(window, transcript)

    def _recognize(self, batch: Sequence[Window]) -> list[Transcript]:
        """Raises `TalkieError`, whatever the engine raised."""
        engine, began_s = self.recognizer.info.engine, self._clock()
        for window in batch:
            self._metrics.waited(window.job.priority, began_s - window.came_s)
        try:
            with self._metrics.busy(len(batch)):
                transcripts = self.recognizer.recognize(
                    [window.audio for window in batch], [window.options for window in batch]
                )
        except TalkieError:
            raise
        except Exception as error:
            raise EngineFailed(engine, type(error).__name__) from error
        if len(transcripts) != len(batch):
            raise EngineFailed(engine, "it lost a part of its batch")
        self._note(batch, self._clock() - began_s)
        return transcripts

    def _note(self, batch: Sequence[Window], took_s: float) -> None:
        """The pace is that of recordings: live windows are short, and would make them seem so."""
        if not any(MANNERS[window.job.priority].live for window in batch):
            self._pace.note(sum(window.audio.duration_s for window in batch), took_s, len(batch))

    # -- the end ---------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Refuse what is in the line, end the batches at work or wait for them, and give the engine back."""
        with self._changed:
            self._closed = True
            refused = [*self._turns.clear(), *(window for batch in self._dealt for window in batch)]
            self._dealt.clear()
            self._changed.notify_all()
        for window in refused:
            if window.future.set_running_or_notify_cancel():
                window.job.tell(window, ShuttingDown())
        with self.on_close:
            if not self.recognizer.info.interruptible:
                self._join()
            self.recognizer.close()
            self._join()

    def _join(self) -> None:
        for thread in self._threads:
            thread.join()
