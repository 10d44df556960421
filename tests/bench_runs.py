"""A run of the bench that nobody measured: figures drawn from a seed around given rates, for what reads them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

from talkie.bench.results import Case, Crowd, CrowdRound, ModelCard, Result, Sample

AUDIO_S = 300.0
RATES = {"talkie": 100.0, "faster-whisper:one-by-one": 40.0, "whispers2t:batch-8": 42.0}
MACHINE = {"processor": "Some CPU", "cores": 2, "memory_gb": 8.0, "system": "Linux", "python": "3.11", "talkie": "1"}
RATES_OF_THE_MACHINE = {
    "fp32_gops": 100.0,
    "bf16_gops": 200.0,
    "int8_gops": 400.0,
    "memory_gb_s": 20.0,
    "measured_by": "OpenVINO",
}


def sample(number: int, rate: float, noise: random.Random, **changed: object) -> Sample:
    cpu_s = AUDIO_S / rate * noise.uniform(0.97, 1.03)
    made = Sample(
        round=number,
        import_s=0.2,
        import_cpu_s=0.2,
        load_s=20 / rate * noise.uniform(0.9, 1.1),
        load_cpu_s=15 / rate,
        wall_s=cpu_s * 1.1,
        cpu_s=cpu_s,
        first_segment_s=60 / rate,
        peak_bytes=round(3e10 / rate),
        segments=30,
        words=650,
        passes=10,
        whole=True,
        text_ok=True,
    )
    return replace(made, **changed)


def case(contender: str, rate: float, rounds: int = 5, *, seed: int = 0, **changed: object) -> Case:
    noise = random.Random(f"{contender} {seed}")
    samples = tuple(sample(number, rate, noise, **changed) for number in range(rounds))
    settings = {"compute_type": "int8", "threads": 1, "batch_size": 8}
    return Case(contender, "tiny", "5min-en-16k", AUDIO_S, samples, settings, {"package": "1.0"}, 300_000_000)


def crowd(contender: str, rate: float, clients: int, rounds: int = 3, **changed: object) -> Crowd:
    noise = random.Random(f"{contender} {clients}")
    made = []
    for number in range(rounds):
        audio_s = 5.0 * 4 * clients
        wall_s = 4 * audio_s / rate
        latencies = tuple(wall_s / 4 * noise.uniform(0.6, 1.4) for _ in range(4 * clients))
        each = tuple(sum(latencies[4 * n : 4 * n + 4]) for n in range(clients))
        made.append(CrowdRound(number, wall_s, wall_s, audio_s, latencies, each, True))
    return replace(Crowd(contender, "tiny", clients, 5.0, tuple(made)), **changed)


def run(rates: Mapping[str, float] = RATES, rounds: int = 5, seed: int = 0) -> Result:
    """Files and crowds of all contenders, on a shape-true `tiny`."""
    return Result(
        machine=MACHINE,
        options={"threads": 1, "beam": 1, "compute_type": "int8"},
        created="2026-01-01T00:00:00+00:00",
        models=(ModelCard("tiny", shape_true=True, compute_type="int8", sha256="0" * 64),),
        cases=tuple(case(name, rate, rounds, seed=seed) for name, rate in rates.items()),
        crowds=tuple(crowd(name, rate, clients) for name, rate in rates.items() for clients in (1, 4, 10, 16)),
        limits=RATES_OF_THE_MACHINE,
        server={"upload_mb_s": 300.0},
    )
