"""`talkie bench live`: many people who speak at once, how long each waits for text, and what that costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from talkie.cli import bench_run as running
from talkie.cli import bench_shared as shared
from talkie.cli.output import FAILED, say

if TYPE_CHECKING:
    from talkie.cli.bench_live_run import Asked


def live(
    model: shared.Model = shared.BUILT_IN,
    speech: shared.Speech = None,
    sessions: Annotated[str, typer.Option(help="How many at once, with commas; ends when it is too many.")] = "",
    seconds: Annotated[float, typer.Option(min=2, max=3600, help="Length of each session.")] = 60.0,
    server: Annotated[str, typer.Option(help="A server that runs; else one is started.")] = "",
    language: Annotated[str, typer.Option(help="Of the recordings.")] = "en",
    frame_ms: Annotated[int, typer.Option(min=10, max=1000, help="Length of a frame of sound.")] = 40,
    whole: Annotated[bool, typer.Option("--whole", help="Try all numbers of sessions, also after too many.")] = False,
    peers: Annotated[str, typer.Option(help="In turn: talkie, whisper-live, whisper-streaming.")] = "",
    threads: Annotated[int, typer.Option(min=1, max=256, help="Processors that each peer may use.")] = 2,
    words: Annotated[
        str, typer.Option(help="Look for first and last words through a door instead: listen, realtime, sse, wyoming.")
    ] = "",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the Wyoming door of --server.")] = 0,
    soak: Annotated[float, typer.Option(min=0, max=600, help="Minutes of speech through one session instead.")] = 0.0,
    silence: Annotated[float, typer.Option(min=0, max=600, help="With --soak: minutes of silence, and of noise.")] = 0,
    models_dir: running.ModelsDir = None,
    peers_dir: running.PeersDir = None,
    uv: running.Uv = None,
    torch_index: running.TorchIndex = "",
    output: running.Output = None,
    html: running.Html = None,
) -> None:
    """Delays of partials, words and finals with 1, 2, 4 … sessions at speaking pace; or a soak of one session."""
    from talkie.bench.live import SESSIONS
    from talkie.cli import bench_live_run as run

    asked = run.Asked(model, speech, server, language, frame_ms, models_dir)
    if words:
        _words(asked, words, port)
    elif soak or silence:
        _soak(asked, soak, silence)
    else:
        counts = running.counts(sessions, "sessions") if sessions else SESSIONS
        tries = run.Tries(counts, seconds, whole)
        others = run.Others(running.split(peers), threads, peers_dir, uv, torch_index)
        run.tell(run.sessions(asked, tries, others), output, html)


def _soak(asked: Asked, minutes: float, silence: float) -> None:
    from talkie.bench import live_soak as bench
    from talkie.cli import bench_live_run as run

    with run.recordings(asked) as spoken, run.server(asked) as server:
        task = bench.SoakTask(run.wish(asked, server), spoken, 60 * minutes, 60 * silence, server.pid)
        result = bench.measure(task, say)
    title = f"one live session of {minutes:g} minutes of speech, {silence:g} of silence and {silence:g} of noise"
    shared.show(title, "live-soak", bench.as_table(result), {"model": server.title or asked.model, **result.as_json()})
    if not result.flat:
        raise typer.Exit(FAILED)


def _words(asked: Asked, door: str, port: int) -> None:
    from dataclasses import replace

    from talkie.bench import live_words as bench
    from talkie.cli import bench_live_run as run

    port = port or (run.free_port() if door == "wyoming" else 0)
    with run.recordings(asked) as spoken, run.server(asked, wyoming_port=port) as server:
        found = bench.measure(door, replace(run.wish(asked, server), port=port), spoken, say)
    shared.show(f"first and last words through {door}", "live-words", bench.as_table(found), bench.as_json(door, found))
    if not all(one.whole for one in found):
        raise typer.Exit(FAILED)
