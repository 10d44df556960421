"""`talkie bench live`: many people who speak at once, how long each waits for text, and what that costs."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from talkie.cli import bench_run as running
from talkie.cli import bench_shared as shared
from talkie.cli.output import FAILED, note, say

if TYPE_CHECKING:
    from talkie.bench.live_results import LiveRun


def live(
    model: shared.Model = shared.BUILT_IN,
    speech: shared.Speech = None,
    sessions: Annotated[str, typer.Option(help="How many at once, with commas; ends when it is too many.")] = "",
    seconds: Annotated[float, typer.Option(min=2, max=3600, help="Length of each session.")] = 60.0,
    server: Annotated[str, typer.Option(help="A server that runs; else one is started.")] = "",
    language: Annotated[str, typer.Option(help="Of the recordings.")] = "en",
    frame_ms: Annotated[int, typer.Option(min=10, max=1000, help="Length of a frame of sound.")] = 40,
    whole: Annotated[bool, typer.Option("--whole", help="Try all numbers of sessions, also after too many.")] = False,
    words: Annotated[
        str, typer.Option(help="Look for first and last words through a door instead: listen, realtime, sse, wyoming.")
    ] = "",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the Wyoming door of --server.")] = 0,
    soak: Annotated[float, typer.Option(min=0, max=600, help="Minutes of speech through one session instead.")] = 0.0,
    silence: Annotated[float, typer.Option(min=0, max=600, help="With --soak: minutes of silence, and of noise.")] = 0,
    models_dir: running.ModelsDir = None,
    output: running.Output = None,
    html: running.Html = None,
) -> None:
    """Delays of partials, words and finals with 1, 2, 4 … sessions at speaking pace; or a soak of one session."""
    asked = _Asked(model, speech, server, language, frame_ms, models_dir)
    if words:
        _words(asked, words, port)
    elif soak or silence:
        _soak(asked, soak, silence)
    else:
        _sessions(asked, sessions, seconds, whole, output, html)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What all kinds of run have in common."""

    model: str
    speech: Path | None
    server: str
    language: str
    frame_ms: int
    models_dir: Path | None


@dataclass(frozen=True, slots=True)
class _Server:
    url: str
    pid: int | None
    model: str
    title: str
    shape_true: bool
    api_key: str | None


def _sessions(
    asked: _Asked, sessions: str, seconds: float, whole: bool, output: Path | None, html: Path | None
) -> None:
    from talkie.bench import live as bench

    counts = running.counts(sessions, "sessions") if sessions else bench.SESSIONS
    with _recordings(asked) as recordings, _server(asked, sessions=max(counts)) as server:
        task = bench.LiveTask(
            wish=_wish(asked, server),
            recordings=recordings,
            sessions=counts,
            seconds=seconds,
            pid=server.pid,
            shape_true=server.shape_true,
            model=server.title,
            whole=whole,
            options={"speech": "human" if asked.speech else "synthetic"},
        )
        _tell(bench.measure(task, say), output, html)


def _tell(run: LiveRun, output: Path | None, page: Path | None) -> None:
    from datetime import UTC, datetime

    from talkie.bench.html_report import html
    from talkie.bench.live_report import live_table
    from talkie.bench.live_results import LIVE
    from talkie.bench.machine import this_machine
    from talkie.bench.report import json_line, table
    from talkie.bench.results import Result
    from talkie.bench.sections import warning

    created, machine = datetime.now(UTC).isoformat(timespec="seconds"), this_machine().as_json()
    values = {"created": created, "runs": [run.as_json()], "machine": machine}
    result = Result(machine, {"live": run.options}, created, live=(run,))
    if output is not None:
        output.write_text(json_line(LIVE, values) + "\n", encoding="utf-8")
        note(f"the result is in {output}")
    if page is not None:
        page.write_text(html(result), encoding="utf-8")
        note(f"the page is {page}")
    if said := warning(result):
        typer.echo(f"\n{said}")
    found = live_table(run)
    shared.show(found.title, LIVE, f"{table(found.head, found.rows)}\n\n{found.note}", values)


@contextlib.contextmanager
def _recordings(asked: _Asked) -> Iterator[Any]:
    with tempfile.TemporaryDirectory(prefix="talkie-bench-") as directory:
        found = shared.recordings(asked.speech, None, Path(directory))
        yield [one for one in found if one.language == asked.language]


@contextlib.contextmanager
def _server(asked: _Asked, sessions: int = 1, wyoming_port: int = 0) -> Iterator[_Server]:
    """The one named, else our own with the model, and room for all sessions."""
    from talkie.bench.served import served

    if asked.server:
        key = shared.settings().api_key
        model = "" if asked.model == shared.BUILT_IN else asked.model
        yield _Server(asked.server, None, model, "", False, key.get_secret_value() if key else None)
        return
    model, title, shape_true = _model(asked)
    home = shared.bench_home() / "talkie"
    home.mkdir(parents=True, exist_ok=True)
    flags = ["--max-sessions", str(max(64, sessions + 4))]
    flags += ["--wyoming-port", str(wyoming_port)] if wyoming_port else []
    with served(home, model=model, flags=flags) as server:
        yield _Server(server.url, server.pid, "", title, shape_true, None)


def _model(asked: _Asked) -> tuple[str, str, bool]:
    """What the server is told, what it is called, and whether it is true in shape only."""
    if asked.model in (shared.BUILT_IN, "auto"):
        return asked.model, "", False
    [found] = running.find_models(asked.model, asked.models_dir)
    form = found.directory / "ct2-int8"
    return str(form if form.is_dir() else found.directory), found.name, bool(found.told)


def _wish(asked: _Asked, server: _Server) -> Any:
    from talkie.bench.live_client import Wish

    return Wish(server.url, server.model, asked.language, asked.frame_ms, server.api_key)


def _soak(asked: _Asked, minutes: float, silence: float) -> None:
    from talkie.bench import live_soak as bench

    with _recordings(asked) as recordings, _server(asked) as server:
        task = bench.SoakTask(_wish(asked, server), recordings, 60 * minutes, 60 * silence, server.pid)
        result = bench.measure(task, say)
    title = f"one live session of {minutes:g} minutes of speech, {silence:g} of silence and {silence:g} of noise"
    shared.show(title, "live-soak", bench.as_table(result), {"model": server.title or asked.model, **result.as_json()})
    if not result.flat:
        raise typer.Exit(FAILED)


def _words(asked: _Asked, door: str, port: int) -> None:
    from dataclasses import replace

    from talkie.bench import live_words as bench

    port = port or (_free_port() if door == "wyoming" else 0)
    with _recordings(asked) as recordings, _server(asked, wyoming_port=port) as server:
        found = bench.measure(door, replace(_wish(asked, server), port=port), recordings, say)
    shared.show(f"first and last words through {door}", "live-words", bench.as_table(found), bench.as_json(door, found))
    if not all(one.whole for one in found):
        raise typer.Exit(FAILED)


def _free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
