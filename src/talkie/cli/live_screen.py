"""What is shown of live speech: a line that is repainted on a terminal, finals alone anywhere else, or JSON.

Knows nothing of where events come from. Data goes to stdout, notices to stderr.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from talkie.cli.formats import Format, make_format
from talkie.cli.output import note
from talkie.cli.sinks import Sink, Stdout, written
from talkie.text.cues import clean
from talkie.types import LiveEvent, LiveFinal, LiveNotice, LivePartial, Transcript

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live


class Screen(Protocol):
    """Takes every event of a session, in order."""

    def show(self, event: LiveEvent) -> None: ...


class Lines:
    """Finals, one line each."""

    def __init__(self, sink: Sink, *, times: bool) -> None:
        self._sink, self._times = sink, times

    def show(self, event: LiveEvent) -> None:
        if isinstance(event, LiveNotice):
            note(event.notice.message)
        elif isinstance(event, LiveFinal) and (line := final_line(event, times=self._times)):
            self._sink.write(line + "\n")


class JsonLines:
    """Every event as `/v1/listen` tells it, one line each."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def show(self, event: LiveEvent) -> None:
        from talkie.wire.listen_events import event_message, to_text

        self._sink.write(to_text(event_message(event)) + "\n")


class Painted:
    """One line at the bottom of the terminal says what is being said; finals scroll away above it, where `scroll`."""

    def __init__(self, live: Live, *, times: bool = False, scroll: bool = True) -> None:
        self._live, self._times, self._scroll = live, times, scroll
        self._saying: dict[int, LivePartial] = {}

    def show(self, event: LiveEvent) -> None:
        if isinstance(event, LivePartial):
            self._saying[event.utterance] = event
        elif isinstance(event, LiveFinal):
            self._saying.pop(event.utterance, None)
            if self._scroll and (line := final_line(event, times=self._times)):
                self._live.console.print(line, markup=False, highlight=False, soft_wrap=True)
        elif isinstance(event, LiveNotice):
            self._aside(event.notice.message)
        self._paint()

    def _paint(self) -> None:
        from rich.text import Text

        width = self._live.console.width - 1
        tentative = clean(" ".join(part.tentative for part in self._saying.values()))
        shown = last_columns(clean(" ".join(part.text for part in self._saying.values())), width)
        line = Text(shown, no_wrap=True, overflow="crop", end="")
        if tentative:
            line.stylize("dim", max(len(shown) - len(tentative), 0))
        self._live.update(line, refresh=True)

    def _aside(self, message: str) -> None:
        """The line is taken away while something is written to the same terminal."""
        self._live.stop()
        note(message)
        self._live.start()


class File:
    """Finals into a file of a format."""

    def __init__(self, form: Format, sink: Sink) -> None:
        self._form, self._sink = form, sink
        self._sink.write(form.start())

    def show(self, event: LiveEvent) -> None:
        if isinstance(event, LiveFinal):
            for segment in event.transcript.segments:
                self._sink.write(self._form.feed(segment))

    def finish(self) -> None:
        self._sink.write(self._form.finish(Transcript()))


class Several:
    """All of them see every event."""

    def __init__(self, screens: Sequence[Screen]) -> None:
        self._screens = screens

    def show(self, event: LiveEvent) -> None:
        for screen in self._screens:
            screen.show(event)


@contextlib.contextmanager
def filed(path: Path, form: str) -> Iterator[Screen]:
    """A file that is there when the block ends well."""
    with written(path) as sink:
        file = File(make_format(form, words=True), sink)
        yield file
        file.finish()


@contextlib.contextmanager
def shown(*, as_json: bool, times: bool, is_terminal: bool) -> Iterator[Screen]:
    """What suits whoever reads standard output."""
    if as_json:
        yield JsonLines(Stdout())
    elif not is_terminal:
        yield Lines(Stdout(), times=times)
    else:
        from rich.console import Console

        with painted(Console(), times=times) as screen:
            yield screen


@contextlib.contextmanager
def painted(console: Console, *, times: bool = False, scroll: bool = True) -> Iterator[Painted]:
    """A line on that terminal, gone when the block ends."""
    from rich.live import Live

    with Live(
        console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
    ) as live:
        yield Painted(live, times=times, scroll=scroll)


def final_line(event: LiveFinal, *, times: bool) -> str:
    """The text of an utterance on one line, empty where nothing was said."""
    text = clean(event.transcript.text)
    if not times or not text:
        return text
    return f"[{clock(event.span.start_s)} - {clock(event.span.end_s)}] {text}"


def clock(seconds: float) -> str:
    """`01:02.3`, and hours where there are some."""
    tenths = round(max(seconds, 0.0) * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}:" if hours else "") + f"{minutes:02d}:{rest / 10:04.1f}"


def last_columns(text: str, columns: int) -> str:
    """The end of the text that fits into so many columns, cut between words where there are some."""
    from rich.cells import cell_len

    if cell_len(text) <= columns:
        return text
    kept = ""
    for word in reversed(text.split(" ")):
        longer = f"{word} {kept}".strip()
        if cell_len(longer) > columns - 2:
            break
        kept = longer
    if kept:
        return f"… {kept}"
    while text and cell_len(text) > columns - 1:
        text = text[1:]
    return f"…{text}"
