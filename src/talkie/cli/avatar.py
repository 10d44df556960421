"""`talkie avatar`: the faces there are, and packs that become faces. Knows nothing of how they are shown."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from talkie.cli.avatar_new import new

if TYPE_CHECKING:
    from talkie.cli.avatar_keeper import Keeper
    from talkie.models.avatar_findings import Findings
    from talkie.runtime.face import AvatarCard

HEAD = ("AVATAR", "TITLE", "KIND", "PIXELS", "FPS", "DISK", "LICENCE")
PICTURES = (".png", ".jpg", ".jpeg")

app = typer.Typer(help="Faces that speak: list them, make and check packs of them, add them.", no_args_is_help=True)
app.command()(new)

Server = Annotated[str | None, typer.Option(metavar="URL", help="A server's avatars, like http://127.0.0.1:8000.")]
Key = Annotated[str | None, typer.Option(help="The server's key; better in the environment as TALKIE_API_KEY.")]
Certificate = Annotated[Path | None, typer.Option(help="Trust this certificate (PEM) of the server.")]
Home = Annotated[Path | None, typer.Option(help="Where Talkie keeps its models (TALKIE_HOME).")]
Pack = Annotated[Path, typer.Argument(help="A pack: a directory, or a zip of one.")]
Json = Annotated[bool, typer.Option("--json", help="JSON, for programs.")]
Name = Annotated[str, typer.Argument(help="The avatar's name.")]


@app.command()
def check(pack: Pack, as_json: Json = False, home: Home = None) -> None:
    """Say all that is wrong with a pack. Leaves with 1 where it cannot be used."""
    from talkie.cli.avatar_check import check_whole
    from talkie.cli.output import FAILED
    from talkie.settings import load_settings

    settings, _ = load_settings({"home": home})
    name, findings = check_whole(pack, settings)
    if as_json:
        typer.echo(json.dumps({"ok": findings.ok, "findings": [asdict(one) for one in findings.found]}))
    else:
        _tell(name or pack.name, findings)
    if not findings.ok:
        raise typer.Exit(FAILED)


@app.command("list")
def list_avatars(
    as_json: Json = False, server: Server = None, api_key: Key = None, cacert: Certificate = None, home: Home = None
) -> None:
    """List the avatars that can be shown, and those that cannot and why."""
    from talkie.cli.output import note, table

    with closing(_keeper(home, server, api_key, cacert)) as keeper:
        found = keeper.avatars()
    if as_json:
        typer.echo(json.dumps({"avatars": [asdict(card) for card in found]}, ensure_ascii=False))
        return
    for line in table(HEAD, [_row(card) for card in found]):
        typer.echo(line)
    for card in found:
        if card.problem:
            note(f"{card.name} cannot be shown: {card.problem}")


@app.command()
def add(
    pack: Pack,
    name: Annotated[str, typer.Option(help="What it is to be called; else as the pack says.")] = "",
    server: Server = None,
    api_key: Key = None,
    cacert: Certificate = None,
    home: Home = None,
) -> None:
    """Check a pack and keep it. A face of a real person only with that person's consent."""
    with closing(_keeper(home, server, api_key, cacert)) as keeper:
        typer.echo(keeper.add(pack, name))


@app.command()
def remove(
    name: Name, server: Server = None, api_key: Key = None, cacert: Certificate = None, home: Home = None
) -> None:
    """Remove an avatar that was added, and its files with it."""
    from talkie.cli.output import note

    with closing(_keeper(home, server, api_key, cacert)) as keeper:
        keeper.remove(name)
    note(f"{name} is gone")


@app.command()
def show(
    name: Name,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to: a .png or .jpg.")],
    server: Server = None,
    api_key: Key = None,
    cacert: Certificate = None,
    home: Home = None,
) -> None:
    """Write a picture of an avatar at rest."""
    from talkie.errors import InvalidValue
    from talkie.models.files import write_durably
    from talkie.video.jpeg import jpeg, png

    ending = output.suffix.lower()
    if ending not in PICTURES:
        raise InvalidValue("output", f"A picture ends in {', '.join(PICTURES)}.")
    with closing(_keeper(home, server, api_key, cacert)) as keeper:
        picture = keeper.picture(name)
    write_durably(output, png(picture) if ending == ".png" else jpeg(picture, 90))
    typer.echo(output)


def _keeper(home: Path | None, server: str | None, api_key: str | None, cacert: Path | None) -> Keeper:
    from talkie.cli.avatar_keeper import open_keeper
    from talkie.settings import load_settings

    settings, _ = load_settings({"home": home})
    return open_keeper(settings, server, api_key, cacert)


def _tell(name: str, findings: Findings) -> None:
    """Findings are what was asked for: on stdout, each with its hint below."""
    for one in findings.found:
        typer.echo(f"{one.level}: {one.where}: {one.what}")
        if one.hint:
            typer.echo(f"  hint: {one.hint}")
    if findings.left_out:
        typer.echo(f"and {findings.left_out} more")
    errors = sum(one.level == "error" for one in findings.found)
    warnings = len(findings.found) - errors
    told = f"{_count(errors, 'error')}, {_count(warnings, 'warning')}" if findings.found else "good"
    typer.echo(f"{name}: {told}")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _row(card: AvatarCard) -> tuple[str, ...]:
    from talkie.cli.output import size

    pixels = f"{card.width}x{card.height}" if card.width else ""
    kind = "cannot be shown" if card.problem else card.kind
    disk = size(card.size_bytes) if card.size_bytes else ""
    return card.name, card.title, kind, pixels, f"{card.fps:g}" if card.fps else "", disk, card.licence
