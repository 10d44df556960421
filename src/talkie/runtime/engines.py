"""From a model in the store to a working lane: the one place where the store, the registry and a lane meet."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

from talkie.engines import registry
from talkie.runtime.config import ServiceConfig
from talkie.runtime.face_lane import FaceLane
from talkie.runtime.kept import kept_in
from talkie.runtime.passages import spoken_passages
from talkie.runtime.scheduler import Lane, LaneOptions
from talkie.runtime.speech_lane import SpeechLane
from talkie.runtime.spoken import spoken_windows

if TYPE_CHECKING:
    from talkie.engines.asr.whisper.choice import Choice
    from talkie.engines.base import FaceModel, Recognizer, Synthesizer
    from talkie.models.avatar_pack import AvatarPack
    from talkie.models.store import ModelStore, StoredModel

SPHINX_WORKERS_MAX = 4
"""A worker of the built-in engine takes about 90 MB and one processor."""
ESPEAK_WORKERS_MAX = 2
"""One makes speech a hundred times as fast as it is heard; the second is for short texts beside a long one."""


def open_lane(
    model: StoredModel, store: ModelStore, config: ServiceConfig, progress: Callable[[float], None] = lambda _: None
) -> Lane:
    """Load a model and hold it in the store until its lane is closed. Raises `EngineError`, `ModelError`.

    `progress` is told the share of what is done once for a model on a machine.
    """
    with ExitStack() as stack:
        stack.enter_context(store.hold(model))
        recognizer = _recognizer(model, config, progress)
        lane = Lane(recognizer, LaneOptions(max_queued_audio_s=config.max_queued_audio_s))
        lane.on_close.push(stack.pop_all())
        return lane


def open_voice(model: StoredModel, store: ModelStore, config: ServiceConfig) -> SpeechLane:
    """The same for a model that speaks."""
    with ExitStack() as stack:
        stack.enter_context(store.hold(model))
        lane = SpeechLane(_synthesizer(model, config))
        lane.on_close.push(stack.pop_all())
        return lane


def _synthesizer(model: StoredModel, config: ServiceConfig) -> Synthesizer:
    factory = registry.load(model.engine)
    synthesizer: Synthesizer
    if model.engine == "espeak":
        synthesizer = factory(workers=config.workers or min(ESPEAK_WORKERS_MAX, os.cpu_count() or 1))
    else:
        synthesizer = factory(
            model.path, name=model.name, device=config.device, threads=config.threads, workers=config.workers
        )
    return synthesizer


def _recognizer(model: StoredModel, config: ServiceConfig, progress: Callable[[float], None]) -> Recognizer:
    factory = registry.load(model.engine)
    recognizer: Recognizer
    if model.engine == "sphinx":
        workers = config.workers or min(SPHINX_WORKERS_MAX, os.cpu_count() or 1)
        recognizer = factory(workers=workers)
    else:
        recognizer = factory(
            model.path,
            name=model.name,
            **_choices(model, config),
            speech=spoken_windows,
            passages=spoken_passages,
            progress=progress,
        )
    return recognizer


def open_face_lane(pack: AvatarPack, config: ServiceConfig) -> FaceLane:
    """Load the networks of an avatar. Raises `BadAvatar`, `EngineError`."""
    return FaceLane(open_face_model(pack, config), config.face_batch)


def open_face_model(pack: AvatarPack, config: ServiceConfig) -> FaceModel:
    """The networks alone."""
    model: FaceModel = registry.load("face-onnx")(
        pack.directory,
        name=pack.name,
        face=pack.face,
        encoder=pack.encoder,
        backend=config.face_backend,
        threads=config.threads,
        max_batch=config.face_batch,
        sources=_source_frames(pack),
    )
    return model


def _source_frames(pack: AvatarPack) -> int:
    from talkie.video.source import open_source

    with closing(open_source(pack.frames, is_video=pack.is_video)) as source:
        return source.count


def foresee(model: StoredModel, config: ServiceConfig) -> Choice | None:
    """What a Whisper model will be run by, with nothing opened; None for other engines. Raises as `open_lane`."""
    if model.engine != "whisper":
        return None
    from talkie.engines.asr.whisper.backends import BackendOptions, foresee
    from talkie.engines.asr.whisper.model_files import check

    return foresee(check(model.path, model.name), BackendOptions(**_choices(model, config)))


def is_new(model: StoredModel, config: ServiceConfig) -> bool:
    """Whether nothing was ever chosen for a Whisper model that the choice is open for."""
    if model.engine != "whisper" or config.backend != "auto":
        return False
    from talkie.engines.asr.whisper.choice import MEMORY

    return not (kept_in(model, config) / MEMORY).is_file()


def _choices(model: StoredModel, config: ServiceConfig) -> dict[str, Any]:
    return {
        "device": config.device,
        "compute_type": config.compute_type,
        "threads": config.threads,
        "workers": config.workers,
        "backend": config.backend,
        "kept_in": kept_in(model, config),
    }
