"""Who may touch a model now: one puller at a time, any number of users, no removal while it is in use.

Knows nothing of what the models are. Locks live in the kernel and end with the process that holds them, however it
dies. A model is held by a lock on its directory itself, so a read-only volume works and nothing is left behind.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from talkie.errors import ModelInUse, ModelNotFound

PULL_POLL_S = 0.2


@contextmanager
def pulling(tmp: Path, name: str, on_wait: Callable[[], None]) -> Iterator[None]:
    """Be the one process that fetches `name`; `on_wait` is called once when another one is at it already."""
    from filelock import FileLock, Timeout

    tmp.mkdir(parents=True, exist_ok=True)
    lock = FileLock(tmp / f"{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        on_wait()
        lock.acquire(poll_interval=PULL_POLL_S)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def using(path: Path, name: str) -> Iterator[None]:
    """Keep a model directory from being removed or replaced while it is loaded. Raises `ModelNotFound`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        raise ModelNotFound(name) from None
    try:
        _try_lock(descriptor, fcntl.LOCK_SH)
        if not _is_still(descriptor, path):  # removed between opening and locking
            raise ModelNotFound(name)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def removing(path: Path, name: str) -> Iterator[None]:
    """The right to rename a model directory away. Raises `ModelInUse` when anybody holds it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:  # not a directory, or not readable: nobody can be using it
        yield
        return
    try:
        if not _try_lock(descriptor, fcntl.LOCK_EX):
            raise ModelInUse(name)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int, kind: int) -> bool:
    """False when somebody else's lock is in the way; a file system without locks counts as free."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _is_still(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False
