"""How fast a face network makes faces: alone, beside plain ONNX Runtime, and with all that is around it.

    alone   pictures and features in, mouths out, one frame a call and more
    plain   the same through `onnxruntime.InferenceSession.run`
    whole   a WAV in, an H.264 film out

On the network of `face_network`: the true shape, with weights that nobody trained. Knows nothing of tables.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from talkie.audio.decode import open_audio
from talkie.bench.face_network_bench import (
    KNOWN_BATCHES,
    Board,
    Inputs,
    in_batches,
    in_turns,
    of_known_sources,
    plain_session,
)
from talkie.bench.face_results import FaceNetworkRun, NetworkCase, Pair, WholeRun, times
from talkie.bench.face_whole import Counted, Filmed, alone, film, pair
from talkie.bench.machine import peak_resident_bytes, resident_bytes
from talkie.engines.base import VoiceActivityDetector
from talkie.engines.lipsync.onnx import OnnxFace
from talkie.models.avatar_pack import AvatarPack
from talkie.pipeline.face_neural import NeuralFace, open_neural
from talkie.pipeline.faces import frames_of
from talkie.runtime.face_lane import FaceLane
from talkie.types import SAMPLE_RATE_HZ, Samples

FPS = 25.0
BATCHES = (1, 2, 4, 8, 16)

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class FaceTask:
    """`recording` decides how many frames there are. `batch_limit_s` for each size of call; `films` whole runs."""

    pack: AvatarPack
    recording: Path
    detector: VoiceActivityDetector
    film: Path
    backend: str = "auto"
    threads: int = 0
    batches: Sequence[int] = BATCHES
    batch_limit_s: float = 15.0
    films: int = 5


def measure(task: FaceTask, progress: Progress = lambda _: None) -> FaceNetworkRun:
    """Raises `talkie.errors`."""
    bare_mb = _resident_mb()
    progress("opening the networks")
    began_s = time.perf_counter()
    model = Counted(_opened(task))
    load_s = time.perf_counter() - began_s
    lane = FaceLane(model, max(task.batches))
    try:
        face = open_neural(task.pack, lane.open("batch"), task.detector)
        samples = _samples(task.recording)
        inputs = Inputs(face, model, samples, frames_of(len(samples) / SAMPLE_RATE_HZ, FPS))
        first_ms = _first_ms(model, inputs)
        whole, loaded_mb, peak_mb = _whole(task, model, lane, face, inputs, progress)
        assert task.pack.face is not None
        plain = plain_session(task.pack.face, model.info.device != "cpu")
        board = in_turns(model, plain, inputs, progress)
        del plain
        cases, skipped = _batches(task, model, inputs, board, progress)
    finally:
        lane.close()
    return FaceNetworkRun(
        device=model.info.device,
        backend=model.info.backend,
        compute_type=model.info.compute_type,
        reason=model.info.backend_reason,
        audio_s=len(samples) / SAMPLE_RATE_HZ,
        load_s=load_s,
        first_ms=first_ms,
        cases=tuple(cases),
        pairs=tuple(board.pairs),
        psnr_db=tuple(board.psnr_db),
        whole=whole,
        bare_mb=bare_mb,
        loaded_mb=loaded_mb,
        peak_mb=peak_mb,
        skipped=tuple(skipped),
    )


def _opened(task: FaceTask) -> OnnxFace:
    pack = task.pack
    return OnnxFace(
        pack.directory,
        name=pack.name,
        face=pack.face,
        encoder=pack.encoder,
        backend=task.backend,
        threads=task.threads,
        max_batch=max(task.batches),
        sources=len(pack.frames),
    )


def _samples(recording: Path) -> Samples:
    with open_audio(recording) as stream:
        return np.concatenate(list(stream.blocks()))


def _first_ms(model: Counted, inputs: Inputs) -> float:
    """The first frame after loading, as a face asks for it."""
    visual, audio = inputs.of([0])
    began_s = time.perf_counter()
    model.infer(visual, audio, None, ["first"])
    return 1000 * (time.perf_counter() - began_s)


def _whole(
    task: FaceTask, model: Counted, lane: FaceLane, face: NeuralFace, inputs: Inputs, progress: Progress
) -> tuple[WholeRun, float, float]:
    """Films and the network alone in turns; the first film does not count. With it, megabytes once loaded and at
    most."""
    loaded_mb = _resident_mb()
    visual, audio = inputs.of(range(min(lane.info.max_batch, len(inputs))))
    filmed: list[Filmed] = []
    pairs: list[Pair] = []
    computed: list[int] = []
    for number in range(task.films + 1):
        progress(f"whole: film {number} of {task.films}" if number else "whole: the first film, which does not count")
        lone = alone(model, visual, audio, len(inputs))
        model.frames = 0
        one = film(task.recording, face, task.detector, task.film)
        if number:
            filmed.append(one)
            computed.append(model.frames)
            pairs.append(pair(one, model.frames, lone, len(inputs)))
    frame_s = [gap for one in filmed for gap in one.frame_s]
    cpu_s = sum(one.cpu_s / one.frames for one in filmed) / len(filmed) * len(frame_s)
    run = WholeRun(
        times(frame_s, cpu_s),
        tuple(pairs),
        tuple(computed),
        tuple(one.first_s for one in filmed),
        filmed[-1].size_bytes / filmed[-1].frames,
    )
    return run, loaded_mb, peak_resident_bytes(os.getpid()) / 1e6


def _batches(
    task: FaceTask, model: Counted, inputs: Inputs, board: Board, progress: Progress
) -> tuple[list[NetworkCase], list[int]]:
    cases, skipped = list(board.cases), []
    for case, batch in in_batches(model, inputs, [one for one in task.batches if one > 1], task.batch_limit_s):
        progress(f"network: {batch} frames a call")
        if case is None:
            skipped.append(batch)
        else:
            cases.append(case)
    for batch in KNOWN_BATCHES:
        if not model.info.keeps or batch > model.info.max_batch:
            continue
        progress(f"network: source frames that it knows, {batch} a call")
        cases.append(of_known_sources(model, inputs, batch))
    return cases, skipped


def _resident_mb() -> float:
    return resident_bytes(os.getpid()) / 1e6
