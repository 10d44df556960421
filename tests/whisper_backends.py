"""Whisper backends for tests, opened once a process: CTranslate2 and every form of OpenVINO that can run here."""

from __future__ import annotations

import atexit
import functools
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from speech import say
from talkie.audio.mel import MAX_FRAMES, log_mel
from talkie.engines import openvino_runtime
from talkie.engines.asr.whisper.backend import Backend
from talkie.engines.asr.whisper.ct2 import LoadOptions, open_model
from talkie.engines.asr.whisper.model_files import ModelFiles, check
from talkie.engines.asr.whisper.openvino.form import Form, choose_form
from talkie.types import Samples

VOICES = ("en-us+klatt4", "en-gb", "en-us+m7")
SAID = (
    "turn the red light on",
    "please open the door",
    "hello talkie what time is it",
    "one two three four five",
    "good morning",
    "stop the music now",
    "six seven eight nine zero",
    "close the window and turn the lamp off",
)
Features = NDArray[np.float32]


def joined(parts: Sequence[Samples], pause_s: float = 0.6) -> Samples:
    """One recording, with pauses, of at most 30 s."""
    pause = np.zeros(round(pause_s * 16_000), np.float32)
    return np.concatenate([piece for part in parts for piece in (part, pause)])[: 30 * 16_000]


@functools.cache
def calibration() -> tuple[Samples, ...]:
    """Speech that no test listens to."""
    texts = ("play music and open the left window", "go down now please", "nine one one", "thank you talkie")
    return tuple(joined([say(text, voice) for text in texts]) for voice in ("en-us+klatt4", "en-gb-scotland"))


def windows_of_speech() -> Iterable[Samples]:
    return calibration()


def features_of(windows: Sequence[Samples], n_mels: int = 80, frames: int = MAX_FRAMES) -> Features:
    out = np.empty((len(windows), n_mels, frames), np.float32)
    for window, row in zip(windows, out, strict=True):
        log_mel(window, n_mels, row)
    return out


@functools.cache
def has_bf16() -> bool:
    core = openvino_runtime.core()
    return "BF16" in core.get_property(openvino_runtime.DEVICE, "OPTIMIZATION_CAPABILITIES")


def openvino_form(name: str) -> Form | None:
    """None where OpenVINO is not installed, or this processor has no BF16."""
    return choose_form(name, has_bf16=has_bf16()) if openvino_runtime.available() else None


@functools.cache
def kept() -> Path:
    """Where converted models lie until the process ends."""
    home = tempfile.TemporaryDirectory(prefix="talkie-converted-")
    atexit.register(home.cleanup)
    return Path(home.name)


@functools.cache
def ctranslate2_backend(model: Path, compute_type: str = "float32", workers: int = 2) -> Backend:
    return open_model(check(model), LoadOptions("cpu", compute_type, 1, workers))


@functools.cache
def openvino_backend(model: Path, form: Form, workers: int = 2) -> Backend:
    from talkie.engines.asr.whisper.openvino.compiled import Compiled, Running
    from talkie.engines.asr.whisper.openvino.convert import convert
    from talkie.engines.asr.whisper.openvino.model import OpenVinoModel

    files: ModelFiles = check(model)
    place = kept() / model.parent.name / model.name / form.name
    converted = convert(files, form, place, windows_of_speech)
    return OpenVinoModel(converted, Compiled(place, Running(form.precision, 1, workers)), workers)
