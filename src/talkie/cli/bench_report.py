"""`talkie bench report`: results as a page with pictures, or as Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from talkie.cli.output import note


def report(
    results: Annotated[list[Path], typer.Argument(help="Results of one machine; several become one report.")],
    html: Annotated[Path | None, typer.Option(help="Write a page with pictures here.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write a Markdown page here.")] = None,
) -> None:
    """Draw a report from what `talkie bench speed`, `concurrency` and `upload` wrote."""
    from talkie.bench.html_report import html as draw
    from talkie.bench.markdown_report import markdown as write
    from talkie.bench.merge import merge, read_part
    from talkie.errors import InvalidValue

    if html is None and markdown is None:
        raise InvalidValue("report", "There is nothing to write.", hint="Give --html FILE, --markdown FILE or both.")
    result = merge([read_part(path) for path in results])
    for path, text in ((html, draw), (markdown, write)):
        if path is not None:
            path.write_text(text(result), encoding="utf-8")
            note(f"written: {path}")
