"""`talkie bench concurrency`: many clients with short clips at once, on Talkie and on its peers behind a lock."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from talkie.cli import bench_run as running
from talkie.cli import bench_shared as shared
from talkie.cli.output import say

CLIPS = 16


def concurrency(
    models: running.Models = "tiny",
    peers: running.Peers = "talkie,faster-whisper:one-by-one,whispers2t:batch-8",
    clients: Annotated[str, typer.Option(help="How many at once; several with commas.")] = "1,4,10,16",
    each: Annotated[int, typer.Option(min=1, max=100, help="Clips that every client hands in.")] = 4,
    clip: Annotated[str, typer.Option(help="Length of a clip: 5s or 30s.")] = "5s",
    language: running.Language = "en",
    rounds: running.Rounds = 3,
    threads: running.Threads = 1,
    beam: running.Beam = 1,
    compute_type: running.ComputeType = "int8",
    no_vad: running.NoVad = False,
    speech: shared.Speech = None,
    models_dir: running.ModelsDir = None,
    peers_dir: running.PeersDir = None,
    uv: running.Uv = None,
    torch_index: running.TorchIndex = "",
    output: running.Output = None,
    html: running.Html = None,
) -> None:
    """Throughput, waiting times and fairness with 1 to 16 clients at once."""
    from talkie.bench import concurrency as bench
    from talkie.bench.peers.child import LoadWish
    from talkie.bench.workloads import Workload, clips

    counts = running.counts(clients, "clients")
    wish = LoadWish(Path(), compute_type, threads=threads, beam=beam, vad=not no_vad, language=language)
    human = shared.human_recordings(speech)
    task = bench.CrowdTask(
        models=running.find_models(models, models_dir),
        clips=clips(CLIPS, Workload(clip, language), running.audio_home(), human),
        wish=wish,
        clients=counts,
        each=each,
        rounds=rounds,
    )
    options = {
        "compute_type": compute_type, "threads": threads, "beam": beam, "vad": not no_vad, "rounds": rounds,
        "clips_each": each, "speech": "human" if speech else "synthetic",
    }  # fmt: skip
    gathered = running.gather(peers, peers_dir, uv, torch_index)
    crowds = bench.run(gathered.contenders, task, say)
    running.tell(running.make_result(task, options, gathered, crowds=crowds), output, html)
