"""The other end of `workers.py`: a process that loads one engine and answers one request at a time.

Run as a file by path (`python -P worker_main.py CONNECTION ARENA LIFELINE`), by our interpreter or that of another
environment, so that it works from any main program and imports nothing but what its engine needs. Control messages are
JSON; sound lies in the arena, memory that both processes map. Knows nothing of any engine.

The process ends when its connection closes, and at once, even in the middle of a computation, when the lifeline
does: the kernel then sends SIGIO, whose default is to end the process. (A death signal by `prctl` would follow the
*thread* that started the worker, which is not the same.)
"""

from __future__ import annotations

import fcntl
import importlib.util
import json
import mmap
import os
import select
import signal
import sys
from importlib import import_module
from multiprocessing.connection import Connection
from types import ModuleType
from typing import Any, Protocol

MAX_MESSAGE_BYTES = 1 << 20


class WorkerTask(Protocol):
    """What an engine runs in a worker: built as `factory(**options)`, then asked.

    `payload` is a view into the arena, valid until `handle` returns. The answer is a JSON object and bytes (or
    anything with a buffer) that are copied into the arena.
    """

    def handle(self, op: str, args: dict[str, Any], payload: memoryview) -> tuple[dict[str, Any], Any]: ...


def main(arguments: list[str]) -> None:
    connection_fd, arena_fd, lifeline_fd = (int(argument) for argument in arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes us
    die_with(lifeline_fd)
    connection = Connection(connection_fd)
    try:
        hello = json.loads(connection.recv_bytes(MAX_MESSAGE_BYTES))
        arena = mmap.mmap(arena_fd, hello["arena_bytes"])
        serve(connection, arena, hello)
    except (EOFError, OSError):
        return  # the parent went away


def serve(connection: Connection, arena: mmap.mmap, hello: dict[str, Any]) -> None:
    """Load the engine, say so, then answer until the connection closes."""
    try:
        task = load(hello)
    except Exception as error:
        _send(connection, {"error": _describe(error)})
        return
    _send(connection, {"ready": True})
    while True:
        request = json.loads(connection.recv_bytes(MAX_MESSAGE_BYTES))
        _send(connection, answer(task, arena, request))


def load(hello: dict[str, Any]) -> WorkerTask:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one job at a time: more threads are only memory
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if hello["path"] is not None:  # else this is another interpreter, with packages of its own
        sys.path[:] = hello["path"]
    module, _, name = hello["task"].rpartition(":")
    source = _of_file(module) if module.endswith(".py") else import_module(module)
    task: WorkerTask = getattr(source, name)(**hello["options"])
    return task


def _of_file(path: str) -> ModuleType:
    """A task's file by its path; what lies beside it cannot be imported."""
    spec = importlib.util.spec_from_file_location("talkie_task", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answer(task: WorkerTask, arena: mmap.mmap, request: dict[str, Any]) -> dict[str, Any]:
    """One reply to one request; an exception becomes a reply too, and the worker lives on."""
    try:
        with memoryview(arena) as view, view[: request["bytes"]] as payload:
            values, produced = task.handle(request["op"], request["args"], payload)
        produced = memoryview(produced).cast("B")
        arena[: len(produced)] = produced
        return {"values": values, "bytes": len(produced)}
    except Exception as error:
        return {"error": _describe(error)}


def die_with(lifeline_fd: int) -> None:
    """Have the kernel end this process when the write end of the lifeline, held by the parent, is gone."""
    try:
        fcntl.fcntl(lifeline_fd, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(lifeline_fd, fcntl.F_SETFL, fcntl.fcntl(lifeline_fd, fcntl.F_GETFL) | os.O_ASYNC)
    except OSError:
        return  # where pipes send no signals, the worker ends at its next message
    watch = select.poll()
    watch.register(lifeline_fd, select.POLLHUP)
    if watch.poll(0):  # it was gone before we asked to be told
        os._exit(0)


def _send(connection: Connection, message: dict[str, Any]) -> None:
    connection.send_bytes(json.dumps(message).encode())


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


if __name__ == "__main__":
    main(sys.argv[1:])
