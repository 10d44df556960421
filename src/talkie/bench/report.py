"""How a benchmark tells what it found: aligned text for people, one JSON line at the end for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns aligned by spaces: the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = []
    for row in (head, ["-" * width for width in widths], *rows):
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def json_line(bench: str, values: dict[str, Any]) -> str:
    """One line, keys in the order given."""
    return json.dumps({"bench": bench, **values}, default=str, ensure_ascii=False)


def percent(rate: float) -> str:
    return f"{100 * rate:.1f} %"


def megabytes(size_bytes: float) -> str:
    return f"{size_bytes / 1e6:.0f} MB"
