"""The one bridge between those who ask and an engine: windows from all requests, batched, on one thread.

Knows nothing of sockets or recordings. A lane belongs to one loaded model. Windows are taken first come, first served;
those behind the first that want the same options go into the same batch, up to what the engine gains from.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field

from talkie.engines.base import RecognizeOptions, Recognizer
from talkie.errors import EngineFailed, QueueFull, ShuttingDown, TalkieError
from talkie.runtime import metrics
from talkie.types import Audio, Transcript

MAX_WAITING_WINDOWS = 1024
"""Admission keeps the line far shorter; this bound is there so that nothing can grow for ever."""


@dataclass(slots=True)
class _Item:
    audio: Audio
    options: RecognizeOptions
    future: Future[Transcript] = field(default_factory=Future)


class Lane:
    """A queue in front of one recogniser, and the thread that serves it. `close` ends both."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.recognizer = recognizer
        self.on_close = ExitStack()
        """Whatever must be given back with the lane."""
        self._ready = threading.Condition()
        self._waiting: deque[_Item] = deque()
        self._closed = False
        self._thread = threading.Thread(target=self._serve, name=f"lane-{recognizer.info.name}", daemon=True)
        self._thread.start()

    def submit(self, audio: Audio, options: RecognizeOptions) -> Future[Transcript]:
        """A window into the line. Its future gives the transcript, or the engine's error. Raises `QueueFull`."""
        item = _Item(audio, options)
        with self._ready:
            if self._closed:
                raise ShuttingDown
            if len(self._waiting) >= MAX_WAITING_WINDOWS:
                raise QueueFull(len(self._waiting))
            self._waiting.append(item)
            self._ready.notify()
        return item.future

    def _serve(self) -> None:
        while (batch := self._next_batch()) is not None:
            self._run(batch)

    def _next_batch(self) -> list[_Item] | None:
        """The oldest window and its companions; None when the lane is closed and empty."""
        with self._ready:
            while not self._waiting and not self._closed:
                self._ready.wait()
            if not self._waiting:
                return None
            options = self._waiting[0].options
            batch: list[_Item] = []
            others: list[_Item] = []
            while self._waiting and len(batch) < max(1, self.recognizer.info.max_batch):
                item = self._waiting.popleft()
                (batch if item.options == options else others).append(item)
            self._waiting.extendleft(reversed(others))
        return [item for item in batch if item.future.set_running_or_notify_cancel()]

    def _run(self, batch: list[_Item]) -> None:
        if not batch:
            return
        try:
            with metrics.busy(self.recognizer.info.name, len(batch)):
                audios, options = [item.audio for item in batch], [item.options for item in batch]
                transcripts = self.recognizer.recognize(audios, options)
            if len(transcripts) != len(batch):
                raise EngineFailed(self.recognizer.info.engine, "it lost a part of its batch")
        except TalkieError as error:
            _fail(batch, error)
        except Exception as error:
            _fail(batch, EngineFailed(self.recognizer.info.engine, type(error).__name__), cause=error)
        else:
            for item, transcript in zip(batch, transcripts, strict=True):
                item.future.set_result(transcript)

    def close(self) -> None:
        """Refuse what is in the line, end the batch at work or wait for it, and give the engine back."""
        with self._ready:
            self._closed = True
            waiting = [item for item in self._waiting if item.future.set_running_or_notify_cancel()]
            self._waiting.clear()
            self._ready.notify_all()
        _fail(waiting, ShuttingDown())
        with self.on_close:
            if not self.recognizer.info.interruptible:
                self._thread.join()
            self.recognizer.close()
            self._thread.join()


def _fail(batch: list[_Item], error: TalkieError, cause: Exception | None = None) -> None:
    error.__cause__ = cause
    for item in batch:
        item.future.set_exception(error)
