"""A small pool of worker processes for engines that hold the GIL, keep global state or may crash.

Warm (processes start and load behind the constructor), bounded (so many workers, so many waiting), healed (a dead
worker is replaced, the job it lost is tried once more) and patient only so far (a job over its time, or one nobody
waits for any more, takes its process with it). Knows nothing of engines; see `worker_main.py` for the other end and
docs/decisions/0030-worker-processes.md for the reasons.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from talkie.engines.worker_process import Cancel, Reply, WorkerLost, WorkerProcess, WorkerSpec
from talkie.errors import Cancelled, EngineFailed, QueueFull, ShuttingDown

__all__ = ["Lease", "Reply", "WorkerLost", "WorkerPool", "WorkerSpec"]

T = TypeVar("T")
R = TypeVar("R")

_RESTART_WINDOW_S = 60.0
_WAIT_STEP_S = 0.1


class Lease:
    """A worker lent to one caller for several requests in a row, such as one utterance fed in pieces."""

    def __init__(self, worker: WorkerProcess) -> None:
        self._worker: WorkerProcess | None = worker

    def ask(
        self,
        op: str,
        args: dict[str, Any] | None = None,
        payload: Any = b"",
        *,
        timeout_s: float | None = None,
        cancelled: Cancel | None = None,
    ) -> Reply:
        """One request, one answer; see `WorkerProcess.ask` for what it raises. Not tried again."""
        if self._worker is None:  # it may be working for somebody else by now
            raise RuntimeError("the lease has ended")
        return self._worker.ask(op, args or {}, payload, timeout_s=timeout_s, cancelled=cancelled)

    def call_off(self) -> None:
        """See `WorkerProcess.call_off`."""
        if (worker := self._worker) is not None:
            worker.call_off()

    def end(self) -> None:
        self._worker = None


class WorkerPool:
    """`workers` processes of one kind. Thread-safe.

    At most `max_waiting` callers wait for a free worker (`QueueFull` beyond); at most `restarts` replacements start
    within a minute (`EngineFailed` beyond, until the minute has passed).
    """

    def __init__(self, spec: WorkerSpec, *, workers: int = 1, max_waiting: int = 64, restarts: int = 5) -> None:
        self.spec = spec
        self.size = max(1, workers)
        self._max_waiting = max_waiting
        self._restarts = restarts
        self._restarted_at: deque[float] = deque(maxlen=max(1, restarts))
        self._changed = threading.Condition()
        self._waiting = 0
        self._closed = False
        self._all: list[WorkerProcess] = []
        self._finalizer = weakref.finalize(self, _end_all, self._all, os.getpid())
        for _ in range(self.size):
            self._start()
        self._free: deque[WorkerProcess | None] = deque(self._all)  # None: a place whose worker died

    def ready(self) -> bool:
        """Is at least one worker loaded? Does not wait."""
        with self._changed:
            workers = list(self._all)
        return any(worker.ready() for worker in workers)

    def pids(self) -> tuple[int, ...]:
        with self._changed:
            return tuple(worker.pid for worker in self._all if worker.alive)

    def call(
        self,
        op: str,
        args: dict[str, Any] | None = None,
        payload: Any = b"",
        *,
        timeout_s: float | None = None,
        cancelled: Cancel | None = None,
    ) -> Reply:
        """One request to whichever worker is free. A job whose worker dies is tried once more, then `EngineFailed`."""
        try:
            with self.lease(cancelled=cancelled) as lease:
                return lease.ask(op, args, payload, timeout_s=timeout_s, cancelled=cancelled)
        except WorkerLost:
            with self.lease(cancelled=cancelled) as lease:
                return lease.ask(op, args, payload, timeout_s=timeout_s, cancelled=cancelled)

    def map(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """`work` for each item, in order, as many at once as there are workers; `work` uses `call`."""
        if self.size == 1 or len(items) < 2:
            return [work(item) for item in items]
        with ThreadPoolExecutor(min(self.size, len(items)), thread_name_prefix="talkie-worker") as threads:
            return list(threads.map(work, items))

    @contextmanager
    def lease(self, *, wait_s: float | None = None, cancelled: Cancel | None = None) -> Iterator[Lease]:
        """Borrow a worker. Raises `QueueFull` after `wait_s` seconds (None: wait), `Cancelled`, `ShuttingDown`."""
        worker = self._take(wait_s, cancelled)
        lease = Lease(worker)
        try:
            yield lease
        finally:
            lease.end()
            self._give_back(worker)

    def close(self) -> None:
        """End all workers at once; a caller still waiting for an answer gets an error. Can be called again."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            for worker in self._all:
                worker.kill()
            while len(self._free) < self.size and self._changed.wait(_WAIT_STEP_S * 20):
                pass  # each caller gives its worker back as soon as it notices
        self._finalizer()

    def _take(self, wait_s: float | None, cancelled: Cancel | None) -> WorkerProcess:
        deadline = None if wait_s is None else time.monotonic() + wait_s
        with self._changed:
            if not self._free and self._waiting >= self._max_waiting:
                raise QueueFull(self._waiting)
            self._waiting += 1
            try:
                while not self._free and not self._closed:
                    if cancelled is not None and cancelled():
                        raise Cancelled
                    if deadline is not None and time.monotonic() >= deadline:
                        raise QueueFull(self._waiting)
                    self._changed.wait(_WAIT_STEP_S)
            finally:
                self._waiting -= 1
            if self._closed:
                raise ShuttingDown
            worker = self._free.popleft()
            if worker is not None and worker.alive:
                return worker
            try:
                return self._replace(worker)
            except BaseException:
                self._free.append(None)
                raise

    def _give_back(self, worker: WorkerProcess) -> None:
        with self._changed:
            self._free.append(worker)
            if not worker.alive and not self._closed:
                self._free.pop()
                try:
                    self._free.append(self._replace(worker))  # at once, so that it loads while nobody waits
                except EngineFailed:
                    self._free.append(None)
            self._changed.notify()

    def _replace(self, dead: WorkerProcess | None) -> WorkerProcess:
        """A new worker in place of a dead one; the caller holds the lock."""
        if dead is not None and dead in self._all:
            self._all.remove(dead)
            dead.close()
        now = time.monotonic()
        if len(self._restarted_at) == self._restarts and now - self._restarted_at[0] < _RESTART_WINDOW_S:
            raise EngineFailed(self.spec.engine, f"its process ended {self._restarts} times within a minute")
        self._restarted_at.append(now)
        return self._start()

    def _start(self) -> WorkerProcess:
        try:
            worker = WorkerProcess(self.spec)
        except OSError as error:  # no more processes, memory or file descriptors to be had
            raise EngineFailed(self.spec.engine, f"its process cannot start: {error.strerror}") from error
        self._all.append(worker)
        return worker


def _end_all(workers: list[WorkerProcess], owner_pid: int) -> None:
    """Runs at `close`, when the pool is forgotten, or when the interpreter ends; not in a forked copy."""
    if os.getpid() == owner_pid:
        for worker in workers:
            worker.close()
