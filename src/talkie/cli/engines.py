"""`talkie engines`: which engines there are and whether they can be used; environments of their own, made and removed.

Data goes to stdout, everything else to stderr. Knows nothing of how an environment is made.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from talkie.environments.table import Recipe
    from talkie.settings import Settings

app = typer.Typer(help="Engines, and the environments of those that need their own.", invoke_without_command=True)
KINDS = {"recognizer": "hears", "synthesizer": "speaks", "vad": "finds speech"}

Home = Annotated[Path | None, typer.Option("--home", help="Where Talkie keeps its models (TALKIE_HOME).")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, for programs.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="An engine with an environment of its own: chatterbox.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@dataclass(frozen=True, slots=True)
class Row:
    """`state` is `ready`, `missing` or `stale`; `why` says what is missing, or how to get it."""

    name: str
    kind: str
    state: str
    why: str = ""
    size_bytes: int = 0


@app.callback()
def engines(context: typer.Context, as_json: AsJson = False, home: Home = None) -> None:
    """List the engines: what each does, and whether it can be used."""
    if context.invoked_subcommand is not None:
        return
    from talkie.cli.output import size, table

    rows = list(_rows(_settings(home).home))
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], indent=2))
        return
    head = ("NAME", "WHAT IT DOES", "STATE", "SIZE", "")
    shown = [
        (row.name, KINDS.get(row.kind, row.kind), row.state, size(row.size_bytes) if row.size_bytes else "", row.why)
        for row in rows
    ]
    for line in table(head, shown):
        typer.echo(line)


@app.command()
def install(
    name: Name,
    yes: Yes = False,
    offline: Annotated[bool, typer.Option("--offline", help="Never touch the network.")] = False,
    uv: Annotated[Path | None, typer.Option(help="The uv program to make it with.")] = None,
    home: Home = None,
) -> None:
    """Make the environment of an engine: gigabytes, asked for first. Broken off, it goes on where it stopped."""
    from talkie.cli.output import say, size
    from talkie.cli.store_progress import shown
    from talkie.environments.install import Wish, check_space
    from talkie.environments.install import install as make
    from talkie.environments.installed import find
    from talkie.environments.table import recipe

    wanted, settings = recipe(name), _settings(home)
    found = find(wanted, settings.home)
    if found is None or not found.current:
        offline = offline or settings.offline
        if not offline:
            check_space(wanted, settings.home)
            _ask(wanted, settings.home, yes)
        with shown(wanted.name) as progress:
            found = make(wanted, Wish(settings.home, uv, offline), progress)
    say(f"{wanted.title} is here: {len(found.packages)} packages, {size(found.size_bytes)}.")
    say(wanted.then)
    typer.echo(found.python.parent.parent)


@app.command()
def remove(name: Name, yes: Yes = False, home: Home = None) -> None:
    """Take the environment of an engine away. Its models and voices stay."""
    from talkie.cli.output import say, size
    from talkie.environments.installed import directory_of, remove
    from talkie.environments.table import recipe

    wanted, place = recipe(name), _settings(home).home
    if not yes and sys.stdin.isatty():
        typer.confirm(f"Remove {directory_of(wanted, place)}?", abort=True, err=True)
    freed = remove(wanted, place)
    say(f"Removed {name}: {size(freed)} are free again." if freed else f"There is no environment of {name}.")


def _ask(wanted: Recipe, home: Path, yes: bool) -> None:
    """What it costs, and whether it may. Raises `InvalidValue` where nobody can be asked."""
    from talkie.cli.output import say, size
    from talkie.environments.installed import directory_of
    from talkie.errors import InvalidValue

    say(f"{wanted.title}: {wanted.what}.")
    say(f"{wanted.packages} packages from PyPI, to {directory_of(wanted, home)}:")
    say(f"{size(wanted.download_bytes)} to fetch, {size(wanted.disk_bytes)} on the disk.")
    say(f"Licence: {wanted.licence}.")
    if yes:
        return
    if not sys.stdin.isatty():
        raise InvalidValue("yes", "Nobody is here to say yes to that.", hint="Say it with --yes.")
    typer.confirm("Go on?", abort=True, err=True)


def _rows(home: Path) -> Iterator[Row]:
    from talkie.engines import registry
    from talkie.environments.installed import find
    from talkie.environments.table import RECIPES

    recipes = {one.name: one for one in RECIPES}
    for name, entry in registry.entries().items():
        if name not in recipes:
            lacks = registry.missing(name)
            why = (entry.hint or f"missing: {', '.join(lacks)}") if lacks else ""
            yield Row(name, entry.kind, "missing" if lacks else "ready", why)
            continue
        found = find(recipes[name], home)
        how = f"`talkie engines install {name}` makes its environment ({recipes[name].disk_bytes / 1e9:.1f} GB)."
        if found is None:
            yield Row(name, entry.kind, "missing", how)
        else:
            state = "ready" if found.current else "stale"
            yield Row(name, entry.kind, state, "" if found.current else how, found.size_bytes)


def _settings(home: Path | None) -> Settings:
    from talkie.settings import load_settings

    return load_settings({"home": home})[0]
