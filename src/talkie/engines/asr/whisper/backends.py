"""Which library runs a model: the one asked for, or the fastest that can do what is asked on this machine.

OpenVINO runs what it can on processors; CTranslate2 everything else. Why it is the one and not the other is kept as a
sentence, for whoever looks (`talkie doctor`, `talkie ps`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from talkie.engines import openvino_runtime
from talkie.engines.asr.whisper import hardware
from talkie.engines.asr.whisper.backend import Backend
from talkie.engines.asr.whisper.model_files import ModelFiles
from talkie.engines.asr.whisper.openvino.form import Form, choose_form
from talkie.errors import EngineFailed, EngineUnavailable, InvalidValue, ModelBroken
from talkie.types import Samples

BACKENDS = ("auto", "openvino", "ctranslate2")

_log = logging.getLogger(__name__)


def _no_speech() -> Iterable[Samples]:
    return ()


@dataclass(frozen=True, slots=True)
class BackendOptions:
    """As in `WhisperRecognizer`. `speech` gives windows to calibrate by, `kept_in` is where a converted model lies
    (None: OpenVINO is not for this model), `progress` is told the share of a conversion that is done."""

    backend: str = "auto"
    device: str = "auto"
    compute_type: str = "default"
    threads: int = 0
    workers: int = 0
    kept_in: Path | None = None
    speech: Callable[[], Iterable[Samples]] = _no_speech
    progress: Callable[[float], None] = field(default=lambda _: None)


@dataclass(frozen=True, slots=True)
class Opened:
    """A backend, and why it is this one."""

    model: Backend
    reason: str


def open_backend(files: ModelFiles, options: BackendOptions) -> Opened:
    """Raises `InvalidValue` for an unknown name, `EngineUnavailable` where the one asked for cannot do it."""
    if options.backend not in BACKENDS:
        raise InvalidValue("backend", f"{options.backend!r} is not one of {', '.join(BACKENDS)}.")
    if options.threads < 0 or options.workers < 0:
        raise InvalidValue("threads" if options.threads < 0 else "workers", "threads and workers are 0 (auto) or more.")
    if options.backend == "ctranslate2":
        return Opened(_ctranslate2(files, options), "asked for")
    form, obstacle = _form(options)
    if form is not None:
        try:
            return Opened(_openvino(files, form, options), f"the fastest for {form.name} on this processor")
        except (EngineFailed, EngineUnavailable, ModelBroken, OSError) as error:
            obstacle = f"OpenVINO cannot: {error}"
    if options.backend == "openvino":
        raise EngineUnavailable("whisper", obstacle, hint="Use the backend auto or ctranslate2.")
    _log.info("%s is run by CTranslate2: %s", files.name, obstacle)
    return Opened(_ctranslate2(files, options), obstacle)


def _form(options: BackendOptions) -> tuple[Form | None, str]:
    """What OpenVINO would compute with; or None and why it cannot be asked."""
    if not openvino_runtime.available():
        return None, "OpenVINO is not installed."
    if options.device == "cuda" or (options.device == "auto" and hardware.choose_device("auto") == "cuda"):
        return None, "OpenVINO has no CUDA."
    if options.kept_in is None:
        return None, "there is no place to keep a converted model."
    has_bf16 = "BF16" in openvino_runtime.core().get_property(openvino_runtime.DEVICE, "OPTIMIZATION_CAPABILITIES")
    form = choose_form(options.compute_type, has_bf16=has_bf16)
    return form, "" if form else f"OpenVINO has no {options.compute_type} here."


def _openvino(files: ModelFiles, form: Form, options: BackendOptions) -> Backend:
    from talkie.engines.asr.whisper.openvino.compiled import Compiled, Running
    from talkie.engines.asr.whisper.openvino.converted import open_converted
    from talkie.engines.asr.whisper.openvino.model import OpenVinoModel

    assert options.kept_in is not None
    place = options.kept_in / form.name
    converted = open_converted(place, files, form)
    if converted is None:
        from talkie.engines.asr.whisper.openvino.convert import convert

        _log.info("%s is converted for OpenVINO, once.", files.name)
        converted = convert(files, form, place, options.speech, options.progress)
    cores = hardware.physical_cores()
    workers = options.workers or max(1, cores // (options.threads or 1))
    running = Running(form.precision, options.threads or max(1, cores // workers), workers)
    return OpenVinoModel(converted, Compiled(place, running), workers)


def _ctranslate2(files: ModelFiles, options: BackendOptions) -> Backend:
    from talkie.engines.asr.whisper.ct2 import LoadOptions, open_model

    return open_model(
        files, LoadOptions(options.device, options.compute_type, options.threads, max(1, options.workers))
    )
