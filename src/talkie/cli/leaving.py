"""How the process of a command ends that has threads which nobody can stop.

A thread inside a native library (OpenVINO compiles a graph, CTranslate2 decodes a batch) cannot be interrupted, and
the interpreter must not end under it: up to Python 3.13 such a thread, once back from the library, is unwound through
the library's C++ frames, which answer by `std::terminate`, and the process ends by SIGABRT in place of its exit code.
Later Pythons let it stand, and then it is the library that is taken down under it. So such a process leaves without
taking down anything: what is ours is closed before.

Knows nothing of commands.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

ENDED = 0
"""The exit code of a server that was asked to stop."""


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """A server from its first moment to its last: SIGTERM ends it with 0, before it listens as well, and nothing that
    is still at work makes anything else of that."""
    signal.signal(signal.SIGTERM, _end)
    try:
        yield
    except SystemExit as ended:
        _end_with(ended.code)
        raise
    _end_with(ENDED)


def is_at_work() -> bool:
    """Whether there are threads that the end of the interpreter would not wait for."""
    return any(thread.daemon for thread in threading.enumerate())


def leave(code: int) -> None:
    """End this process now: with all that is done at an exit, but for waiting for threads and taking down libraries.

    Worker processes see that we are gone and end by themselves.
    """
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _end(number: int, frame: FrameType | None) -> None:
    """uvicorn hears the signal while it runs; this is for what is before and after."""
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(ENDED)


def _end_with(code: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # asked once more, it need not end by the signal
    if isinstance(code, int) and is_at_work():
        leave(code)
