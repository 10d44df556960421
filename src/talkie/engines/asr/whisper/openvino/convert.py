"""From a CTranslate2 directory to a directory of OpenVINO graphs: once, without torch, in seconds for small models.

Whoever calls gives some speech to calibrate INT8 by, and the place where the result is to lie. Nothing half-made is
ever seen there: the graphs are written beside it and moved when they are whole.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from talkie.audio.mel import MAX_FRAMES, log_mel
from talkie.engines.asr.whisper.model_files import ModelFiles
from talkie.engines.asr.whisper.openvino.calibration import Calibration
from talkie.engines.asr.whisper.openvino.compiled import CROSS, ENCODER, ENCODER_OF_ANY_LENGTH, STEP
from talkie.engines.asr.whisper.openvino.converted import Converted, alignment_heads, open_converted, write_record
from talkie.engines.asr.whisper.openvino.decoder import DecoderGraphs
from talkie.engines.asr.whisper.openvino.encoder import EncoderGraph
from talkie.engines.asr.whisper.openvino.form import Form
from talkie.engines.asr.whisper.openvino.parts import Quantised
from talkie.engines.asr.whisper.weights import Weights, read_weights
from talkie.errors import EngineFailed, TalkieError
from talkie.types import Samples

Progress = Callable[[float], None]
"""The share that is done, 0 to 1."""
Speech = Callable[[], Iterable[Samples]]
"""Windows of speech at 16 kHz, of at most 30 s."""

LOCK_WAIT_S = 1800.0
_FOR_ALL_TO_READ = 0o755
_CALIBRATED = 0.7
"""The share of the time that calibration takes, roughly."""


def convert(
    files: ModelFiles, form: Form, target: Path, speech: Speech, progress: Progress = lambda _: None
) -> Converted:
    """The converted model in `target`, made when it is not there. Two processes may ask at once: one makes it.

    Raises `ModelBroken` for weights that cannot be read, `EngineFailed` where the library fails, `OSError` where
    `target` cannot be written.
    """
    import filelock

    target.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(target.with_suffix(".lock"), timeout=LOCK_WAIT_S):
        if found := open_converted(target, files, form):
            return found
        with _beside(target) as made, _working():
            _make(files, form, made, speech, progress)
        found = open_converted(target, files, form)
    if found is None:
        raise EngineFailed("whisper", f"what was converted for {files.name!r} cannot be read back")
    return found


def _make(files: ModelFiles, form: Form, directory: Path, speech: Speech, progress: Progress) -> None:
    weights = read_weights(files.directory, files.name)
    n_mels = int(weights.linear("encoder/conv1").weight.shape[1])
    quantised = calibrated(weights, n_mels, speech, progress) if form.int8 else None
    progress(_CALIBRATED)
    encoder = EncoderGraph(weights, quantised)
    kept = "f32" if form.precision == "f32" else "bf16"
    decoder = DecoderGraphs(weights, int8=form.int8, kept=kept, heads=alignment_heads(files))
    graphs: dict[str, Callable[[], Any]] = {
        ENCODER: lambda: encoder.build(n_mels, MAX_FRAMES),
        ENCODER_OF_ANY_LENGTH: lambda: encoder.build(n_mels),
        CROSS: decoder.cross,
        STEP: decoder.step,
    }
    for done, (name, build) in enumerate(graphs.items(), 1):
        _save(build(), directory / f"{name}.xml")
        progress(_CALIBRATED + (1 - _CALIBRATED) * done / len(graphs))
    write_record(directory, files, form, n_mels)


def calibrated(weights: Weights, n_mels: int, speech: Speech, progress: Progress = lambda _: None) -> Quantised:
    """What INT8 needs to know of the encoder, from some windows of speech."""
    import openvino

    calibration = Calibration(weights, n_mels)
    compiled = openvino.Core().compile_model(calibration.graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()

    def run(features: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        return [np.array(extreme) for extreme in request.infer([features]).values()]

    windows = list(speech())
    if not windows:
        raise EngineFailed("whisper", "there is no speech to calibrate INT8 by")
    for done, window in enumerate(windows, 1):
        calibration.watch(run, [log_mel(window, n_mels)[None]])
        progress(_CALIBRATED * done / len(windows))
    return calibration.result()


def _save(model: Any, path: Path) -> None:
    import openvino

    openvino.save_model(model, path, compress_to_fp16=False)


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A new directory that takes the place of `target` at the end, and is removed where something fails.

    What others left here, whose process was ended, is removed first: whoever is here holds the lock.
    """
    prefix = f".{target.name}-"
    for left in target.parent.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
    made.chmod(_FOR_ALL_TO_READ)
    try:
        yield made
        shutil.rmtree(target, ignore_errors=True)
        made.rename(target)
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def _working() -> Iterator[None]:
    try:
        yield
    except (TalkieError, OSError):
        raise
    except Exception as error:
        raise EngineFailed("whisper", f"the model could not be converted: {error}") from error
