"""One worker process, seen from the parent: start it, ask it, end it.

Sound goes through an arena, anonymous memory mapped by both sides (`memfd_create`): the kernel frees it with the
last of the two processes, so nothing can leak and no helper process has to watch. Knows nothing of queues or
restarts (`workers.py`) and nothing of engines.
"""

from __future__ import annotations

import json
import mmap
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from talkie.engines.worker_main import MAX_MESSAGE_BYTES
from talkie.errors import Cancelled, EngineFailed

_ENTRY = Path(__file__).with_name("worker_main.py")
_CANCEL_CHECK_S = 0.05
_END_WAIT_S = 10.0

Cancel = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """What runs in a worker. `task` is `module:callable` of a `WorkerTask`; `options` are its JSON-able arguments.

    `python`: another interpreter, with packages of its own and none of ours; `task` is then
    `/path/of/file.py:callable`, and the file imports nothing of Talkie.
    """

    engine: str
    task: str
    options: dict[str, Any] = field(default_factory=dict)
    arena_bytes: int = 4 << 20
    load_timeout_s: float = 60.0
    call_timeout_s: float = 120.0
    python: Path | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: small values, and bytes copied out of the arena."""

    values: dict[str, Any]
    payload: bytes = b""


class WorkerLost(EngineFailed):
    """The process ended while somebody waited for its answer."""


class WorkerProcess:
    """A spawned process with its connection and arena. `ask` belongs to one thread at a time; `kill` to any."""

    def __init__(self, spec: WorkerSpec) -> None:
        self.spec = spec
        self._loaded = False
        self._load_error = ""
        self._load_lock = threading.Lock()
        ours, theirs = socket.socketpair()
        lifeline_read, self._lifeline = os.pipe()
        arena_fd = _anonymous_file(spec.arena_bytes)
        try:
            self._arena = mmap.mmap(arena_fd, spec.arena_bytes)
            self._process = subprocess.Popen(
                [*_interpreter(spec), str(_ENTRY), *map(str, (theirs.fileno(), arena_fd, lifeline_read))],
                pass_fds=(theirs.fileno(), arena_fd, lifeline_read),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except BaseException:
            os.close(self._lifeline)
            ours.close()
            raise
        finally:
            theirs.close()
            os.close(lifeline_read)
            os.close(arena_fd)
        self._connection = Connection(ours.detach())
        hello = {"task": spec.task, "options": spec.options, "arena_bytes": spec.arena_bytes}
        hello["path"] = None if spec.python else sys.path
        with suppress(OSError):  # a worker that is already gone is found out by whoever asks
            self._connection.send_bytes(json.dumps(hello).encode())

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ready(self) -> bool:
        """Has the engine loaded? Does not wait."""
        if self._loaded or not self._load_lock.acquire(blocking=False):
            return self._loaded  # somebody else is just now waiting for it
        try:
            if self._connection.poll(0):
                self._take_greeting()
        except (OSError, EngineFailed):
            return False  # whoever asks will get the reason
        finally:
            self._load_lock.release()
        return self._loaded

    def ask(
        self, op: str, args: dict[str, Any], payload: Any, *, timeout_s: float | None, cancelled: Cancel | None
    ) -> Reply:
        """Send one request and wait for its answer.

        Raises `WorkerLost` when the process ends, `EngineFailed` when the engine reports an error or takes too
        long, `Cancelled`; after the last two the process is dead, for it is still busy with what nobody wants.
        """
        self._wait_loaded(cancelled)
        view = memoryview(payload).cast("B")
        if len(view) > self.spec.arena_bytes:
            raise EngineFailed(self.spec.engine, f"{len(view)} bytes do not fit its {self.spec.arena_bytes}")
        try:
            self._arena[: len(view)] = view
            self._connection.send_bytes(json.dumps({"op": op, "args": args, "bytes": len(view)}).encode())
            message = self._receive(timeout_s or self.spec.call_timeout_s, cancelled)
        except (EOFError, OSError, ValueError) as error:  # ValueError: the arena was closed by `kill`
            raise self._lost() from error
        if "error" in message:
            raise EngineFailed(self.spec.engine, message["error"])
        return Reply(message["values"], self._arena[: message["bytes"]])

    def call_off(self) -> None:
        """Tell a task that is at work that nobody wants its answer; `ask` waits on. From any thread.

        The first byte of its payload becomes 0xFF, which no text in UTF-8 has: a task may look there.
        """
        with suppress(ValueError):  # the arena was closed
            self._arena[0] = 0xFF

    def kill(self) -> None:
        """End the process now and reap it; harmless when it is gone already."""
        with suppress(OSError):
            self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_WAIT_S)

    def close(self) -> None:
        """Kill, and give back connection, lifeline and arena. Not while another thread is in `ask`."""
        self.kill()
        self._connection.close()
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        self._arena.close()

    def _wait_loaded(self, cancelled: Cancel | None) -> None:
        with self._load_lock:
            if self._load_error:
                raise EngineFailed(self.spec.engine, self._load_error)
            if self._loaded:
                return
            try:
                self._wait_readable(self.spec.load_timeout_s, cancelled)
                self._take_greeting()
            except OSError as error:
                raise self._lost() from error

    def _take_greeting(self) -> None:
        try:
            message = json.loads(self._connection.recv_bytes(MAX_MESSAGE_BYTES))
        except EOFError as error:
            raise self._lost() from error
        self._load_error = message.get("error", "")
        if self._load_error:
            raise EngineFailed(self.spec.engine, self._load_error)
        self._loaded = True

    def _receive(self, timeout_s: float, cancelled: Cancel | None) -> dict[str, Any]:
        self._wait_readable(timeout_s, cancelled)
        message: dict[str, Any] = json.loads(self._connection.recv_bytes(MAX_MESSAGE_BYTES))
        return message

    def _wait_readable(self, timeout_s: float, cancelled: Cancel | None) -> None:
        deadline = time.monotonic() + timeout_s
        while not self._connection.poll(min(_CANCEL_CHECK_S, timeout_s) if cancelled else timeout_s):
            if cancelled is not None and cancelled():
                self.kill()
                raise Cancelled
            if time.monotonic() >= deadline:
                self.kill()
                raise EngineFailed(self.spec.engine, f"no answer within {timeout_s:g} seconds")

    def _lost(self) -> WorkerLost:
        self.kill()
        return WorkerLost(self.spec.engine, f"its process ended with status {self._process.returncode}")


def _interpreter(spec: WorkerSpec) -> tuple[str, str]:
    """Another interpreter sees nothing of our paths, not even those of the user."""
    return (str(spec.python), "-I") if spec.python else (sys.executable, "-P")


def _anonymous_file(size_bytes: int) -> int:
    """A file descriptor for memory without a name; an unlinked temporary file where there is no memfd."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("talkie-arena")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, size_bytes)
    return descriptor
