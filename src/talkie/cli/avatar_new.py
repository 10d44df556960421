"""`talkie avatar new`: a folder of mouth pictures becomes an avatar. Knows nothing of how a pack is made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from talkie.models.avatar_pack import AvatarPack

SHEET_PX = 192

Pictures = Annotated[Path, typer.Argument(metavar="FOLDER", help="Pictures A to H and X: one face, nine mouths.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="PACK", help="Where; else FOLDER-avatar.")]


def new(
    pictures: Pictures,
    output: Output = None,
    name: Annotated[str, typer.Option(help="What the avatar is to be called; else as the pack's directory.")] = "",
    title: Annotated[str, typer.Option(help="How it is shown to people.")] = "",
    licence: Annotated[str, typer.Option(help="Under what licence the pictures are, like CC-BY-4.0.")] = "",
) -> None:
    """Make an avatar pack of a folder of mouth pictures, and a sheet that shows all of them."""
    from talkie.cli.output import note
    from talkie.models.avatar_maker import make_pack

    target = output or pictures.resolve().with_name(f"{pictures.resolve().name}-avatar")
    made = make_pack(pictures, target, name=name, title=title, licence=licence)
    for notice in made.notices:
        note(notice.message)
    sheet = _sheet(made.pack)
    typer.echo(f"pack   {made.directory}")
    typer.echo(f"sheet  {sheet}")
    note(f"`talkie avatar add {made.directory}` keeps it.")


def _sheet(pack: AvatarPack) -> Path:
    """Beside the pack, not in it: it is for looking at."""
    from talkie.pipeline.face_pictures import fitted
    from talkie.video.jpeg import png
    from talkie.video.mouth_pictures import MouthPictures, contact_sheet

    pictures = MouthPictures(pack.pictures, *fitted(pack, SHEET_PX), base=pack.base)
    sheet = pack.directory.with_name(f"{pack.directory.name}.png")
    sheet.write_bytes(png(contact_sheet(pictures)))
    return sheet
