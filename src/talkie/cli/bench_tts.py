"""`talkie bench tts`: how soon and how fast a voice speaks, and whether it is understood."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from talkie.cli import bench_run as running
from talkie.cli import bench_shared as shared
from talkie.cli.output import say

if TYPE_CHECKING:
    from pathlib import Path

    from talkie.bench.tts_results import TtsRun

WEIGHTS = "its weights are not in the store"
PEERS = {"kokoro": "kokoro's own command line", "piper": "piper-tts' own command line"}


def tts(
    voice: Annotated[str, typer.Option(help="`talkie voices` lists them; empty: the usual one of each language.")] = "",
    model: Annotated[str, typer.Option(help="What speaks.")] = "auto",
    recognizer: Annotated[str, typer.Option(help="What listens to it.")] = "auto",
    languages: Annotated[str, typer.Option(help="Of the texts, with commas: en, de, es, fr.")] = "en,de,es,fr",
    times: Annotated[int, typer.Option(min=1, max=1000, help="How often each text is spoken.")] = 5,
    clients: Annotated[str, typer.Option(help="How many at once; several with commas.")] = "1,4,16",
    output: running.Output = None,
    html: running.Html = None,
) -> None:
    """Time to the first audible sample, real-time factor, round-trip word error rate, many at once, memory."""
    from talkie.bench import tts as bench
    from talkie.bench.sentences import SENTENCES
    from talkie.compose import build_service
    from talkie.errors import InvalidValue
    from talkie.settings import load_settings

    chosen = running.split(languages)
    if unknown := [one for one in chosen if one not in SENTENCES]:
        raise InvalidValue("languages", f"There are no texts in {unknown[0][:20]!r}.", hint=", ".join(SENTENCES))
    counts = running.counts(clients, "clients")
    task = bench.TtsTask(chosen, voice, model, recognizer, times, counts)
    settings, _ = load_settings()
    with closing(build_service(settings)) as service:
        run = bench.measure(service, task, say)
        here = {card.engine for card in service.voices()}
    absent = {name: WEIGHTS for engine, name in PEERS.items() if engine not in here}
    _tell(replace(run, absent=absent), output, html)


def _tell(run: TtsRun, output: Path | None, page: Path | None) -> None:
    from datetime import UTC, datetime

    from talkie.bench.html_report import html
    from talkie.bench.machine import this_machine
    from talkie.bench.report import table
    from talkie.bench.results import Result
    from talkie.bench.tts_report import tts_tables
    from talkie.bench.tts_results import TTS

    created, machine = datetime.now(UTC).isoformat(timespec="seconds"), this_machine().as_json()
    values = {"created": created, "runs": [run.as_json()], "machine": machine}
    result = Result(machine, {}, created, speech=(run,))
    shared.write_run(TTS, values, output, page, lambda: html(result))
    texts = [f"{one.title}\n\n{table(one.head, one.rows)}\n\n{one.note}".rstrip() for one in tts_tables([run])]
    shared.show("Speech", TTS, "\n\n".join(texts), values)
