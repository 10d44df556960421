"""Chatterbox, which imitates a voice from a few seconds of it: a worker in an environment of its own.

Its pins (torch 2.6, NumPy 1) do not fit beside ours, so nothing of it is ever imported here
(docs/decisions/0097). English; no word times; its watermark stays in the sound. Knows nothing of sentences or requests;
`chatterbox_worker.py` is the other end.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import numpy as np

from talkie.audio.tempo import at_tempo
from talkie.engines.base import SynthesizeOptions, SynthesizerInfo, Voice
from talkie.engines.workers import Lease, Reply, WorkerPool, WorkerSpec
from talkie.environments.installed import interpreter
from talkie.environments.table import CHATTERBOX
from talkie.errors import EngineUnavailable, InvalidValue, ModelBroken, UnsupportedByModel, VoiceNotFound
from talkie.types import Samples, SpeechChunk

SAMPLE_RATE_HZ = 24_000
MAX_TEXT_CHARACTERS = 500
"""It makes at most forty seconds of sound at once, and loses its way before that."""
SPEEDS, VOLUMES = (0.25, 4.0), (0.0, 2.0)
DEVICES = ("auto", "cpu", "cuda")
FILES = ("t3_cfg.safetensors", "s3gen.safetensors", "ve.safetensors", "tokenizer.json")
OWN_VOICE = "conds.pt"
EXAGGERATION, CFG_WEIGHT = 0.5, 0.5
"""What its makers recommend for most voices and texts."""
MEMORY_BYTES = 12_000_000_000
"""More than this it never gets on the processor; it needs about 5 GB."""
LOAD_S, SENTENCE_S = 600.0, 900.0
CALLED_OFF_S = 10.0
"""How long a worker may take to notice that nobody listens, before it is ended."""
_LOOK_S = 0.1
_ARENA_BYTES = 8 << 20
_TASK = f"{Path(__file__).with_name('chatterbox_worker.py')}:ChatterboxTask"
_NOTHING = np.zeros(0, np.float32)
_LOUDEST = 0.98


class ChatterboxSynthesizer:
    """Synthesiser. One text at a time; `threads` 0: as many as there are processors. The constructor waits until the
    model has loaded, which takes a minute or more.

    Raises `ModelBroken`, `EngineUnavailable`.
    """

    def __init__(self, path: Path, *, name: str = "", device: str = "auto", threads: int = 0, workers: int = 0) -> None:
        """`workers` is not used: one takes gigabytes."""
        path = Path(path).expanduser().absolute()
        if device not in DEVICES:
            raise EngineUnavailable("chatterbox", f"it does not run on {device[:20]!r}")
        self._name = name or path.name
        _check(path, self._name)
        options = {
            "model": str(path),
            "threads": threads or os.cpu_count() or 1,
            "device": device,
            "memory_bytes": MEMORY_BYTES,
        }
        spec = WorkerSpec(
            "chatterbox",
            _TASK,
            options,
            arena_bytes=_ARENA_BYTES,
            load_timeout_s=LOAD_S,
            call_timeout_s=SENTENCE_S,
            python=interpreter(CHATTERBOX, path),
        )
        self._pool = WorkerPool(spec)
        self._asking = ThreadPoolExecutor(1, thread_name_prefix="chatterbox")
        try:
            self._facts = self._checked(self._pool.call("hello")).values
        except BaseException:
            self.close()
            raise
        self.info = _info(self._name, self._facts)

    @staticmethod
    def describe(path: Path, *, name: str) -> SynthesizerInfo:
        """The same from the files alone. Raises `ModelBroken`, `EngineUnavailable` where there is no environment."""
        _check(path, name)
        interpreter(CHATTERBOX, path)
        return _info(name, {"own": (path / OWN_VOICE).is_file()})

    def ready(self) -> bool:
        return self._pool.ready()

    def pids(self) -> tuple[int, ...]:
        return self._pool.pids()

    def synthesize(self, text: str, options: SynthesizeOptions) -> Iterator[SpeechChunk]:
        """Empty chunks, so that who leaves is noticed, then the sound in one piece. Raises `InvalidValue`,
        `UnsupportedByModel`, `VoiceNotFound`: at once.

        Who leaves while it is made: the worker stops at its next token. One that does not (it is analysing a recording
        or turning tokens into sound) is given `CALLED_OFF_S` seconds, then ended, and a fresh one loads.
        """
        if len(text) > MAX_TEXT_CHARACTERS:
            raise InvalidValue("input", f"The text has {len(text)} characters; {MAX_TEXT_CHARACTERS} are the most.")
        for name, (low, high) in (("speed", SPEEDS), ("volume", VOLUMES)):
            if not low <= getattr(options, name) <= high:
                raise InvalidValue(name, f"The {name} must be from {low:g} to {high:g}.")
        if options.language.lower().replace("_", "-").partition("-")[0] not in ("", "en"):
            raise UnsupportedByModel("language", "chatterbox speaks English only.")
        if options.voice and options.voice not in {voice.name for voice in self.info.voices}:
            raise InvalidValue("voice", f"chatterbox has no voice {options.voice[:40]!r}.")
        if options.reference is None and not self.info.voices:
            raise UnsupportedByModel(
                "voice",
                f"The model {self._name!r} has no voice of its own: it imitates one.",
                hint="`talkie voices add NAME RECORDING` makes one from a recording.",
            )
        if not text.strip():  # it would say that there is no text
            return iter((SpeechChunk(_NOTHING, self.info.sample_rate),))
        return self._speak(text, _arguments(options), options)

    def close(self) -> None:
        self._pool.close()
        self._asking.shutdown(cancel_futures=True)

    def _speak(self, text: str, args: dict[str, Any], options: SynthesizeOptions) -> Iterator[SpeechChunk]:
        with self._pool.lease() as lease:
            patience = _Patience()
            asked = self._asking.submit(lease.ask, "speak", args, text.encode(), cancelled=patience.has_ended)
            try:
                while not wait([asked], _LOOK_S).done:
                    yield SpeechChunk(_NOTHING, self.info.sample_rate)
            finally:
                if not asked.done():
                    _call_off(lease, asked, patience)
            reply = self._checked(asked.result())
            yield SpeechChunk(self._shaped(reply, options), self.info.sample_rate)

    def _shaped(self, reply: Reply, options: SynthesizeOptions) -> Samples:
        """At the speed and as loud as asked, or as it can be without clipping."""
        samples = np.nan_to_num(np.frombuffer(reply.payload, np.float32))
        samples = at_tempo(samples, self.info.sample_rate, options.speed)
        peak = float(np.abs(samples).max(initial=0.0))
        gain = min(options.volume, max(_LOUDEST, min(peak, 1.0)) / max(peak, 1e-6))
        return np.asarray(samples * np.float32(gain), np.float32)

    def _checked(self, reply: Reply) -> Reply:
        if reply.values.get("no_device"):
            raise EngineUnavailable("chatterbox", "it finds no CUDA device here", hint="Set device to auto or cpu.")
        if broken := reply.values.get("broken"):
            raise ModelBroken(self._name, f"chatterbox cannot load it: {broken}")
        return reply


class _Patience:
    """Ends some seconds after it was begun."""

    def __init__(self) -> None:
        self._begun = threading.Event()
        self._until_s = 0.0

    def begin(self) -> None:
        self._until_s = time.monotonic() + CALLED_OFF_S
        self._begun.set()

    def has_ended(self) -> bool:
        return self._begun.is_set() and time.monotonic() >= self._until_s


def _call_off(lease: Lease, asked: Future[Reply], patience: _Patience) -> None:
    """Have the worker stop, and wait until it is free again or ended: the lease goes to the next one then."""
    patience.begin()
    while not wait([asked], _LOOK_S).done:
        lease.call_off()  # more than once: a text may just have been put over it


def _arguments(options: SynthesizeOptions) -> dict[str, Any]:
    """A recording is known again by its path and when it was written. Raises `VoiceNotFound` where it has gone."""
    path, stamp = options.reference, ""
    if path is not None:
        try:
            stamp = f"{path} {path.stat().st_mtime_ns} {path.stat().st_size}"
        except OSError:
            raise VoiceNotFound(path.parent.name) from None
    return {
        "reference": "" if path is None else str(path.absolute()),
        "fingerprint": stamp,
        "exaggeration": EXAGGERATION,
        "cfg_weight": CFG_WEIGHT,
    }


def _check(path: Path, name: str) -> None:
    lacks = [one for one in FILES if not (Path(path) / one).is_file()]
    if lacks:
        raise ModelBroken(name, f"it is not a Chatterbox model: {', '.join(lacks)} missing.")


def _info(name: str, facts: dict[str, Any]) -> SynthesizerInfo:
    return SynthesizerInfo(
        name=name,
        engine="chatterbox",
        languages=("en",),
        voices=(Voice("own", ("en",), "Chatterbox's own"),) if facts["own"] else (),
        sample_rate=facts.get("rate", SAMPLE_RATE_HZ),
        max_characters=MAX_TEXT_CHARACTERS,
        cloning=True,
        device=facts.get("device", "cpu"),
        backend="torch",
    )
