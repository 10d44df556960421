"""How the server logs: one line an event on stderr, plain or JSON, and never a word of what users sent.

An exception's own text may quote a prompt or a path, so a traceback shows places and kinds of errors only. Knows
nothing of who logs.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from types import TracebackType
from typing import TypeAlias

ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

FOREIGN_LEVEL = logging.WARNING
"""For all loggers but ours: some libraries write what they handle at lower levels."""
MAX_CAUSES = 8


class SafeFormatter(logging.Formatter):
    """Time, level and message; of an exception its kind and the places it passed, without its text."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
        self.converter = time.gmtime

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802
        lines: list[str] = []
        error = ei[1]
        for _ in range(MAX_CAUSES):
            if error is None:
                break
            lines.append(f"  {type(error).__module__}.{type(error).__qualname__}")
            frames = traceback.extract_tb(error.__traceback__)
            lines += [f"    {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
            error = error.__cause__ or error.__context__
        return "\n".join(lines)


class JsonFormatter(SafeFormatter):
    """One object a line: time, level, logger, message, and the facts of the event where it has some."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": self.formatTime(record, self.datefmt),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def set_up_logging(level: str, *, as_json: bool = False) -> None:
    """Send everything to stderr in one shape: ours from `level` up, that of libraries from warnings up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else SafeFormatter())
    logging.basicConfig(handlers=[handler], level=FOREIGN_LEVEL, force=True)
    logging.getLogger("talkie").setLevel(level.upper())
