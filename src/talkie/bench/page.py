"""The frame of an HTML page of figures: one file, no scripts, nothing from anywhere. Knows nothing of what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files

from talkie.bench.tables import Table


def page(title: str, parts: Sequence[str]) -> str:
    """`parts` are HTML."""
    style = files("talkie.bench").joinpath("report.css").read_text(encoding="utf-8")
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Talkie: {escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>\n{style}</style></head>\n<body><main>\n<h1>{escape(title)}</h1>\n{body}\n</main></body></html>\n"
    )


def figure(title: str, said: str, picture: str) -> str:
    caption = f"<b>{escape(title[:1].upper() + title[1:])}</b> {escape(said)}"
    return f"<figure><figcaption>{caption}</figcaption>{picture}</figure>"


def table_html(table: Table) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.head)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    note = f"<p>{escape(table.note)}</p>" if table.note else ""
    return f'<h2>{escape(table.title)}</h2><div class="wide"><table><tr>{head}</tr>{rows}</table></div>{note}'
