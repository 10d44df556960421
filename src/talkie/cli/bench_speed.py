"""`talkie bench speed`: Talkie and its peers on the same models and files, in turns, with everything that they cost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from talkie.cli import bench_run as running
from talkie.cli import bench_shared as shared
from talkie.cli.output import note, say

if TYPE_CHECKING:
    from talkie.bench.rounds import Task


def speed(
    models: running.Models = "tiny,base",
    peers: running.Peers = running.DEFAULT_PEERS,
    file: Annotated[str, typer.Option(help="5s, 30s, 5min, 30min; several with commas.")] = "5min",
    language: running.Language = "en",
    rate: Annotated[str, typer.Option(help="Of the files, in kHz: 8, 16 or 44.1; several with commas.")] = "16",
    rounds: running.Rounds = 5,
    threads: running.Threads = 1,
    beam: running.Beam = 1,
    words: running.Words = False,
    compute_type: running.ComputeType = "int8",
    no_vad: running.NoVad = False,
    speech: shared.Speech = None,
    models_dir: running.ModelsDir = None,
    peers_dir: running.PeersDir = None,
    uv: running.Uv = None,
    torch_index: running.TorchIndex = "",
    predictions: Annotated[
        Path | None, typer.Option(help="What was heard, as the Open ASR leaderboard wants it.")
    ] = None,
    output: running.Output = None,
    html: running.Html = None,
) -> None:
    """Speed, memory, load time and errors beside the peers', on files."""
    from talkie.bench import rounds as bench
    from talkie.bench.peers.child import LoadWish

    wish = LoadWish(Path(), compute_type, threads=threads, beam=beam, words=words, vad=not no_vad, language=language)
    options = {
        "compute_type": compute_type, "threads": threads, "beam": beam, "words": words, "vad": not no_vad,
        "rounds": rounds, "speech": "human" if speech else "synthetic",
    }  # fmt: skip
    task = bench.Task(
        models=running.find_models(models, models_dir),
        files=_files(file, language, rate, speech, how(wish)),
        warm_up=running.warm_up(shared.human_recordings(speech), language),
        wish=wish,
        rounds=rounds,
    )
    gathered = running.gather(peers, peers_dir, uv, torch_index)
    heard = _Predictions(predictions, task)
    board = bench.Board(progress=say, heard=heard.add)
    cases = bench.run(gathered.contenders, task, board)
    heard.close()
    running.tell(running.make_result(task, options, gathered, cases), output, html)


def how(wish: Any) -> str:
    """What sets a run apart from the plain one, to stand behind the name of a file: figures of both may be merged."""
    parts = [f"beam {wish.beam}"] if wish.beam > 1 else []
    parts += [f"{wish.threads} threads"] if wish.threads > 1 else []
    parts += ["word times"] if wish.words else []
    parts += [wish.compute_type] if wish.compute_type != "int8" else []
    parts += [] if wish.vad else ["no voice activity"]
    return f" ({', '.join(parts)})" if parts else ""


def _files(lengths: str, language: str, rates: str, speech: Path | None, suffix: str) -> list[tuple[str, Any]]:
    from talkie.bench.workloads import Workload, prepare

    human = shared.human_recordings(speech)
    wanted = [Workload(length, language, rate) for length in running.split(lengths) for rate in running.split(rates)]
    return [(one.name + suffix, prepare(one, running.audio_home(), human)) for one in wanted]


class _Predictions:
    """Texts of the first round, for real models only: what a shape-true one writes is nobody's words."""

    def __init__(self, path: Path | None, task: Task) -> None:
        self._path = path
        self._real = {one.name for one in task.models if not one.told}
        self._lines: dict[tuple[str, ...], str] = {}

    def add(self, key: Any, recording: Any, text: str, wall_s: float) -> None:
        if self._path is not None and key.model in self._real and key not in self._lines:
            line = {
                "audio_filepath": str(recording.path),
                "duration": recording.seconds,
                "time": round(wall_s, 4),
                "text": recording.text,
                "pred_text": text,
                "model": f"{key.contender} {key.model}",
            }
            self._lines[tuple(key)] = json.dumps(line, ensure_ascii=False)

    def close(self) -> None:
        if self._path is None:
            return
        if not self._real:
            note("no predictions are written: shape-true models are for speed only.")
            return
        self._path.write_text("".join(f"{line}\n" for line in self._lines.values()), encoding="utf-8")
