"""Work done ahead: an iterator that runs in a thread of its own, a bounded way in front of whoever takes from it.

Knows nothing of audio. The iterator is used by that thread alone, and by nobody while its owner is `paused`: so a
generator that hands something out under `paused` may be left there for ever, and what the iterator reads from may be
closed meanwhile. What the iterator raises comes after all that it gave.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """As a context manager it starts the thread and ends it. `weight` of what is ready stays under `limit` plus one.

    `arrived` is called in the thread, with `changed` held, after each item and at the end.
    """

    def __init__(
        self, items: Iterator[T], weight: Callable[[T], float], limit: float, arrived: Callable[[], None] | None = None
    ) -> None:
        self.changed = threading.Condition()
        self._items, self._weight, self._limit, self._arrived = items, weight, limit, arrived
        self._ready: deque[T] = deque()
        self._held = 0.0
        self._error: BaseException | None = None
        self._ended = self._closed = self._paused = self._stepping = False
        self._thread = threading.Thread(target=self._run, name="talkie-ahead", daemon=True)

    # -- for the owner ---------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Items that are ready."""
        return len(self._ready)

    @property
    def ended(self) -> bool:
        """No more will become ready."""
        return self._ended

    @property
    def full(self) -> bool:
        """No more will become ready before something is taken."""
        return self._held >= self._limit

    def take(self) -> T:
        """The next that is ready. Raises `IndexError` where nothing is."""
        with self.changed:
            item = self._ready.popleft()
            self._held -= self._weight(item)
            self.changed.notify_all()
        return item

    def __iter__(self) -> Iterator[T]:
        """All of it, waiting where nothing is ready; then the iterator's error."""
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self._ready or self._ended)
                if not self._ready:
                    break
                item = self.take()
            yield item
        self.raise_error()

    def raise_error(self) -> None:
        """What ended the work, unless it was the end of the iterator."""
        if self._error is not None:
            raise self._error

    def fail(self, error: BaseException) -> None:
        """End the work: what is ready is let go."""
        with self.changed:
            self._error = self._error or error
            self._ready.clear()
            self._held = 0.0
            self._ended = self._closed = True
            self.changed.notify_all()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The thread rests. It ends where the body does not end of itself."""
        with self.changed:
            self._paused = True
            self.changed.wait_for(lambda: not self._stepping)
        try:
            yield
        except BaseException:
            self._closed = True
            raise
        finally:
            with self.changed:
                self._paused = False
                self.changed.notify_all()

    def __enter__(self) -> Ahead[T]:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self.changed:
            self._closed = True
            self.changed.notify_all()
        self._thread.join()

    # -- the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while self._may_step():
                item = next(self._items)
                with self.changed:
                    self._ready.append(item)
                    self._held += self._weight(item)
                    self._tell()
        except StopIteration:
            pass
        except BaseException as error:  # handed to the owner, who raises it in its turn
            self._error = self._error or error
        finally:
            self._end()

    def _may_step(self) -> bool:
        with self.changed:
            self._stepping = False
            self.changed.notify_all()
            self.changed.wait_for(lambda: self._closed or not (self._paused or self.full))
            self._stepping = not self._closed
            return self._stepping

    def _end(self) -> None:
        """The iterator is closed where it was made to work: a generator belongs to one thread at a time."""
        close = getattr(self._items, "close", None)
        if close is not None:
            close()
        with self.changed:
            self._ended, self._stepping = True, False
            if not self._closed:
                self._tell()
            self.changed.notify_all()

    def _tell(self) -> None:
        if self._arrived is not None:
            self._arrived()
        self.changed.notify_all()
