"""A run as a Markdown page. Pure: knows nothing of files or of how anything was measured."""

from __future__ import annotations

from collections.abc import Iterator

from talkie.bench.results import Result
from talkie.bench.sections import contender_table, facts, sections, warning
from talkie.bench.tables import Table

GENERATED = "<!-- Written by `talkie bench report`; do not edit. -->"


def markdown(result: Result) -> str:
    return "\n".join(_lines(result)) + "\n"


def _lines(result: Result) -> Iterator[str]:
    yield GENERATED
    yield "# Benchmarks"
    yield ""
    if said := warning(result):
        yield f"**{escape(said)}**"
        yield ""
    for name, value in facts(result):
        yield f"- {escape(name)}: {escape(value)}"
    yield ""
    for table in [*sections(result), contender_table(result)]:
        if table.rows:
            yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    yield f"## {escape(table.title)}"
    yield ""
    yield "| " + " | ".join(map(escape, table.head)) + " |"
    yield "|" + "---|" * len(table.head)
    for row in table.rows:
        yield "| " + " | ".join(map(escape, row)) + " |"
    yield ""
    if table.note:
        yield escape(table.note)
        yield ""


def escape(text: str) -> str:
    """What would end a cell or be read as markup."""
    kept = " ".join(text.split())
    for letter in ("\\", "|", "<", "*", "_", "`", "["):
        kept = kept.replace(letter, f"\\{letter}")
    return kept
