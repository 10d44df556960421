"""`talkie keys`: add, list and remove the keys of the server. A key is shown once, when it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pathlib import Path

    from talkie.transports.keys import StoredKey

app = typer.Typer(help="Keys that open the server to others.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="Who or what the key is for, like: laptop")]


@app.command()
def add(
    name: NameArgument,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="transcribe, models:read, metrics, docs or admin; may be given several times."),
    ] = None,
) -> None:
    """Make a key and print it: this is the only time it is seen."""
    from talkie.errors import SettingsError
    from talkie.transports.keys import new_key, write_keys

    path, keys = _file()
    if any(key.name == name for key in keys):
        raise SettingsError(f"There is a key {name!r} already.", hint=f"`talkie keys rm {name}` removes it.")
    key, stored = new_key(name, scope or ["transcribe", "models:read"])
    write_keys(path, [*keys, stored])
    typer.echo(f"Kept as {name} ({', '.join(stored.scopes)}) in {path}. It is not shown again:", err=True)
    typer.echo(key)


@app.command("list")
def list_keys() -> None:
    """Names and scopes of the keys; the keys themselves are not known any more."""
    path, keys = _file()
    if not keys:
        typer.echo(f"No keys in {path}.", err=True)
    width = max((len(key.name) for key in keys), default=0)
    for key in keys:
        typer.echo(f"{key.name:<{width}}  {', '.join(key.scopes)}")


@app.command()
def rm(name: NameArgument) -> None:
    """Remove a key; a running server notices at the next request."""
    from talkie.errors import SettingsError
    from talkie.transports.keys import write_keys

    path, keys = _file()
    left = [key for key in keys if key.name != name]
    if len(left) == len(keys):
        raise SettingsError(f"There is no key {name!r}.", hint="`talkie keys list` shows what there is.")
    write_keys(path, left)
    typer.echo(f"Removed {name}.", err=True)


def _file() -> tuple[Path, list[StoredKey]]:
    from talkie.settings import load_settings
    from talkie.transports.keys import read_keys

    path = load_settings()[0].keys_path
    return path, read_keys(path)
