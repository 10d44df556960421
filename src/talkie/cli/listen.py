"""`talkie listen`: speech to text while it is spoken, from the microphone, a recording or a pipe.

Raises Talkie's errors; `cli/main.py` turns them into messages. Knows nothing of how speech is heard.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from talkie.cli.transcribe import complete_language, complete_model

if TYPE_CHECKING:
    from talkie.cli.live_screen import Screen

ENDINGS = {".srt": "srt", ".vtt": "vtt", ".tsv": "tsv", ".txt": "text"}


def listen(
    source: Annotated[
        str | None, typer.Argument(metavar="[-]", help="- for sound that is piped in; else the microphone.")
    ] = None,
    file: Annotated[
        str | None, typer.Option("--file", "-f", help="A recording in place of the microphone; - is a pipe.")
    ] = None,
    realtime: Annotated[bool, typer.Option("--realtime", help="A recording goes at speaking pace.")] = False,
    raw: Annotated[
        str | None,
        typer.Option(
            "--raw", "--raw-rate", metavar="RATE[,CHANNELS[,ENCODING]]", help="What is read is bare PCM, like 16000."
        ),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", "-m", help="A model's name, or a directory of one.", autocompletion=complete_model)
    ] = "auto",
    language: Annotated[
        str | None,
        typer.Option(
            "--language", "-l", help="Like en or english; else it is found.", autocompletion=complete_language
        ),
    ] = None,
    task: Annotated[str, typer.Option(help="transcribe, or translate (into English).")] = "transcribe",
    prompt: Annotated[str, typer.Option(help="Text that comes before, for its names and style.")] = "",
    hotwords: Annotated[str, typer.Option(help="Words to expect.")] = "",
    preset: Annotated[str, typer.Option(help="fast, balanced or strict.", show_default="the setting")] = "",
    pause: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="The silence that ends an utterance.", show_default="0.5")
    ] = None,
    no_partials: Annotated[bool, typer.Option("--no-partials", help="Show whole utterances only.")] = False,
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="When each utterance was spoken.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON for each event.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also into a file: .srt, .vtt, .tsv or .txt.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="The microphone: its number or a part of its name.")] = None,
    devices: Annotated[bool, typer.Option("--devices", help="List the microphones and try the default one.")] = False,
    server: Annotated[
        str | None, typer.Option(metavar="URL", help="Let a server hear, like http://127.0.0.1:8000.")
    ] = None,
    api_key: Annotated[
        str | None, typer.Option(help="The server's key; better in the environment as TALKIE_API_KEY.")
    ] = None,
    cacert: Annotated[Path | None, typer.Option(help="Trust this certificate (PEM) of the server.")] = None,
    home: Annotated[Path | None, typer.Option(help="Where Talkie keeps its models (TALKIE_HOME).")] = None,
    threads: Annotated[int | None, typer.Option(help="Threads; 0 suits the machine.")] = None,
) -> None:
    """Turn speech into text while it is spoken.

    What is being said repaints one line of the terminal, what was said scrolls away above it; anywhere else standard
    output has one line for each utterance. The first Ctrl-C stops listening and waits for the last words, a second one
    leaves at once.
    """
    from talkie.cli.live import listen_to
    from talkie.cli.live_options import Place, is_terminal, live_request, open_source
    from talkie.cli.output import say
    from talkie.cli.stop import Stop, interrupted_twice

    if devices:
        from talkie.cli.microphone_list import show_devices

        return show_devices(device)
    paints = is_terminal() and not as_json
    request = live_request(
        model=model,
        language=language,
        task=task,
        prompt=prompt,
        hotwords=hotwords,
        preset=preset,
        pause_s=pause,
        partials=(paints or as_json) and not no_partials,
    )
    place = Place.of({"home": home, "threads": threads}, server, api_key, cacert)
    form = _format_of(output) if output else ""
    stop = Stop()
    with contextlib.ExitStack() as stack:
        ears = stack.enter_context(contextlib.closing(place.ears(request)))
        sound = open_source(file or _argument(source), raw=raw, realtime=realtime, device=device)
        stack.enter_context(contextlib.closing(sound))
        if paints and not (file or source):
            say("Speak. Ctrl-C ends.")
        screens = stack.enter_context(_screens(output, form, as_json=as_json, times=timestamps, paints=paints))
        stack.enter_context(interrupted_twice(stop))
        listen_to(sound, ears, request, screens.show, stop)
    return None


@contextlib.contextmanager
def _screens(  # type: ignore[no-untyped-def]
    output: Path | None, form: str, *, as_json: bool, times: bool, paints: bool
):
    from talkie.cli.live_screen import Several, filed, shown

    with contextlib.ExitStack() as stack:
        screens: list[Screen] = [stack.enter_context(shown(as_json=as_json, times=times, is_terminal=paints))]
        if output is not None:
            screens.append(stack.enter_context(filed(output, form)))
        yield Several(screens)


def _argument(source: str | None) -> str | None:
    from talkie.errors import InvalidValue

    if source not in (None, "-"):
        raise InvalidValue("source", f"{source[:80]!r} is no source.", hint="A recording: talkie listen --file PATH")
    return source


def _format_of(output: Path) -> str:
    from talkie.errors import InvalidValue

    form = ENDINGS.get(output.suffix.lower())
    if form is None:
        raise InvalidValue(
            "output",
            f"No format goes with the ending of {output.name[:80]!r}.",
            hint=f"One of: {', '.join(ENDINGS)}.",
        )
    return form
