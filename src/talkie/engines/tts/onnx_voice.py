"""The parent's end of an engine on ONNX Runtime: its worker processes, and speech chunks made of their replies.

Why a process: espeak-ng, which turns text into phonemes for these engines, keeps its state in globals and may crash,
their libraries write texts to logs, and a job that nobody wants can be ended (docs/decisions/0095). Knows nothing of
models; `onnx_pieces.py` is the other end.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from talkie.engines.base import SynthesizeOptions
from talkie.engines.tts.onnx_graph import GraphFacts, read_graph
from talkie.engines.workers import Lease, Reply, WorkerLost, WorkerPool, WorkerSpec
from talkie.errors import InvalidValue, ModelBroken
from talkie.types import Mark, SpeechChunk

MAX_TEXT_CHARACTERS = 4096
SPEEDS, VOLUMES = (0.25, 4.0), (0.0, 2.0)
_ARENA_BYTES = 1 << 20
_LOAD_TIMEOUT_S = 180.0


@dataclass(frozen=True, slots=True)
class Work:
    """`task` and its `options` are for the worker; `model` is the name to be told in errors. Zeros: as fits."""

    engine: str
    task: str
    options: dict[str, Any]
    model: str
    device: str = "auto"
    threads: int = 0
    workers: int = 0


class OnnxVoice:
    """Worker processes that have loaded one model. The constructor waits for the first of them.

    Raises `ModelBroken` naming the file that cannot be used. On the processor where ONNX Runtime finds no CUDA, for
    the device is a setting of the whole installation: `device_reason` says so.
    """

    def __init__(self, work: Work) -> None:
        workers = max(1, work.workers)
        threads = work.threads or max(1, (os.cpu_count() or 1) // workers)
        options = {**work.options, "threads": threads, "device": work.device}
        spec = WorkerSpec(work.engine, work.task, options, arena_bytes=_ARENA_BYTES, load_timeout_s=_LOAD_TIMEOUT_S)
        self._work = work
        self._pool = WorkerPool(spec, workers=workers)
        try:
            facts = self._checked(self._pool.call("hello")).values
        except BaseException:
            self._pool.close()
            raise
        self.device = str(facts["device"])
        missed = work.device == "cuda" and self.device != "cuda"
        self.device_reason = "ONNX Runtime finds no CUDA here; onnxruntime-gpu brings it" if missed else ""

    @property
    def workers(self) -> int:
        return self._pool.size

    def pids(self) -> tuple[int, ...]:
        return self._pool.pids()

    def ready(self) -> bool:
        return self._pool.ready()

    def speak(self, text: str, args: dict[str, Any], sample_rate: int) -> Iterator[SpeechChunk]:
        """What the worker says, as it says it. A worker that dies before its first reply is tried once more."""
        for last_try in (False, True):
            with self._pool.lease() as lease:
                try:
                    reply = lease.ask("speak", args, text.encode())
                except WorkerLost:
                    if last_try:
                        raise
                    continue
                yield from self._chunks(lease, reply, sample_rate)
                return

    def close(self) -> None:
        self._pool.close()

    def _chunks(self, lease: Lease, reply: Reply, sample_rate: int) -> Iterator[SpeechChunk]:
        while self._checked(reply).values["more"]:
            samples = np.frombuffer(reply.payload, np.float32)
            marks = tuple(Mark(kind, text, start_s, end_s) for kind, text, start_s, end_s in reply.values["marks"])
            yield SpeechChunk(samples, sample_rate, marks)
            reply = lease.ask("more")

    def _checked(self, reply: Reply) -> Reply:
        if broken := reply.values.get("broken"):
            raise ModelBroken(self._work.model, broken)
        if symbol := reply.values.get("unsayable"):
            raise InvalidValue(
                "input", f"{self._work.engine} has no sound for {symbol[:8]!r}.", hint="Phonemes are written in IPA."
            )
        return reply


def check_request(text: str, options: SynthesizeOptions) -> None:
    """Raises `InvalidValue` for a text too long and for numbers out of range."""
    if len(text) > MAX_TEXT_CHARACTERS:
        raise InvalidValue("input", f"The text has {len(text)} characters; {MAX_TEXT_CHARACTERS} are the most.")
    for name, (low, high) in (("speed", SPEEDS), ("volume", VOLUMES)):
        if not low <= getattr(options, name) <= high:
            raise InvalidValue(name, f"The {name} must be from {low:g} to {high:g}.")


def graph_of(path: Path, model: str, wanted: tuple[tuple[str, ...], ...]) -> GraphFacts:
    """What a model's graph takes and gives; of each group in `wanted` one input must be there. Raises `ModelBroken`."""
    try:
        facts = read_graph(path)
    except (ValueError, OSError) as error:
        raise ModelBroken(model, f"{path.name} is not an ONNX model: {error}.") from None
    lacks = [" or ".join(group) for group in wanted if not set(group) & set(facts.inputs)]
    if lacks:
        raise ModelBroken(model, f"{path.name} is another kind of model: it takes no {', '.join(lacks)}.")
    if facts.elsewhere:
        raise ModelBroken(model, f"{path.name} keeps weights in other files.")
    return facts


def only(directory: Path, pattern: str, model: str) -> Path:
    """The one file of that pattern. Raises `ModelBroken`."""
    found = sorted(directory.glob(pattern)) if directory.is_dir() else []
    if len(found) != 1:
        raise ModelBroken(model, f"it has {len(found)} files {pattern}, and should have one.")
    return found[0]
