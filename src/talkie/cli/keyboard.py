"""Single keys of a terminal, without Enter after them. Ctrl-C stays what it is. Knows nothing of what keys mean."""

from __future__ import annotations

import os
import select
import sys
from types import TracebackType

from talkie.errors import InvalidValue


class Keyboard:
    """The terminal of standard input, for as long as the block runs."""

    def __init__(self) -> None:
        """Raises `InvalidValue` where there is no terminal."""
        if sys.stdin is None or not sys.stdin.isatty():
            raise InvalidValue(
                "key",
                "There is no terminal to press a key in.",
                hint="With --pause 1.5 a silence ends what you say; a shortcut of your desktop can run that.",
            )
        self._descriptor = sys.stdin.fileno()

    def __enter__(self) -> Keyboard:
        import termios
        import tty

        self._before = termios.tcgetattr(self._descriptor)
        tty.setcbreak(self._descriptor)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import termios

        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)

    def key(self, timeout_s: float | None = None) -> str | None:
        """The next key, "" when the terminal has gone, None when none came in time. Keys of several bytes (arrows)
        come as one."""
        if not select.select([self._descriptor], [], [], timeout_s)[0]:
            return None
        try:
            return os.read(self._descriptor, 64).decode("utf-8", "replace")
        except OSError:
            return ""
