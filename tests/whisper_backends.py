"""Whisper backends for tests, opened once a process: CTranslate2 and every form of OpenVINO that can run here."""

from __future__ import annotations

import atexit
import functools
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from speech import say
from talkie.audio.decode import load_audio
from talkie.audio.mel import MAX_FRAMES, log_mel
from talkie.engines import openvino_runtime
from talkie.engines.asr.whisper.backend import Backend
from talkie.engines.asr.whisper.ct2 import LoadOptions, open_model
from talkie.engines.asr.whisper.model_files import ModelFiles, check
from talkie.engines.asr.whisper.openvino.form import Form, choose_form
from talkie.types import Samples

ON_BACKENDS = pytest.mark.xdist_group("backends")
"""For all tests of `open_form`: in one process, engines are opened and references are heard once."""
FORMS = (
    "ctranslate2 float32",
    "ctranslate2 int8",
    "openvino float32",
    "openvino bfloat16",
    "openvino int8_float32",
    "openvino int8_bfloat16",
)
"""A library and what it computes with."""
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
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NOISE = 0.02
HUMAN = Path(__file__).parents[2] / "shared" / "speech"
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


def can_run(form: str) -> bool:
    library, compute_type = form.split()
    return library == "ctranslate2" or openvino_form(compute_type) is not None


def open_form(form: str, model: Path, workers: int = 2) -> Backend:
    """The one engine of this form in this process: tests share it, as requests do."""
    library, compute_type = form.split()
    if library == "ctranslate2":
        return ctranslate2_backend(model, compute_type, workers)
    chosen = openvino_form(compute_type)
    assert chosen is not None
    return openvino_backend(model, chosen, workers)


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


@functools.cache
def spoken() -> tuple[Samples, ...]:
    """Eight windows: single words beside half a minute of sentences, in three voices."""
    parts = [[say(text, voice) for text in SAID] for voice in VOICES]
    return tuple(
        joined(window)
        for window in (
            parts[0][:1],
            parts[1][1:5],
            parts[2][4:5],
            [*parts[0][3:8], *parts[1][:4]],
            parts[1][5:7],
            parts[2][2:],
            parts[0][6:7],
            parts[2][:2],
        )
    )


@dataclass(frozen=True)
class Spoken:
    """A window and what is said in it."""

    text: str
    samples: Samples


def many_spoken(count: int, seed: int = 11) -> list[Spoken]:
    """Windows of five to seven utterances in changing order; two of three have noise in them."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        texts = [str(text) for text in rng.choice(SAID, int(rng.integers(5, 8)), replace=False)]
        samples = joined([say(text, VOICES[number % len(VOICES)]) for text in texts], float(rng.uniform(0.5, 0.9)))
        noise = rng.standard_normal(len(samples)).astype(np.float32)
        found.append(Spoken(" ".join(texts), samples + np.float32(_NOISE * (number % 3)) * noise))
    return found


def human_digits(digits: int = 8) -> list[Spoken]:
    """Strings of single digits said by people, one speaker a string. None where the recordings are not here."""
    by_speaker: dict[str, list[Path]] = {}
    for path in sorted((HUMAN / "digits").glob("*.wav")):
        by_speaker.setdefault(path.stem.split("_")[1], []).append(path)
    rng = np.random.default_rng(12)
    found = []
    for paths in by_speaker.values():
        order = rng.permutation(len(paths))
        for start in range(0, len(paths) - digits + 1, digits):
            chosen = [paths[number] for number in order[start : start + digits]]
            text = " ".join(DIGITS[int(path.stem[0])] for path in chosen)
            found.append(Spoken(text, joined([load_audio(path).samples for path in chosen], 0.15)))
    return found
