"""What `talkie bench speed` and `talkie bench concurrency` share: options, contenders, models, and the way results go.

Knows nothing of what is measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from talkie.cli import bench_shared as shared
from talkie.cli.output import note, say

if TYPE_CHECKING:
    from talkie.bench.concurrency import CrowdTask
    from talkie.bench.contenders import Contender
    from talkie.bench.directories import ModelDirectory
    from talkie.bench.recordings import Recording
    from talkie.bench.results import Case, Crowd, Result
    from talkie.bench.rounds import Task
    from talkie.errors import TalkieError

DEFAULT_PEERS = "talkie,faster-whisper,whispers2t,openai-whisper,whisper.cpp,openvino-genai"

Models = Annotated[
    str, typer.Option(help="Sizes made by `talkie bench models`, names of the store or paths, with commas.")
]
Peers = Annotated[
    str, typer.Option(help="Who takes part: `faster-whisper`, or one variant, `faster-whisper:batched-8`.")
]
Rounds = Annotated[int, typer.Option(min=1, max=100, help="Rounds; each contender has one turn in each.")]
Threads = Annotated[int, typer.Option(min=1, max=256, help="Processors that each contender may use.")]
Beam = Annotated[int, typer.Option(min=1, max=20, help="1 is greedy.")]
Words = Annotated[bool, typer.Option("--words", help="Times of words too.")]
ComputeType = Annotated[str, typer.Option(help="int8 or float32; who has not got it takes what is nearest.")]
NoVad = Annotated[bool, typer.Option("--no-vad", help="Hear everything, also where nobody speaks.")]
Language = Annotated[str, typer.Option(help="Of the files: en, de, es or fr.")]
ModelsDir = Annotated[Path | None, typer.Option(help="Where the shape-true models are.")]
PeersDir = Annotated[Path | None, typer.Option(help="Where the environments of the peers are, or are made.")]
Uv = Annotated[Path | None, typer.Option(help="The uv program, which makes environments.")]
TorchIndex = Annotated[
    str, typer.Option(help="Where torch is without CUDA, for the peers that need it; else pip's usual index.")
]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write the result here, for report and compare.")]
Html = Annotated[Path | None, typer.Option(help="Write a page with pictures here.")]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Who takes part, and why somebody else does not."""

    contenders: list[Contender]
    absent: dict[str, str]


def gather(peers: str, directory: Path | None, uv: Path | None, torch_index: str) -> Gathered:
    """Contenders by name. Raises `EngineUnavailable` when nobody can take part."""
    from talkie.bench import contenders
    from talkie.bench.peers.environment import Environments
    from talkie.bench.peers.progress import shown
    from talkie.errors import EngineUnavailable

    absent: dict[str, str] = {}

    def missing(name: str, why: TalkieError) -> None:
        absent[name] = why.message
        note(f"{name} does not take part: {why.message}")

    environments = Environments(directory or shared.bench_home() / "peers", uv, torch_index)
    with shown() as report:
        how = contenders.Gathering(environments, report, missing, shared.bench_home() / "talkie")
        found = contenders.gather(split(peers), how)
    if not found:
        raise EngineUnavailable("bench", "nobody can take part.")
    return Gathered(found, absent)


def find_models(names: str, directory: Path | None) -> list[ModelDirectory]:
    """Raises `ModelNotFound` with the command that makes or fetches it."""
    from talkie.bench.directories import find
    from talkie.models.store import ModelStore

    store = ModelStore(shared.settings().home, offline=True)
    made = directory or shared.bench_home() / "models"
    return [find(name, made, lambda wanted: store.resolve(wanted).path) for name in split(names)]


def split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def counts(text: str, param: str) -> tuple[int, ...]:
    """Numbers of clients, from 1 to 256. Raises `InvalidValue`."""
    from talkie.errors import InvalidValue

    try:
        found = [int(part) for part in split(text)]
    except ValueError:
        found = []
    if not found or not all(1 <= one <= 256 for one in found):
        raise InvalidValue(param, f"--{param} takes numbers from 1 to 256, with commas between.")
    return tuple(found)


def warm_up(speech: Sequence[Recording], language: str) -> Path:
    """Half a minute that is heard before anything counts: another one than is measured."""
    from talkie.bench.workloads import Workload, prepare

    return prepare(Workload("30s", language, first=3), audio_home(), speech).path


def audio_home() -> Path:
    return shared.bench_home() / "audio"


def make_result(
    task: Task | CrowdTask,
    options: Mapping[str, Any],
    gathered: Gathered,
    cases: Sequence[Case] = (),
    crowds: Sequence[Crowd] = (),
) -> Result:
    """With the machine, and the rates that it reaches at its best."""
    from datetime import UTC, datetime

    from talkie.bench import limits
    from talkie.bench.machine import this_machine
    from talkie.bench.results import ModelCard, Result

    say("measuring what the machine can do at best")
    return Result(
        machine=this_machine().as_json(),
        options=options,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        models=tuple(ModelCard(one.name, bool(one.told), task.wish.compute_type, one.sha256) for one in task.models),
        cases=tuple(cases),
        crowds=tuple(crowds),
        limits=limits.measure().as_json(),
        absent=gathered.absent,
    )


def tell(result: Result, output: Path | None, page: Path | None) -> None:
    """Files first: a terminal that goes away must not lose a run. Then tables, then one line for programs."""
    from talkie.bench.html_report import html
    from talkie.bench.report import json_line, table
    from talkie.bench.results import write_result
    from talkie.bench.sections import facts, sections, warning

    if output is not None:
        write_result(output, result)
        note(f"the result is in {output}")
    if page is not None:
        page.write_text(html(result), encoding="utf-8")
        note(f"the page is {page}")
    typer.echo()
    if said := warning(result):
        typer.echo(f"{said}\n")
    for name, value in facts(result):
        typer.echo(f"{name}: {value}")
    for one in sections(result):
        if one.rows:
            typer.echo(f"\n{one.title}\n\n{table(one.head, one.rows)}")
            typer.echo(f"\n{one.note}" if one.note else "", nl=bool(one.note))
    values = result.as_json()
    typer.echo("\n" + json_line(str(values.pop("bench")), values))
