"""The line in front of one synthesiser: sentences of all who ask take turns on as many threads as it gains from.

Knows nothing of texts or sockets. Whose turn it is stands in `turns`. A sentence is made at the engine's pace, whatever
the pace of who listens, so that a slow listener holds no thread; who leaves takes what waits along, and what is being
made stops at its next piece.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from talkie.engines.base import SynthesizeOptions, Synthesizer, SynthesizerInfo
from talkie.engines.memory import give_back_free_memory
from talkie.errors import EngineFailed, ShuttingDown, TalkieError
from talkie.runtime import metrics
from talkie.runtime.cancel import POLL_S, CancelToken
from talkie.runtime.turns import Priority, Queue, Turns
from talkie.types import SpeechChunk

CHARACTERS_A_SECOND = 15.0
"""About how fast people speak, for what is told of the line."""
MAX_SENTENCE_S = 300.0
"""Nobody says so much in one breath: an engine that goes on has lost its way."""
REST_AFTER_S = 5.0
STUCK_S = 5.0
"""How long the end of a lane waits for sentences at work, before it takes the engine away from them."""


class Sentence:
    """What is to be said in one call of the engine, and what has been made of it."""

    def __init__(self, text: str, options: SynthesizeOptions, priority: Priority, came_s: float) -> None:
        self.text, self.options, self.priority, self.came_s = text, options, priority, came_s
        self._changed = threading.Condition()
        self._chunks: deque[SpeechChunk] = deque()
        self._error: TalkieError | None = None
        self._over = False
        self._left = False

    @property
    def left(self) -> bool:
        """Nobody listens any more."""
        return self._left

    def leave(self) -> None:
        with self._changed:
            self._left = True
            self._chunks.clear()

    def put(self, chunk: SpeechChunk) -> None:
        with self._changed:
            if not self._left:
                self._chunks.append(chunk)
            self._changed.notify_all()

    def end(self, error: TalkieError | None = None) -> None:
        """There is no more. A second end says nothing new."""
        with self._changed:
            if not self._over:
                self._over, self._error = True, error
            self._changed.notify_all()

    def chunks(self, cancel: CancelToken) -> Iterator[SpeechChunk]:
        """All of it, as it is made; then the engine's error. Raises `Cancelled` soon after the token is set."""
        while True:
            with self._changed:
                while not self._chunks and not self._over:
                    cancel.check()
                    self._changed.wait(POLL_S)
                cancel.check()
                if not self._chunks:
                    break
                chunk = self._chunks.popleft()
            yield chunk
        if self._error is not None:
            raise self._error


class Place:
    """A request's place in a lane, until `close`. As a context manager it closes itself."""

    def __init__(self, lane: SpeechLane, queue: Queue[Sentence], priority: Priority) -> None:
        self._lane, self._queue, self._priority = lane, queue, priority

    def say(self, text: str, options: SynthesizeOptions, cancel: CancelToken) -> Iterator[SpeechChunk]:
        """A sentence, when its turn has come. Raises `Cancelled`, `ShuttingDown` and what the engine raises."""
        sentence = Sentence(text, options, self._priority, self._lane.now_s())
        self._lane.enqueue(self._queue, sentence)
        try:
            yield from sentence.chunks(cancel)
        finally:
            sentence.leave()
            self._lane.drop(self._queue, sentence)

    def close(self) -> None:
        self._lane.leave(self._queue)

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class SpeechLane:
    """The threads that serve one synthesiser. `close` ends them and it."""

    def __init__(self, synthesizer: Synthesizer, clock: Callable[[], float] = time.monotonic) -> None:
        self.synthesizer = synthesizer
        self.on_close = ExitStack()
        """Whatever must be given back with the lane."""
        self.now_s = clock
        self._info = synthesizer.info
        self._metrics = metrics.LaneMetrics(self._info.name)
        self._changed = threading.Condition()
        self._turns: Turns[Sentence] = Turns(1)
        self._at_work: set[Sentence] = set()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._serve, name=f"speech-{self._info.name}-{number}", daemon=True)
            for number in range(max(1, self._info.workers))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def info(self) -> SynthesizerInfo:
        return self._info

    def ready(self) -> bool:
        """Engines that load behind their constructor say when they can work."""
        is_ready = getattr(self.synthesizer, "ready", None)
        return is_ready is None or bool(is_ready())

    @property
    def waiting(self) -> int:
        """Sentences in the line."""
        return self._turns.windows

    # -- for requests ----------------------------------------------------------------------------------------------

    def open(self, priority: Priority = "interactive") -> Place:
        """A place for one request. Raises `ShuttingDown`."""
        with self._changed:
            self._refuse_if_closed()
            return Place(self, self._turns.open(priority), priority)

    def enqueue(self, queue: Queue[Sentence], sentence: Sentence) -> None:
        """Into the line. Raises `ShuttingDown`."""
        seconds = len(sentence.text) / CHARACTERS_A_SECOND
        with self._changed:
            self._refuse_if_closed()
            self._turns.add(queue, sentence, None, seconds, sentence.came_s)
            self._told()

    def drop(self, queue: Queue[Sentence], sentence: Sentence) -> None:
        with self._changed:
            self._turns.drop(queue, sentence)
            self._told()

    def leave(self, queue: Queue[Sentence]) -> None:
        """The request has ended, and what still waits of it with it."""
        with self._changed:
            for sentence in self._turns.close(queue):
                sentence.leave()
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
        while (sentence := self._next()) is not None:
            self._metrics.waited(sentence.priority, self.now_s() - sentence.came_s)
            sentence.end(self._say(sentence))
            with self._changed:
                self._at_work.discard(sentence)

    def _next(self) -> Sentence | None:
        """Wait for one; None when the lane is closed."""
        rested = False
        with self._changed:
            while not self._closed:
                dealt = self._turns.deal(self.now_s(), 1)
                if dealt:
                    self._at_work.add(dealt[0][0])
                    self._metrics.queued(self._turns.windows, self._turns.seconds)
                    if self._turns.windows:
                        self._changed.notify()
                    return dealt[0][0]
                woken = self._changed.wait(None if rested else REST_AFTER_S)
                if not (woken or rested or self._at_work):
                    rested = True
                    give_back_free_memory()
        return None

    def _say(self, sentence: Sentence) -> TalkieError | None:
        """A sentence through the engine; what went wrong, whatever the engine raised."""
        seconds = 0.0
        try:
            with self._metrics.busy():
                chunks = self.synthesizer.synthesize(sentence.text, sentence.options)
                try:
                    for chunk in chunks:
                        seconds += len(chunk.samples) / chunk.sample_rate
                        if seconds > MAX_SENTENCE_S:
                            raise EngineFailed(self._info.engine, "it came to no end")
                        if sentence.left:
                            break
                        sentence.put(chunk)
                finally:
                    close = getattr(chunks, "close", None)
                    if close is not None:
                        close()
        except TalkieError as error:
            return error
        except Exception as error:
            return EngineFailed(self._info.engine, type(error).__name__)
        return None

    # -- the end ---------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Refuse what is in the line, stop what is being said, and give the engine back."""
        with self._changed:
            self._closed = True
            refused = [*self._turns.clear(), *self._at_work]
            self._changed.notify_all()
        for sentence in refused:
            sentence.end(ShuttingDown())
            sentence.leave()
        with self.on_close:
            deadline_s = time.monotonic() + STUCK_S
            for thread in self._threads:
                thread.join(max(0.0, deadline_s - time.monotonic()))
            self.synthesizer.close()
            for thread in self._threads:
                thread.join(STUCK_S)
