"""Which library runs a model: the one asked for, or the one that was faster in a trial on this machine.

OpenVINO runs what it can on processors; CTranslate2 everything else. Why it is the one and not the other is kept as a
sentence, for whoever looks (`talkie doctor`, `talkie ps`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from talkie.engines import openvino_runtime
from talkie.engines.asr.whisper import hardware
from talkie.engines.asr.whisper.backend import Backend
from talkie.engines.asr.whisper.choice import Choice, recall
from talkie.engines.asr.whisper.model_files import ModelFiles
from talkie.engines.asr.whisper.openvino.converted import Converted
from talkie.engines.asr.whisper.openvino.form import Form, choose_form
from talkie.engines.asr.whisper.trial import Passage
from talkie.errors import EngineFailed, EngineUnavailable, InvalidValue, ModelBroken
from talkie.types import Samples

BACKENDS = ("auto", "openvino", "ctranslate2")
ASKED_FOR = "asked for"

_log = logging.getLogger(__name__)


def _no_speech() -> Iterable[Samples]:
    return ()


def _no_passages() -> Sequence[Passage]:
    return ()


@dataclass(frozen=True, slots=True)
class BackendOptions:
    """As in `WhisperRecognizer`. 0 windows in a batch, and no name of `vectors` (CTranslate2's instruction set): as
    they are by default. `speech` gives windows to calibrate by, `passages` some to choose by (none: OpenVINO
    is taken where it can), `kept_in` is where a converted model and the choice lie (None: OpenVINO is not for this
    model), `progress` is told the share that is done of what is done once."""

    backend: str = "auto"
    device: str = "auto"
    compute_type: str = "default"
    threads: int = 0
    workers: int = 0
    max_batch: int = 0
    vectors: str = ""
    kept_in: Path | None = None
    speech: Callable[[], Iterable[Samples]] = _no_speech
    passages: Callable[[], Sequence[Passage]] = _no_passages
    progress: Callable[[float], None] = field(default=lambda _: None)

    def asked(self) -> str:
        """What a choice is remembered under. Raises `InvalidValue`, `EngineUnavailable` for the device."""
        return f"{self.compute_type} on {hardware.choose_device(self.device)}"

    def layout(self) -> tuple[int, int]:
        """Calls at once on a processor, and threads for each: by default a worker of one thread on every core."""
        cores = hardware.physical_cores()
        workers = self.workers or max(1, cores // (self.threads or 1))
        return workers, self.threads or max(1, cores // workers)


@dataclass(frozen=True, slots=True)
class Opened:
    """A backend, and why it is this one."""

    model: Backend
    reason: str


def open_backend(files: ModelFiles, options: BackendOptions) -> Opened:
    """Raises `InvalidValue` for an unknown name, `EngineUnavailable` where the one asked for cannot do it."""
    opened = _open(files, options)
    opened.model.max_batch = options.max_batch or opened.model.max_batch
    return opened


def _open(files: ModelFiles, options: BackendOptions) -> Opened:
    _check(options)
    if options.backend == "ctranslate2":
        return Opened(open_ctranslate2(files, options), ASKED_FOR)
    found = _recalled(files, options)
    if found is not None and found.backend == "ctranslate2":
        return Opened(open_chosen(files, found, options), found.reason)
    way: Choice | Form | None
    way, obstacle = (found, "") if found else openvino_form(options)
    if way is not None:
        try:
            return _open_where_it_can(files, way, options)
        except (EngineFailed, EngineUnavailable, ModelBroken, OSError) as error:
            obstacle = f"OpenVINO cannot: {error}"
            _log.warning("%s: %s", files.name, obstacle)
    if options.backend == "openvino" or not hardware.has_ctranslate2():
        raise EngineUnavailable("whisper", obstacle, hint=_hint(options))
    _log.info("%s is run by CTranslate2: %s", files.name, obstacle)
    return Opened(open_ctranslate2(files, options), obstacle)


def foresee(files: ModelFiles, options: BackendOptions) -> Choice:
    """What `open_backend` will come to, with nothing opened: `measured` is empty where no trial has been held."""
    _check(options)
    found = _recalled(files, options)
    if found is not None:
        workers, threads = by_choice(found, options).layout()
        return replace(found, workers=workers, threads=threads)
    form, obstacle = (None, ASKED_FOR) if options.backend == "ctranslate2" else openvino_form(options)
    if form is None:
        device = hardware.choose_device(options.device)
        compute_type = hardware.choose_compute_type(options.compute_type, device)
        workers, threads = options.layout() if device == "cpu" else (max(1, options.workers), options.threads)
        return Choice("ctranslate2", compute_type, obstacle, threads, workers)
    reason = ASKED_FOR if options.backend == "openvino" else "most likely; the first start measures it"
    workers, threads = options.layout()
    return Choice("openvino", form.name, reason, threads, workers)


def openvino_form(options: BackendOptions) -> tuple[Form | None, str]:
    """What OpenVINO would compute with; or None and why it cannot be asked."""
    if not openvino_runtime.available():
        return None, "OpenVINO is not installed."
    if options.device == "cuda" or (options.device == "auto" and hardware.choose_device("auto") == "cuda"):
        return None, "OpenVINO has no CUDA."
    if options.kept_in is None:
        return None, "there is no place to keep a converted model."
    try:
        form = choose_form(options.compute_type, has_bf16="BF16" in openvino_runtime.capabilities())
    except EngineUnavailable as error:
        return None, f"OpenVINO cannot: {error}"
    return form, "" if form else f"OpenVINO has no {options.compute_type} here."


def by_choice(choice: Choice, options: BackendOptions) -> BackendOptions:
    """The options with what was chosen; threads and workers that the user named stand."""
    free = not (options.threads or options.workers)
    return replace(
        options,
        backend=choice.backend,
        compute_type=choice.compute_type,
        threads=choice.threads if free else options.threads,
        workers=choice.workers if free else options.workers,
        max_batch=options.max_batch or choice.max_batch,
        vectors=options.vectors or choice.vectors,
    )


def open_chosen(files: ModelFiles, choice: Choice, options: BackendOptions) -> Backend:
    options = by_choice(choice, options)
    if choice.backend == "ctranslate2":
        model = open_ctranslate2(files, options)
    else:
        form, obstacle = openvino_form(options)
        if form is None:
            raise EngineUnavailable("whisper", obstacle)
        model = open_openvino(files, form, options)
    model.max_batch = options.max_batch or model.max_batch
    return model


def converted_model(files: ModelFiles, form: Form, options: BackendOptions) -> Converted:
    """Converted now where it was not."""
    from talkie.engines.asr.whisper.openvino.converted import open_converted

    assert options.kept_in is not None
    place = options.kept_in / form.name
    converted = open_converted(place, files, form)
    if converted is None:
        from talkie.engines.asr.whisper.openvino.convert import convert

        _log.info("%s is converted for OpenVINO, once.", files.name)
        converted = convert(files, form, place, options.speech, options.progress)
    return converted


def open_openvino(files: ModelFiles, form: Form, options: BackendOptions) -> Backend:
    from talkie.engines.asr.whisper.openvino.compiled import Compiled, Running
    from talkie.engines.asr.whisper.openvino.model import OpenVinoModel

    converted = converted_model(files, form, options)
    workers, threads = options.layout()
    return OpenVinoModel(converted, Compiled(converted.directory, Running(form.precision, threads, workers)), workers)


def open_ctranslate2(files: ModelFiles, options: BackendOptions) -> Backend:
    """Raises `EngineUnavailable` where it is not installed, or has no such device."""
    hardware.load_ctranslate2()
    from talkie.engines.asr.whisper.ct2 import LoadOptions, open_model

    if options.vectors:
        hardware.use_vectors(options.vectors)
    workers, threads = max(1, options.workers), options.threads
    if hardware.choose_device(options.device) == "cpu":
        workers, threads = options.layout()
    return open_model(files, LoadOptions(options.device, options.compute_type, threads, workers))


def _check(options: BackendOptions) -> None:
    if options.backend not in BACKENDS:
        raise InvalidValue("backend", f"{options.backend!r} is not one of {', '.join(BACKENDS)}.")
    if options.threads < 0 or options.workers < 0:
        raise InvalidValue("threads" if options.threads < 0 else "workers", "threads and workers are 0 (auto) or more.")


def _hint(options: BackendOptions) -> str:
    if hardware.has_ctranslate2():
        return "Use the backend auto or ctranslate2."
    if options.kept_in is None:
        return "`talkie import` brings the model into the store, where its converted form can be kept."
    return "`pip install ctranslate2` in Talkie's environment: it runs what OpenVINO cannot."


def _open_where_it_can(files: ModelFiles, way: Choice | Form, options: BackendOptions) -> Opened:
    """What was chosen is remembered, asked for, or found out now."""
    if isinstance(way, Choice):
        return Opened(open_chosen(files, way, options), way.reason)
    if options.backend == "openvino":
        return Opened(open_openvino(files, way, options), ASKED_FOR)
    from talkie.engines.asr.whisper.first_start import choose

    return Opened(*choose(files, way, options))


def _recalled(files: ModelFiles, options: BackendOptions) -> Choice | None:
    if options.backend != "auto" or options.kept_in is None:
        return None
    return recall(options.kept_in, files, options.asked())
