"""What faces should reach, each with what was measured: met, missed, or not measured. Never a guess.

    the whole way at most 1.05 times the network alone; the network at least 1.3 times plain ONNX Runtime, its pictures
    within 40 dB; the drawn face 60 pictures a second on one processor; a live face within a second, and silent within
    200 ms; on a GPU a frame in 2 ms, and 700 a second in batches

Knows nothing of how they are shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from talkie.bench.face_results import DrawnRun, FaceLiveRun, FaceNetworkRun, FaceRun, by_clock, by_processor
from talkie.bench.statistics import percentile

WHOLE, FASTER, LEAST_DB, DRAWN_FPS = 1.05, 1.3, 40.0, 60.0
FACE_OUT_S, STILL_S = 1.0, 0.2
GPU_MS, GPU_FPS = 2.0, 700.0


@dataclass(frozen=True, slots=True)
class Goal:
    """`met` is None where nothing was measured; `measured` then says why."""

    text: str
    measured: str
    met: bool | None


def goals(run: FaceRun) -> list[Goal]:
    return [
        *(_network(run.network) if run.network else _absent(run, "network", *_NETWORK)),
        *(_drawn(run.drawn) if run.drawn else _absent(run, "drawn", _DRAWN)),
        *(_live(run.live) if run.live else _absent(run, "live", *_LIVE)),
    ]


_NETWORK = (
    f"the whole way at most {WHOLE:g} times the network alone",
    f"the network at least {FASTER:g} times as fast as plain ONNX Runtime",
    f"PSNR of every picture against its own above {LEAST_DB:g} dB",
    f"on a GPU: under {GPU_MS:g} ms a frame, above {GPU_FPS:g} a second in batches",
)
_DRAWN = f"the built-in face at {DRAWN_FPS:g} pictures a second on one processor"
_LIVE = (
    f"live: text in, face out within {FACE_OUT_S:g} s (median)",
    f"live: silent within {1000 * STILL_S:g} ms of an interruption (p95)",
)


def _absent(run: FaceRun, part: str, *texts: str) -> Iterator[Goal]:
    for text in texts:
        yield Goal(text, f"not measured: {run.absent.get(part, 'it was not asked for')}", None)


def _network(run: FaceNetworkRun) -> Iterator[Goal]:
    whole, cpu = by_clock(run.whole.pairs), by_processor(run.whole.pairs)
    said = f"{whole} by the clock, {cpu} by processor time"
    yield Goal(_NETWORK[0], said, whole is not None and whole.median <= WHOLE)
    faster, cpu = by_clock(run.pairs), by_processor(run.pairs)
    said = f"{faster} by the clock, {cpu} by processor time"
    yield Goal(_NETWORK[1], said, faster is not None and faster.median >= FASTER)
    worst = min(run.psnr_db)
    yield Goal(_NETWORK[2], f"{worst:.1f} dB at worst, {percentile(run.psnr_db, 50):.1f} median", worst > LEAST_DB)
    yield _gpu(run)


def _gpu(run: FaceNetworkRun) -> Goal:
    one = run.case("talkie")
    if run.device == "cpu" or one is None:
        return Goal(_NETWORK[3], "not measured: no GPU", None)
    most = max((case for case in run.cases if case.contender == "talkie"), key=lambda case: case.times.fps)
    said = f"{one.times.median_ms:.2f} ms; {most.times.fps:.0f} a second with {most.batch} a call"
    return Goal(_NETWORK[3], said, one.times.median_ms < GPU_MS and most.times.fps > GPU_FPS)


def _drawn(run: DrawnRun) -> Iterator[Goal]:
    fps = 1000 / max(run.times.cpu_ms, 1e-9)
    said = f"{fps:.0f} a processor second, {run.times.fps:.0f} by the clock, {run.width}x{run.height}"
    yield Goal(_DRAWN, said, fps >= DRAWN_FPS)


def _live(run: FaceLiveRun) -> Iterator[Goal]:
    out, still = run.face_out_s, run.still_s
    whole = not run.failed
    said = f"{percentile(out, 50):.2f} s, {percentile(out, 95):.2f} p95, of {len(out)}{_failed(run)}"
    yield Goal(_LIVE[0], said, whole and percentile(out, 50) <= FACE_OUT_S)
    said = f"{1000 * percentile(still, 95):.0f} ms, {1000 * percentile(still, 50):.0f} median{_failed(run)}"
    yield Goal(_LIVE[1], said, whole and percentile(still, 95) <= STILL_S)


def _failed(run: FaceLiveRun) -> str:
    return f"; {run.failed} got no answer" if run.failed else ""
