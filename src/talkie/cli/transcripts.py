"""The work of `talkie transcribe`: each recording heard and written, the bad ones told and passed over.

Knows nothing of options; who hears and what to write are given.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from talkie.cli import progress
from talkie.cli.formats import ALIASES, FORMATS, Format, make_format
from talkie.cli.output import INTERRUPTED, OK, exit_code, note, say, show_error
from talkie.cli.sinks import Sink, Stdout, targets, written
from talkie.errors import AudioError, EngineFailed, InvalidValue
from talkie.types import Notice, Progress, Segment, Transcript

if TYPE_CHECKING:
    from talkie.cli.hearing import Hearer
    from talkie.cli.inputs import Input

OWN_FAULT = (AudioError, EngineFailed)
"""Errors of one recording; any other would meet the next recording as well, and ends the work."""


@dataclass(frozen=True, slots=True)
class Task:
    """One recording and where its results go: no paths means standard output."""

    input: Input
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done. Standard output takes one format, files take any number."""

    tasks: tuple[Task, ...]
    formats: tuple[str, ...]
    words: bool = False
    verbose: bool = False

    @classmethod
    def plan(
        cls, inputs: Sequence[Input], formats: Sequence[str] | None, output: Path | None, *, words: bool, verbose: bool
    ) -> Job:
        """Which results go where. Raises `InvalidValue` where that cannot be."""
        names = _format_names(formats)
        if output is None:
            _check_stdout(names, len(inputs))
            return cls(tuple(Task(item) for item in inputs), names or ("text",), words, verbose)
        if output.suffix and not output.is_dir() and len(inputs) == 1 and len(names) <= 1:
            names = names or (_format_of(output),)
            return cls((Task(inputs[0], (output,)),), names, words, verbose)
        names = names or ("text",)
        chosen = targets(inputs, output, [FORMATS[name] for name in names])
        tasks = (Task(item, tuple(paths)) for item, paths in zip(inputs, chosen, strict=True))
        return cls(tuple(tasks), names, words, verbose)

    @property
    def only_text(self) -> bool:
        return self.formats == ("text",)


@dataclass(slots=True)
class _Tally:
    """What came of it so far."""

    failed: list[int] = field(default_factory=list)
    told: set[str] = field(default_factory=set)


def transcribe_all(job: Job, hearer: Hearer) -> int:
    """Hear every recording; the exit code. Raises the errors that concern them all."""
    tally = _Tally()
    began = time.monotonic()
    with contextlib.closing(hearer), _ending_well():
        for task in job.tasks:
            try:
                _transcribe(task, job, hearer, tally)
            except OWN_FAULT as error:
                if len(job.tasks) == 1:
                    raise
                show_error(error, task.input.name)
                tally.failed.append(exit_code(error))
            except KeyboardInterrupt:
                say("interrupted; what was finished before is kept.")
                return INTERRUPTED
    if tally.failed:
        say(f"{len(tally.failed)} of {len(job.tasks)} recordings could not be transcribed.")
        return max(tally.failed)
    if job.verbose and len(job.tasks) > 1:
        say(f"{len(job.tasks)} recordings in {time.monotonic() - began:.1f} s")
    return OK


def _transcribe(task: Task, job: Job, hearer: Hearer, tally: _Tally) -> None:
    began = time.monotonic()
    several = len(job.tasks) > 1
    file = task.input.name if several and not task.paths else ""
    formats = [make_format(name, words=job.words, file=file) for name in job.formats]
    with contextlib.ExitStack() as stack:
        display = stack.enter_context(progress.shown(task.input.name))
        sinks = [stack.enter_context(written(path)) for path in task.paths] or [_Aside(Stdout(), display)]
        transcript = _write(hearer, task, list(zip(formats, sinks, strict=True)), display)
    _tell(transcript, task.input.name if several else "", job.verbose, time.monotonic() - began, tally)


def _write(hearer: Hearer, task: Task, outputs: list[tuple[Format, Sink]], display: progress.Display) -> Transcript:
    """Events to pieces of text, each written as soon as it is there."""
    transcript = Transcript()
    begun = False
    with contextlib.closing(_events(hearer, task.input)) as events:
        for event in events:
            if not begun:  # not before the recording was opened: nothing is written for one that cannot be
                begun = True
                _each(outputs, lambda form: form.start())
            if isinstance(event, Progress):
                display.update(event)
            elif isinstance(event, Segment):
                segment = event
                _each(outputs, lambda form, segment=segment: form.feed(segment))
            else:
                transcript = event
    _each(outputs, lambda form: form.finish(transcript))
    return transcript


def _events(hearer: Hearer, item: Input) -> Generator[Any, None, None]:
    yield from hearer.hear(item.open())


def _each(outputs: list[tuple[Format, Sink]], piece: Any) -> None:
    for form, sink in outputs:
        text = piece(form)
        if text:
            sink.write(text)


class _Aside:
    """A sink that shares its terminal with a display."""

    def __init__(self, sink: Sink, display: progress.Display) -> None:
        self._sink, self._display = sink, display

    def write(self, text: str) -> None:
        with self._display.aside():
            self._sink.write(text)


def _tell(transcript: Transcript, name: str, verbose: bool, took_s: float, tally: _Tally) -> None:
    """Notices, each kind once for all recordings where it does not speak of one of them; more when asked."""
    about = f"{name}: " if name else ""
    for notice in transcript.notices:
        if _is_general(notice) and notice.code in tally.told:
            continue
        tally.told.add(notice.code)
        note(f"{'' if _is_general(notice) else about}{notice.message}")
    if not verbose:
        return
    for dropped in transcript.dropped:
        heard = dropped.segment
        say(f"{about}dropped {heard.start_s:.2f} to {heard.end_s:.2f} s ({dropped.reason}): {heard.text.strip()}")
    speed = transcript.duration_s / max(took_s, 0.001)
    who = f" by {transcript.model}" if transcript.model else ""
    language = f", {transcript.language}" if transcript.language else ""
    say(f"{about}{transcript.duration_s:.1f} s heard{who} in {took_s:.1f} s ({speed:.1f}x){language}")


def _is_general(notice: Notice) -> bool:
    return notice.code == "built_in_model"


def _format_names(formats: Sequence[str] | None) -> tuple[str, ...]:
    names = [part.strip().lower() for given in formats or () for part in given.split(",") if part.strip()]
    names = [ALIASES.get(name, name) for name in names]
    for name in names:
        if name not in FORMATS:
            raise InvalidValue("format", f"There is no format {name[:40]!r}.", hint=f"One of: {', '.join(FORMATS)}.")
    return tuple(dict.fromkeys(names))


def _format_of(path: Path) -> str:
    ending = path.suffix[1:].lower()
    for name, own in FORMATS.items():
        if ending == own:
            return name
    raise InvalidValue("output", f"No format goes with the ending of {path.name[:80]!r}.", hint="Name it with -f.")


def _check_stdout(names: tuple[str, ...], count: int) -> None:
    if len(names) > 1:
        raise InvalidValue("format", "Standard output takes one format.", hint="Give -o DIR for several.")
    if count > 1 and names and names[0] in ("srt", "vtt", "tsv"):
        raise InvalidValue(
            "output", f"Several recordings do not go into one {names[0]} file.", hint="Give -o DIR: a file for each."
        )


@contextlib.contextmanager
def _ending_well() -> Iterator[None]:
    """SIGTERM ends the work as Ctrl-C does, so that no half-written file and no worker stays behind."""

    def stop(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
