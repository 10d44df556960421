"""`talkie say`: text to speech, into a file, a pipe or the loudspeaker.

Raises Talkie's errors; `cli/main.py` turns them into messages. Knows nothing of how speech is made.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from talkie.cli.mouths import Mouth
    from talkie.cli.progress import Display
    from talkie.cli.spoken_outputs import Output
    from talkie.runtime.speech import SpeakRequest
    from talkie.types import Mark


def say(
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT|-", help="What to say; - takes it from a pipe as it is written.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="A text file in place of TEXT.")] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="PATH|-", help="A file; - is a pipe. Without it the speech is played."),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", help="wav, mp3, opus, flac, aac or pcm.", show_default="by the file's name"),
    ] = None,
    voice: Annotated[str, typer.Option("--voice", "-v", help="`talkie voices` lists them.")] = "",
    model: Annotated[str, typer.Option("--model", "-m", help="What speaks.")] = "auto",
    language: Annotated[str | None, typer.Option("--language", "-l", help="Like en or german.")] = None,
    speed: Annotated[float, typer.Option(help="0.25 to 4; 1 is the voice's own.")] = 1.0,
    ssml: Annotated[bool, typer.Option("--ssml", help="The text is SSML.")] = False,
    instructions: Annotated[str, typer.Option(help="How it should sound, for models that can be told.")] = "",
    captions: Annotated[Path | None, typer.Option(help="Captions too: .vtt, .srt or .tsv.")] = None,
    marks: Annotated[Path | None, typer.Option(help="When each word, sound and mouth shape is, as JSON lines.")] = None,
    face: Annotated[
        str | None, typer.Option(metavar="PATH|-", help="A film of a face that says it, like out.mp4.")
    ] = None,
    avatar: Annotated[str, typer.Option(help="Whose face; `talkie avatar list` shows them.")] = "",
    size: Annotated[
        str | None, typer.Option(metavar="WIDTH[xHEIGHT]", help="Of the face.", show_default="the avatar's own")
    ] = None,
    mood: Annotated[str, typer.Option(help="Of the face.")] = "",
    server: Annotated[
        str | None, typer.Option(metavar="URL", help="Let a server speak, like http://127.0.0.1:8000.")
    ] = None,
    api_key: Annotated[
        str | None, typer.Option(help="The server's key; better in the environment as TALKIE_API_KEY.")
    ] = None,
    cacert: Annotated[Path | None, typer.Option(help="Trust this certificate (PEM) of the server.")] = None,
    home: Annotated[Path | None, typer.Option(help="Where Talkie keeps its models (TALKIE_HOME).")] = None,
) -> None:
    """Say a text.

    The first words are heard while the rest is still being made. Ctrl-C stops at once, and of a file that is not
    finished nothing is left.
    """
    from contextlib import closing

    from talkie.cli.face_saying import Film, say_with_face
    from talkie.cli.mouths import open_mouth
    from talkie.cli.progress import shown
    from talkie.cli.spoken_outputs import format_of, opened
    from talkie.cli.spoken_words import caption_format
    from talkie.runtime.speech import SpeakRequest
    from talkie.settings import load_settings
    from talkie.wire.speech_fields import spoken_language

    whole, pieces = _text(text, file)
    wanted = format_of(output, form)
    if captions is not None:
        caption_format(captions)
    request = SpeakRequest(
        text=whole,
        model=model,
        voice=voice,
        language=spoken_language(language or ""),
        speed=speed,
        ssml=ssml,
        instructions=instructions,
        visemes=marks is not None,
        align=captions is not None or marks is not None,
    )
    settings, _ = load_settings({"home": home})
    if face is not None:
        film = Film(face, avatar, size, mood, output, wanted, server, api_key, cacert)
        _keep(say_with_face(settings, request, pieces, film), captions, marks)
        return
    with closing(open_mouth(settings, server, api_key, cacert)) as mouth, shown("speaking") as display:
        with opened(output, wanted) as out:
            told = _speak(mouth, request, pieces, out, display)
        _keep(told, captions, marks)


def _text(text: str | None, file: Path | None) -> tuple[str, Iterable[str] | None]:
    """A whole text, or one that comes in pieces. Raises `InvalidValue`, `UnreadableFile`."""
    import sys

    from talkie.cli.spoken_text import pieces_of, text_of
    from talkie.errors import InvalidValue

    if (text is None) == (file is None):
        raise InvalidValue("text", "Give a text, - for a pipe, or --file.", hint='Like: talkie say "Good morning."')
    if file is not None:
        return text_of(file), None
    assert text is not None
    return ("", pieces_of(sys.stdin.buffer)) if text == "-" else (text, None)


def _speak(
    mouth: Mouth, request: SpeakRequest, pieces: Iterable[str] | None, out: Output, display: Display
) -> list[Mark]:
    from contextlib import closing

    from talkie.types import Progress

    told: list[Mark] = []
    done_s = 0.0
    with closing(mouth.speak(request, pieces)) as chunks:  # type: ignore[type-var]
        for chunk in chunks:
            out.take(chunk.samples, chunk.sample_rate)
            told += chunk.marks
            done_s += len(chunk.samples) / chunk.sample_rate
            display.update(Progress(done_s))
    return told


def _keep(told: list[Mark], captions: Path | None, marks: Path | None) -> None:
    from talkie.cli.sinks import written
    from talkie.cli.spoken_words import as_json, caption_format
    from talkie.cli.spoken_words import captions as captions_of

    if captions is not None:
        with written(captions) as sink:
            sink.write(captions_of(told, caption_format(captions)))
    if marks is not None:
        with written(marks) as sink:
            sink.write(as_json(told))
