"""What `talkie bench live` does with its options: the server it speaks to, what is said, and how results are told.

Imported when the command runs. Knows nothing of what is measured.
"""

from __future__ import annotations

import contextlib
import socket
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from talkie.bench import live, live_latency, live_views
from talkie.bench.html_report import html
from talkie.bench.live_client import Wish
from talkie.bench.live_peers import PeerWish, peer_server
from talkie.bench.live_report import live_tables
from talkie.bench.live_results import LIVE, LiveRun
from talkie.bench.machine import this_machine
from talkie.bench.peers.environment import Environments
from talkie.bench.peers.progress import shown
from talkie.bench.recordings import Recording
from talkie.bench.report import table
from talkie.bench.results import Result
from talkie.bench.sections import warning
from talkie.bench.served import served
from talkie.cli import bench_run as running
from talkie.cli import bench_shared as shared
from talkie.cli.output import note, say
from talkie.errors import EngineFailed, EngineUnavailable

TALKIE = "talkie"
ROOM = 64
"""Sessions that every server of ours has room for; the bench asks for more where it needs them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What all kinds of run have in common."""

    model: str
    speech: Path | None
    server: str
    language: str
    frame_ms: int
    models_dir: Path | None


@dataclass(frozen=True, slots=True)
class Tries:
    """Numbers of sessions, and how long each speaks."""

    counts: Sequence[int]
    seconds: float
    whole: bool


@dataclass(frozen=True, slots=True)
class Others:
    """Names of all who take part; none: Talkie alone, measured by its own events."""

    names: Sequence[str]
    threads: int
    directory: Path | None
    uv: Path | None
    torch_index: str


@dataclass(frozen=True, slots=True)
class Server:
    """`pid` where it is ours; `title` is what its model is called in reports, empty: as it says itself."""

    url: str
    pid: int | None
    model: str
    title: str
    shape_true: bool
    api_key: str | None = None


def sessions(asked: Asked, tries: Tries, others: Others) -> list[LiveRun]:
    """A run of each who takes part. Raises `talkie.errors`; a peer that cannot take part is told and left out."""
    with recordings(asked) as spoken:
        if not others.names:
            return [_own(asked, tries, spoken, live_latency.together)]
        runs = []
        for name in others.names:
            say(name)
            try:
                arithmetic = live_views.together
                own = name == TALKIE
                runs.append(
                    _own(asked, tries, spoken, arithmetic) if own else _peer(name, asked, tries, others, spoken)
                )
            except (EngineFailed, EngineUnavailable) as error:
                note(f"{name} does not take part: {error.message}")
    return runs


def _own(asked: Asked, tries: Tries, spoken: Sequence[Recording], arithmetic: live.Arithmetic) -> LiveRun:
    with server(asked, max(tries.counts)) as running_server:
        task = live.LiveTask(
            wish=wish(asked, running_server),
            recordings=spoken,
            sessions=tries.counts,
            seconds=tries.seconds,
            pid=running_server.pid,
            shape_true=running_server.shape_true,
            model=running_server.title,
            whole=tries.whole,
            options=_options(asked),
            arithmetic=arithmetic,
        )
        return live.measure(task, say)


def _peer(name: str, asked: Asked, tries: Tries, others: Others, spoken: Sequence[Recording]) -> LiveRun:
    [found] = running.find_models(asked.model, asked.models_dir)
    environments = Environments(others.directory or shared.bench_home() / "peers", others.uv, others.torch_index)
    peer_wish = PeerWish(found.directory, others.threads, max(tries.counts) + 1)
    with shown() as report, peer_server(name, environments, peer_wish, report) as peer:
        task = live.LiveTask(
            wish=Wish(peer.url, str(found.directory), asked.language, asked.frame_ms, dialect=peer.dialect),
            recordings=spoken,
            sessions=tries.counts,
            seconds=tries.seconds,
            pid=peer.pid,
            shape_true=bool(found.told),
            model=found.name,
            whole=tries.whole,
            contender=name,
            options={**_options(asked), **peer.settings},
            arithmetic=live_views.together,
        )
        return live.measure(task, say)


def tell(runs: Sequence[LiveRun], output: Path | None, page: Path | None) -> None:
    """Files first, then a table each, then one line for programs."""
    created, machine = datetime.now(UTC).isoformat(timespec="seconds"), this_machine().as_json()
    values = {"created": created, "runs": [run.as_json() for run in runs], "machine": machine}
    result = Result(machine, {}, created, live=tuple(runs))
    shared.write_run(LIVE, values, output, page, lambda: html(result))
    texts = [f"{one.title}\n\n{table(one.head, one.rows)}\n\n{one.note}" for one in live_tables(runs)]
    shared.show(warning(result) or "Live", LIVE, "\n\n".join(texts), values)
    if not runs:
        raise EngineUnavailable("bench", "nobody could take part.")


@contextlib.contextmanager
def recordings(asked: Asked) -> Iterator[list[Recording]]:
    with tempfile.TemporaryDirectory(prefix="talkie-bench-") as directory:
        found = shared.recordings(asked.speech, None, Path(directory))
        yield [one for one in found if one.language == asked.language]


@contextlib.contextmanager
def server(asked: Asked, most: int = 1, wyoming_port: int = 0) -> Iterator[Server]:
    """The one that was named, else our own with the model, and room for all sessions."""
    if asked.server:
        key = shared.settings().api_key
        model = "" if asked.model == shared.BUILT_IN else asked.model
        yield Server(asked.server, None, model, "", False, key.get_secret_value() if key else None)
        return
    model, title, shape_true = _model(asked)
    home = shared.bench_home() / "talkie"
    home.mkdir(parents=True, exist_ok=True)
    settings = {"max_sessions": max(ROOM, most + 4), **({"wyoming_port": wyoming_port} if wyoming_port else {})}
    with served(home, model=model, settings=settings) as found:
        yield Server(found.url, found.pid, "", title, shape_true)


def _model(asked: Asked) -> tuple[str, str, bool]:
    """What the server is told, what it is called, and whether it is true in shape only."""
    if asked.model in (shared.BUILT_IN, "auto"):
        return asked.model, "", False
    [found] = running.find_models(asked.model, asked.models_dir)
    form = found.directory / "ct2-int8"
    return str(form if form.is_dir() else found.directory), found.name, bool(found.told)


def wish(asked: Asked, to: Server) -> Wish:
    return Wish(to.url, to.model, asked.language, asked.frame_ms, to.api_key)


def _options(asked: Asked) -> dict[str, str]:
    return {"speech": "human" if asked.speech else "synthetic"}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
