"""What `talkie bench face` does with its options: what it works on, the server it speaks to, how results are told.

Imported when the command runs. Knows nothing of what is measured.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from talkie.bench import face, face_drawn, face_live, face_pack
from talkie.bench.face_report import face_tables
from talkie.bench.face_results import FACE, FaceRun
from talkie.bench.html_report import html
from talkie.bench.machine import this_machine
from talkie.bench.report import table
from talkie.bench.results import Result
from talkie.bench.served import served
from talkie.cli import bench_shared as shared
from talkie.cli.output import note, say
from talkie.engines import registry
from talkie.errors import TalkieError


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of the command."""

    parts: Sequence[str]
    seconds: float
    films: int
    batches: Sequence[int]
    limit_s: float
    texts: int
    backend: str
    threads: int


def measured(asked: Asked) -> FaceRun:
    """Raises `talkie.errors` where nothing can be measured; a part that cannot is told and left out."""
    run = FaceRun()
    parts: dict[str, Callable[[Asked, Path], FaceRun]] = {"network": _network, "drawn": _drawn, "live": _live}
    with tempfile.TemporaryDirectory(prefix="talkie-bench-") as scratch:
        for name in asked.parts:
            load = round(os.getloadavg()[0], 1)
            try:
                found = parts[name](asked, Path(scratch))
            except TalkieError as error:
                if len(asked.parts) == 1:
                    raise
                note(f"{name} is not measured: {error.message}")
                run = replace(run, absent={**run.absent, name: error.message})
                continue
            run = replace(run, loads={**run.loads, name: load}, **{name: getattr(found, name)})
    return run


def tell(run: FaceRun, output: Path | None, page: Path | None) -> None:
    """Files first, then tables, then one line for programs."""
    created, machine = datetime.now(UTC).isoformat(timespec="seconds"), this_machine().as_json()
    values = {"created": created, "runs": [run.as_json()], "machine": machine}
    result = Result(machine, {}, created, faces=(run,))
    shared.write_run(FACE, values, output, page, lambda: html(result))
    texts = [f"{one.title}\n\n{table(one.head, one.rows)}\n\n{one.note}".rstrip() for one in face_tables([run])]
    shared.show("Faces", FACE, "\n\n".join(texts), values)


def _network(asked: Asked, scratch: Path) -> FaceRun:
    home = shared.bench_home()
    home.mkdir(parents=True, exist_ok=True)
    say("making the pack")
    pack = face_pack.pack(home)
    with closing(shared.service()) as service:
        recording = face_pack.recording(service, scratch / "spoken.wav", asked.seconds)
    task = face.FaceTask(
        pack,
        recording,
        registry.load("silero")(cache_dir=home / "silero"),
        scratch / "film.mp4",
        asked.backend,
        asked.threads,
        asked.batches,
        asked.limit_s,
        asked.films,
    )
    return FaceRun(network=face.measure(task, say))


def _drawn(asked: Asked, scratch: Path) -> FaceRun:
    frames = max(1, round(asked.seconds * face.FPS))
    say(f"drawing {frames} pictures")
    with closing(shared.service()) as service:
        return FaceRun(drawn=face_drawn.measure(service, scratch / "drawn.mp4", frames))


def _live(asked: Asked, scratch: Path) -> FaceRun:
    say("starting a server")
    with served(scratch / "home") as server:
        task = face_live.LiveFaceTask(server.url, times=asked.texts)
        return FaceRun(live=face_live.measure(task, say))
