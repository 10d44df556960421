"""A text that is still being written, from whoever writes it to the thread that has it spoken. Neither waits for the
other to be done, for the next thing a writer says may be that all of it is no longer wanted."""

from __future__ import annotations

import queue
from collections.abc import Iterator

from talkie.errors import TextTooLong

WRITTEN_CHARACTERS = 1_000_000
"""Of one utterance: a bound on memory."""


class Text:
    """Iterated once, by one thread; it waits there for what is to come."""

    def __init__(self) -> None:
        self._pieces: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._ended = False
        self._characters = 0

    def write(self, text: str) -> None:
        """Raises `TextTooLong`."""
        self._characters += len(text)
        if self._characters > WRITTEN_CHARACTERS:
            raise TextTooLong(self._characters, WRITTEN_CHARACTERS)
        if text:
            self._pieces.put(text)

    def end(self) -> None:
        """No more will come. Harmless a second time."""
        self._pieces.put("")

    def close(self) -> None:
        """Nobody wants what is left."""
        self._ended = True
        self._pieces.put("")

    def __iter__(self) -> Iterator[str]:
        while (piece := self._pieces.get()) and not self._ended:
            yield piece
