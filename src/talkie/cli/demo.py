"""`talkie demo`: the whole way once round. The built-in voice speaks, a real server hears, and we say how well.

The figures are what was measured, good or bad. Knows nothing of engines and protocols.
"""

from __future__ import annotations

import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from talkie.bench.served import Served
    from talkie.settings import Settings
    from talkie.text.wer import Wer
    from talkie.types import Transcript

SENTENCES = (
    "There are many people in the room.",
    "We need more time.",
    "The economy is growing again.",
    "We are moving to another country.",
)
VOICE, SPEED = "en-us+f2", 0.9
MAX_ERROR_RATE = 0.6
"""Above it something is broken; the built-in engine is rough, but not that rough."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence, the file it was spoken into, and how long that took."""

    text: str
    path: Path
    duration_s: float
    took_s: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back for it."""

    spoken: Spoken
    transcript: Transcript
    took_s: float
    errors: Wer


def demo(
    home: Annotated[Path | None, typer.Option(help="Where Talkie keeps its models (TALKIE_HOME).")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to keep the recordings.", show_default="demo, at home")
    ] = None,
    voice: Annotated[str, typer.Option(help="A voice of espeak-ng.")] = VOICE,
    text: Annotated[list[str] | None, typer.Option(help="Sentences of your own, instead of ours.")] = None,
) -> None:
    """Speak a few sentences, let a server hear them, and show what was heard, how well and how fast."""
    from rich.console import Console

    from talkie.bench.served import served
    from talkie.settings import load_settings

    settings, _ = load_settings({"home": home})
    key = settings.api_key.get_secret_value() if settings.api_key else None
    console = Console(highlight=False)
    _step(console, "starting a server of its own")
    with served(settings.home, api_key=key) as server:
        _step(console, f"speaking, with the built-in voice {voice}")
        spoken = list(speak(settings, text or SENTENCES, voice, output or settings.home / "demo"))
        _step(console, f"hearing, at {server.url}")
        heard = []
        for item in spoken:
            heard.append(hear(server, item))
            show(console, heard[-1])
    totals(console, server, heard)
    what_next(console, heard)
    raise typer.Exit(0 if went_well(heard) else 1)


def speak(settings: Settings, sentences: Sequence[str], voice: str, directory: Path) -> Iterator[Spoken]:
    """Each sentence as a WAV file in `directory`."""
    import numpy as np

    from talkie.audio.encode import encode_wav
    from talkie.compose import build_service
    from talkie.errors import EngineFailed
    from talkie.runtime.speech import SpeakRequest

    directory.mkdir(parents=True, exist_ok=True)
    service = build_service(settings)
    try:
        for number, sentence in enumerate(sentences, 1):
            began = time.monotonic()
            chunks = list(service.speak(SpeakRequest(sentence, voice=voice, speed=SPEED)))
            if not chunks:
                raise EngineFailed("espeak", "it said nothing")
            samples = np.concatenate([chunk.samples for chunk in chunks])
            path = directory / f"{number}.wav"
            path.write_bytes(encode_wav(samples, chunks[0].sample_rate))
            yield Spoken(sentence, path, len(samples) / chunks[0].sample_rate, time.monotonic() - began)
    finally:
        service.close()


def hear(server: Served, spoken: Spoken) -> Heard:
    """Over HTTP, as any client would."""
    from talkie.text.wer import word_error_rate

    began = time.monotonic()
    transcript = server.client.transcribe(spoken.path, language="en", words=True)
    took_s = time.monotonic() - began
    return Heard(spoken, transcript, took_s, word_error_rate(spoken.text, transcript.text))


def show(console: Console, heard: Heard) -> None:
    """One sentence: what was said, what was heard, and when."""
    console.print()
    console.print(f"  said   {heard.spoken.text}", markup=False)
    console.print(f"  heard  {heard.transcript.text or '(nothing)'}", markup=False, style="bold")
    words = "  ".join(f"{word.start_s:.2f} {word.text}" for word in heard.transcript.words)
    if words:
        console.print(f"  times  {words}", markup=False, style="dim")
    wrong = f"{heard.errors.errors} of {heard.errors.words} words wrong"
    console.print(f"         {wrong}, {heard.took_s:.2f} s for {heard.spoken.duration_s:.1f} s of speech", style="dim")


def totals(console: Console, server: Served, heard: list[Heard]) -> None:
    """How long each step took and how well it went."""
    from rich.table import Table

    audio_s = sum(item.spoken.duration_s for item in heard)
    speak_s = sum(item.spoken.took_s for item in heard)
    hear_s = sum(item.took_s for item in heard)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    table.add_row("start to first answer", f"{server.answers_s:.2f} s")
    table.add_row("start to ready", f"{server.ready_s:.2f} s")
    table.add_row("speaking", f"{speak_s:.2f} s for {audio_s:.1f} s of speech")
    table.add_row("hearing", f"{hear_s:.2f} s, {audio_s / max(hear_s, 0.001):.1f} times as fast as speech")
    table.add_row("word error rate", f"{100 * error_rate(heard):.0f} %")
    console.print()
    console.print(table)


def what_next(console: Console, heard: list[Heard]) -> None:
    """The next commands, ready to be copied."""
    built_in = any(notice.code == "built_in_model" for item in heard for notice in item.transcript.notices)
    program, first = _program(), shlex.quote(str(heard[0].spoken.path))
    console.print()
    if not went_well(heard):
        console.print(
            "That is not how it should be. `talkie doctor` tells what is missing.", style="bold", markup=False
        )
    elif built_in:
        console.print(
            "These sentences were chosen because the built-in engine can hear them from a robot. It is for a "
            "first try: of what people say it gets many words wrong.",
            markup=False,
        )
    lines = [
        *([(f"{program} pull whisper-base", "a far better model, 148 MB")] if built_in else []),
        (f"{program} transcribe {first}", "the same on the command line; or a recording of yours"),
        (f"{program} serve", "the server, for any client of OpenAI's API; then:"),
        (f"curl http://127.0.0.1:8000/v1/audio/transcriptions -F file=@{first}", ""),
        (f"{program} doctor", "what this machine can do"),
    ]
    console.print("Try next:", markup=False)
    for command, why in lines:
        console.print(f"  {command}" + (f"   # {why}" if why else ""), markup=False, soft_wrap=True)


def error_rate(heard: list[Heard]) -> float:
    """Over all words of all sentences together."""
    return sum(item.errors.errors for item in heard) / max(1, sum(item.errors.words for item in heard))


def went_well(heard: list[Heard]) -> bool:
    return any(item.transcript.text for item in heard) and error_rate(heard) <= MAX_ERROR_RATE


def _step(console: Console, text: str) -> None:
    console.print(f"-- {text}", markup=False)


def _program() -> str:
    """How the user can call us again."""
    if shutil.which("talkie"):
        return "talkie"
    called = Path(sys.argv[0])
    return f"{shlex.quote(sys.executable)} -m talkie" if called.suffix == ".py" else shlex.quote(str(called))
