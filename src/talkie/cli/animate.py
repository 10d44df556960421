"""`talkie animate`: a recording, spoken by a face, as a film.

Raises Talkie's errors; `cli/main.py` turns them into messages. Knows nothing of how a face is made.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from talkie.cli.face_output import Output
    from talkie.cli.inputs import Input


def animate(
    recording: Annotated[
        str, typer.Argument(metavar="RECORDING|-", help="What is to be said; - takes it from a pipe.")
    ],
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="PATH|-", help="A file like out.mp4; - is a pipe."),
    ],
    avatar: Annotated[
        str, typer.Option("--avatar", "-a", help="`talkie avatar list` shows them; or a pack's directory.")
    ] = "",
    size: Annotated[
        str | None, typer.Option(metavar="WIDTH[xHEIGHT]", help="In pixels.", show_default="the avatar's own")
    ] = None,
    mood: Annotated[str, typer.Option(help="One of the avatar's.")] = "",
    form: Annotated[
        str | None,
        typer.Option("--format", help="mp4, webm, or png: a directory of pictures.", show_default="by the file's name"),
    ] = None,
    raw: Annotated[
        str | None, typer.Option(metavar="RATE[,CHANNELS[,ENCODING]]", help="Bare PCM, like 16000 or 8000,1,mulaw.")
    ] = None,
    server: Annotated[
        str | None, typer.Option(metavar="URL", help="Let a server show, like http://127.0.0.1:8000.")
    ] = None,
    api_key: Annotated[
        str | None, typer.Option(help="The server's key; better in the environment as TALKIE_API_KEY.")
    ] = None,
    cacert: Annotated[Path | None, typer.Option(help="Trust this certificate (PEM) of the server.")] = None,
    home: Annotated[Path | None, typer.Option(help="Where Talkie keeps its models (TALKIE_HOME).")] = None,
) -> None:
    """Let a face speak a recording.

    The sound is the recording's own. Ctrl-C stops at once, and of a film that is not finished nothing is left.
    """
    from contextlib import closing
    from dataclasses import replace

    from talkie.cli.artists import open_artist
    from talkie.cli.face_options import face_request
    from talkie.cli.face_output import output_of
    from talkie.cli.face_progress import showing
    from talkie.cli.transcribe import raw_format
    from talkie.settings import load_settings

    item, out = _recording(recording), output_of(output, form)
    _check_apart(item, out)
    request = replace(face_request(avatar, size, mood, here=server is None), raw=raw_format(raw))
    settings, _ = load_settings({"home": home})
    with (
        closing(open_artist(settings, server, api_key, cacert)) as artist,
        showing("showing", _seconds(item, raw)) as display,
    ):
        artist.animate(item.open(), request, out, display)


def _recording(name: str) -> Input:
    """Raises `InvalidValue`."""
    from talkie.cli.inputs import find_inputs
    from talkie.errors import InvalidValue

    if name != "-" and Path(name).is_dir():
        raise InvalidValue("path", f"{name[:80]!r} is a directory.", hint="A film is made of one recording.")
    return find_inputs([name])[0]


def _check_apart(item: Input, out: Output) -> None:
    from talkie.errors import InvalidValue

    if item.path and out.path and item.path.resolve() == out.path.resolve():
        raise InvalidValue("output", "The film would replace the recording.", hint="Give another name.")


def _seconds(item: Input, raw: str | None) -> float | None:
    """For the bar only: what is wrong with a recording is told when it is heard."""
    from talkie.audio.decode import open_audio
    from talkie.errors import TalkieError

    if item.path is None or raw is not None:
        return None
    try:
        with open_audio(item.path) as stream:
            return stream.info.duration_s
    except (TalkieError, OSError):
        return None
