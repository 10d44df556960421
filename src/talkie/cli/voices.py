"""`talkie voices`: the voices there are, and those made from recordings. Knows nothing of how they speak."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from talkie.cli.mouths import Mouth
    from talkie.runtime.speech import VoiceCard

HEAD = ("VOICE", "LANGUAGE", "MODEL", "MADE FROM A RECORDING")

app = typer.Typer(invoke_without_command=True, no_args_is_help=False)

Server = Annotated[str | None, typer.Option(metavar="URL", help="A server's voices, like http://127.0.0.1:8000.")]
Key = Annotated[str | None, typer.Option(help="The server's key; better in the environment as TALKIE_API_KEY.")]
Certificate = Annotated[Path | None, typer.Option(help="Trust this certificate (PEM) of the server.")]
Home = Annotated[Path | None, typer.Option(help="Where Talkie keeps its models (TALKIE_HOME).")]


@app.callback()
def voices(
    context: typer.Context,
    language: Annotated[str | None, typer.Option("--language", "-l", help="Only those of a language.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, for programs.")] = False,
    server: Server = None,
    api_key: Key = None,
    cacert: Certificate = None,
    home: Home = None,
) -> None:
    """List the voices that texts can be spoken with."""
    if context.invoked_subcommand is not None:
        return
    from talkie.cli.output import note, table
    from talkie.text.languages import parse_language

    with closing(_mouth(home, server, api_key, cacert)) as mouth:
        found = [card for card in mouth.voices() if _speaks(card, parse_language(language))]
    if as_json:
        typer.echo(json.dumps({"voices": [asdict(card) for card in found]}, ensure_ascii=False))
        return
    for line in table(HEAD, [_row(card) for card in found]):
        typer.echo(line)
    if not found:
        note("no voice speaks that language")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What the voice is to be called.")],
    recording: Annotated[Path, typer.Argument(help="3 to 30 seconds of one person speaking.")],
    consent: Annotated[str, typer.Option(help="Who agreed, and when: it is kept with the voice.")],
    language: Annotated[str, typer.Option("--language", "-l", help="What is spoken in it.")] = "en",
    server: Server = None,
    api_key: Key = None,
    cacert: Certificate = None,
    home: Home = None,
) -> None:
    """Make a voice from a recording, for models that can imitate one. Only with the consent of the one who speaks."""
    from talkie.errors import UnreadableFile
    from talkie.text.languages import parse_language

    if not recording.is_file():
        raise UnreadableFile("there is no such file")
    with closing(_mouth(home, server, api_key, cacert)) as mouth:
        card = mouth.add_voice(name, recording, parse_language(language) or "en", consent)
    typer.echo(card.id)


@app.command()
def remove(
    voice: Annotated[str, typer.Argument(help="The voice's id or name.")],
    server: Server = None,
    api_key: Key = None,
    cacert: Certificate = None,
    home: Home = None,
) -> None:
    """Remove a voice that was made from a recording, and the recording with it."""
    from talkie.cli.output import note

    with closing(_mouth(home, server, api_key, cacert)) as mouth:
        mouth.remove_voice(voice)
    note(f"{voice} is gone")


def _mouth(home: Path | None, server: str | None, api_key: str | None, cacert: Path | None) -> Mouth:
    from talkie.cli.mouths import open_mouth
    from talkie.settings import load_settings

    settings, _ = load_settings({"home": home})
    return open_mouth(settings, server, api_key, cacert)


def _speaks(card: VoiceCard, language: str | None) -> bool:
    return language is None or any(one.partition("-")[0] == language for one in card.languages)


def _row(card: VoiceCard) -> tuple[str, ...]:
    shown = card.id if card.id == card.name else f"{card.id} ({card.name})"
    return shown, ", ".join(card.languages), card.model, "yes" if card.cloned else ""
