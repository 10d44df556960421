"""A table as words, before anybody draws it. Knows nothing of what stands in it."""

from __future__ import annotations

from dataclasses import dataclass

MISSING = "-"


@dataclass(frozen=True, slots=True)
class Table:
    """The first column is words, the others are figures. `note` stands below."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
