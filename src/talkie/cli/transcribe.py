"""`talkie transcribe`: recordings in; text, subtitles or JSON out, piece by piece as they are heard.

Raises Talkie's errors; `cli/main.py` turns them into messages. Knows nothing of how speech is heard.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from talkie.audio.decode import RawFormat
    from talkie.cli.hearing import Hearer
    from talkie.runtime.requests import TranscribeRequest
    from talkie.settings import Settings


def complete_language(incomplete: str) -> list[tuple[str, str]]:
    from talkie.text.languages import LANGUAGES

    return [(code, name) for code, name in LANGUAGES.items() if code.startswith(incomplete)]


def complete_model(incomplete: str) -> list[str]:
    from talkie.models.store import ModelStore
    from talkie.settings import load_settings

    return [model.name for model in ModelStore(load_settings()[0].home).list() if model.name.startswith(incomplete)]


def transcribe(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH", help="Recordings, directories of them, or - for what is piped in."),
    ],
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format", "-f", help="text, json, verbose_json, srt, vtt or tsv; with -o, several.", show_default="text"
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A directory for the results, or a file for one of them.")
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
    words: Annotated[
        bool, typer.Option("--words", help="Times of words: listed in JSON; subtitles are cut by them to a good size.")
    ] = False,
    prompt: Annotated[str, typer.Option(help="Text that comes before, for its names and style.")] = "",
    hotwords: Annotated[str, typer.Option(help="Words to expect.")] = "",
    preset: Annotated[str, typer.Option(help="fast, balanced or strict.", show_default="the setting")] = "",
    temperature: Annotated[float | None, typer.Option(help="0 to 1; how freely Whisper guesses.")] = None,
    no_vad: Annotated[bool, typer.Option("--no-vad", help="Hear everything, silence too.")] = False,
    no_filters: Annotated[bool, typer.Option("--no-filters", help="Keep what looks like a hallucination.")] = False,
    raw: Annotated[
        str | None, typer.Option(metavar="RATE[,CHANNELS[,ENCODING]]", help="Bare PCM, like 16000 or 8000,1,mulaw.")
    ] = None,
    server: Annotated[
        str | None, typer.Option(metavar="URL", help="Let a server hear, like http://127.0.0.1:8000.")
    ] = None,
    api_key: Annotated[
        str | None, typer.Option(help="The server's key; better in the environment as TALKIE_API_KEY.")
    ] = None,
    cacert: Annotated[Path | None, typer.Option(help="Trust this certificate (PEM) of the server.")] = None,
    home: Annotated[Path | None, typer.Option(help="Where Talkie keeps its models (TALKIE_HOME).")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.")] = None,
    compute_type: Annotated[str | None, typer.Option(help="int8, float16, float32 …")] = None,
    threads: Annotated[int | None, typer.Option(help="Threads; 0 suits the machine.")] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also what was dropped and why, and how fast it was.")
    ] = False,
) -> None:
    """Turn recordings into text, subtitles or JSON.

    The text goes to standard output as it is heard, or with -o into files. One bad file does not stop the others. Exit
    codes: 0 done, 2 the command is wrong, 3 a recording is, 4 a model is missing, 5 the server is busy or away.
    """
    from talkie.cli.inputs import find_inputs
    from talkie.cli.transcripts import Job, transcribe_all
    from talkie.settings import load_settings

    settings, _ = load_settings({"home": home, "device": device, "compute_type": compute_type, "threads": threads})
    inputs = find_inputs(paths)
    job = Job.plan(inputs, formats, output, words=words, verbose=verbose)
    request = _request(
        model=model,
        language=language,
        task=task,
        words=words and not job.only_text,
        prompt=prompt,
        hotwords=hotwords,
        preset=preset,
        temperature=temperature,
        vad=not no_vad,
        filters=not no_filters,
        raw=raw_format(raw),
    )
    if server is None:
        hearer = _local(settings, request)
    else:
        key = api_key or (settings.api_key.get_secret_value() if settings.api_key else None)
        hearer = _remote(server, key, cacert, request, live=job.only_text and not verbose)
    raise typer.Exit(transcribe_all(job, hearer))


def _request(*, language: str | None, task: str, preset: str, **given: Any) -> TranscribeRequest:
    """What is asked, checked before anything is loaded. Raises `InvalidValue`."""
    from talkie.errors import InvalidValue
    from talkie.runtime.requests import TranscribeRequest, recognize_options
    from talkie.text.languages import parse_language

    if task not in ("transcribe", "translate"):
        raise InvalidValue("task", f"There is no task {task[:40]!r}.", hint="One of: transcribe, translate.")
    request = TranscribeRequest(
        language=parse_language(language),
        task="translate" if task == "translate" else "transcribe",
        preset=preset,
        **given,
    )
    recognize_options(request, preset or "balanced")
    return request


def raw_format(text: str | None) -> RawFormat | None:
    """`8000`, `8000,1` or `8000,1,mulaw`. Raises `BadRawParameters`."""
    if text is None:
        return None
    from talkie.audio.decode import RawFormat
    from talkie.errors import BadRawParameters

    rate, _, rest = text.partition(",")
    channels, _, encoding = rest.partition(",")
    try:
        return RawFormat(int(rate), int(channels or 1), encoding.strip() or "s16le")
    except ValueError:
        raise BadRawParameters(f"{text[:40]!r} is not RATE[,CHANNELS[,ENCODING]].") from None


def _local(settings: Settings, request: TranscribeRequest) -> Hearer:
    from talkie.cli.hearing import local_hearer

    hearer = local_hearer(settings, request)
    hearer.prepare()
    return hearer


def _remote(server: str, key: str | None, cacert: Path | None, request: TranscribeRequest, *, live: bool) -> Hearer:
    from talkie.cli.hearing import RemoteHearer
    from talkie.client import Client

    return RemoteHearer(Client(server, key, cacert=cacert), request, live)
