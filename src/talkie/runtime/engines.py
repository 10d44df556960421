"""From a model in the store to a working lane: the one place where the store, the registry and a lane meet."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from talkie.engines import registry
from talkie.runtime.config import ServiceConfig
from talkie.runtime.scheduler import Lane, LaneOptions

if TYPE_CHECKING:
    from talkie.engines.base import Recognizer
    from talkie.models.store import ModelStore, StoredModel

SPHINX_WORKERS_MAX = 4
"""A worker of the built-in engine takes about 90 MB and one processor."""


def open_lane(model: StoredModel, store: ModelStore, config: ServiceConfig) -> Lane:
    """Load a model and hold it in the store until its lane is closed. Raises `EngineError`, `ModelError`."""
    with ExitStack() as stack:
        stack.enter_context(store.hold(model))
        recognizer = _recognizer(model, config)
        lane = Lane(recognizer, LaneOptions(max_queued_audio_s=config.max_queued_audio_s))
        lane.on_close.push(stack.pop_all())
        return lane


def _recognizer(model: StoredModel, config: ServiceConfig) -> Recognizer:
    factory = registry.load(model.engine)
    recognizer: Recognizer
    if model.engine == "sphinx":
        workers = config.workers or min(SPHINX_WORKERS_MAX, os.cpu_count() or 1)
        recognizer = factory(workers=workers)
    else:
        recognizer = factory(
            model.path,
            name=model.name,
            device=config.device,
            compute_type=config.compute_type,
            threads=config.threads,
            workers=config.workers or 1,
        )
    return recognizer
