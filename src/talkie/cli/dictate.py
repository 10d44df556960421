"""`talkie dictate`: press a key, speak, press it again, and the text is in the clipboard or at the cursor.

Raises Talkie's errors; `cli/main.py` turns them into messages. Knows nothing of how speech is heard.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from talkie.cli.transcribe import complete_language, complete_model

if TYPE_CHECKING:
    from talkie.cli.delivery import Way
    from talkie.cli.keyboard import Keyboard
    from talkie.cli.live import Show
    from talkie.cli.live_ears import Ears
    from talkie.cli.stop import Stop
    from talkie.runtime.requests import LiveRequest
    from talkie.types import LiveEvent

START_KEYS = ("\n", "\r", " ")
LEAVE_KEYS = ("", "q", "Q", "\x04", "\x1b")
LOOK_S = 0.1


def dictate(
    once: Annotated[bool, typer.Option("--once", help="Leave after the first text.")] = False,
    types: Annotated[bool, typer.Option("--type", help="Type the text where the cursor is.")] = False,
    only_print: Annotated[bool, typer.Option("--print", help="Neither copy nor type it.")] = False,
    pause: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Begin at once, and end by so long a silence in place of a key."),
    ] = None,
    file: Annotated[str | None, typer.Option("--file", "-f", help="A recording in place of the microphone.")] = None,
    model: Annotated[
        str, typer.Option("--model", "-m", help="A model's name, or a directory of one.", autocompletion=complete_model)
    ] = "auto",
    language: Annotated[
        str | None,
        typer.Option("--language", "-l", help="Like en; else it is found.", autocompletion=complete_language),
    ] = None,
    prompt: Annotated[str, typer.Option(help="Text that comes before, for its names and style.")] = "",
    hotwords: Annotated[str, typer.Option(help="Words to expect.")] = "",
    preset: Annotated[str, typer.Option(help="fast, balanced or strict.", show_default="the setting")] = "",
    device: Annotated[str | None, typer.Option(help="The microphone: its number or a part of its name.")] = None,
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
    """Speak, and have the text in the clipboard or at the cursor.

    Enter or Space begins and ends; q leaves. The text also goes to standard output, one line for each time. With
    --pause no terminal is needed, so that a keyboard shortcut of your desktop can run it:
    talkie dictate --once --pause 1.5 --type
    """
    from talkie.cli.live_options import Place, live_request

    request = live_request(
        model=model,
        language=language,
        task="transcribe",
        prompt=prompt,
        hotwords=hotwords,
        preset=preset,
        pause_s=pause,
        partials=_is_watched(),
    )
    way: Way | None = None if only_print else "type" if types else "copy"
    place = Place.of({"home": home, "threads": threads}, server, api_key, cacert)
    with contextlib.ExitStack() as stack:
        by_key = pause is None and file is None
        keyboard = stack.enter_context(_keyboard()) if by_key else None
        ears = stack.enter_context(contextlib.closing(place.ears(request)))
        dictation = Dictation(ears, request, file, device, pause is not None, keyboard)
        for text in dictation.texts(once=once or file is not None or not sys.stdin.isatty()):
            _deliver(text, way)


@dataclass(slots=True)
class Dictation:
    """Listens again and again: from a key to a key, or to a silence, or to the end of a recording."""

    ears: Ears
    request: LiveRequest
    file: str | None = None
    device: str | None = None
    until_silence: bool = False
    keyboard: Keyboard | None = None

    def texts(self, *, once: bool) -> Iterator[str]:
        """What was said each time; empty where that was nothing."""
        while self._begin():
            yield self._hear()
            if once:
                return

    def _begin(self) -> bool:
        """Wait for a key, where one begins; False: leave."""
        if self.keyboard is None:
            return True
        from talkie.cli.output import say

        say("Enter or Space: speak.   q: leave.")
        while True:
            key = self.keyboard.key()
            if key in START_KEYS:
                return True
            if key in LEAVE_KEYS:
                return False

    def _hear(self) -> str:
        from talkie.cli.live import listen_to
        from talkie.cli.live_options import open_source
        from talkie.cli.stop import Stop, interrupted_twice

        stop, heard = Stop(), _Heard()
        with contextlib.ExitStack() as stack:
            source = open_source(self.file, raw=None, realtime=False, device=self.device)
            stack.enter_context(contextlib.closing(source))
            paint = stack.enter_context(_painted())
            stack.enter_context(interrupted_twice(stop))
            stack.enter_context(self._watched(stop))

            def show(event: LiveEvent) -> None:
                heard.take(event)
                paint(event)
                if self.until_silence and self.file is None and heard.is_whole:
                    stop.set()

            listen_to(source, self.ears, self.request, show, stop)
        return heard.text

    @contextlib.contextmanager
    def _watched(self, stop: Stop) -> Iterator[None]:
        """A key ends what is said."""
        if self.keyboard is None:
            yield
            return
        keyboard = self.keyboard

        def watch() -> None:
            while not stop.is_set():
                if keyboard.key(LOOK_S) in (*START_KEYS, *LEAVE_KEYS):
                    stop.set()

        watcher = threading.Thread(target=watch, name="keys", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()


@dataclass(slots=True)
class _Heard:
    """The finals so far. `is_whole`: something was said, and then came the silence that ends it."""

    parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(self.parts)

    @property
    def is_whole(self) -> bool:
        return bool(self.parts)

    def take(self, event: LiveEvent) -> None:
        from talkie.text.cues import clean
        from talkie.types import LiveFinal

        if isinstance(event, LiveFinal) and (text := clean(event.transcript.text)):
            self.parts.append(text)


@contextlib.contextmanager
def _painted() -> Iterator[Show]:
    """What is being said, on stderr where somebody looks; what was said comes out whole, at the end."""
    from talkie.cli.live_screen import painted

    if not _is_watched():
        yield _notices
        return
    from rich.console import Console

    with painted(Console(stderr=True), scroll=False) as screen:
        yield screen.show


def _notices(event: LiveEvent) -> None:
    from talkie.cli.output import note
    from talkie.types import LiveNotice

    if isinstance(event, LiveNotice):
        note(event.notice.message)


def _keyboard() -> Keyboard:
    from talkie.cli.keyboard import Keyboard

    return Keyboard()


def _is_watched() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _deliver(text: str, way: Way | None) -> None:
    """On stdout whatever else becomes of it; what could not be done is said."""
    from talkie.cli.delivery import HINTS, deliver, fitting
    from talkie.cli.output import note, say
    from talkie.cli.sinks import Stdout
    from talkie.settings import desktop

    if not text:
        note("nothing was said.")
        return
    Stdout().write(text + "\n")
    if way is None:
        return
    programs = fitting(way, desktop())
    done = deliver(text, programs)
    for problem in done.problems:
        note(f"{problem}.")
    if done.by is None:
        note(f"the text is printed only. {HINTS[way]}" if not programs else "the text is printed only.")
    elif _is_watched():
        say(f"{'Copied' if way == 'copy' else 'Typed'} with {done.by}.")
