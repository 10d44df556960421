"""`talkie bench models`: Whisper models of the real sizes with random weights, for measuring speed and nothing else.

Each directory that was made is a line on stdout; the bar goes to stderr.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from talkie.cli.output import note


def models(
    out: Annotated[Path, typer.Option(help="Where to: DIR/<size>/<format>/.")],
    sizes: Annotated[str, typer.Option(help="With commas: tiny base small medium large-v3 turbo.")] = "tiny,base",
    formats: Annotated[
        str, typer.Option(help="With commas: ct2-int8 ct2-float32 openai ggml hf openvino.")
    ] = "ct2-int8",
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same weights.")] = 0,
    vocabulary: Annotated[
        Path | None,
        typer.Option(help="Whisper's multilingual.tiktoken, which openai-whisper and others have built in."),
    ] = None,
    exporter: Annotated[
        Path | None, typer.Option(help="A Python that has optimum-intel, for the format openvino.")
    ] = None,
    words: Annotated[
        int, typer.Option(min=1, max=200, help="Words for each window: 65 are 30 s of speech, 12 a sentence.")
    ] = 65,
) -> None:
    """Make models of the real dimensions that write one text for any sound: for speed only."""
    from talkie.bench.models import Wish, make_models
    from talkie.bench.shape_true import SPEED_ONLY

    wish = Wish(out, _listed(sizes), _listed(formats), seed, vocabulary, exporter, words)
    if vocabulary is None and {"openai", "ggml"} & set(wish.formats):
        note("without --vocabulary, programs that have Whisper's own built in write other words.")
    with _bar() as report:
        made = make_models(wish, report)
    for one in made:
        typer.echo(one.directory)
    note(SPEED_ONLY)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


@contextmanager
def _bar() -> Iterator[Callable[[str, int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("models", total=None)

        def report(what: str, number: int, of: int) -> None:
            progress.update(task, description=what or "models", completed=number, total=of)

        yield report
