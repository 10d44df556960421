"""The numbers that each library can compute a Whisper model with on this machine. Opens no model."""

from __future__ import annotations

from dataclasses import replace

from talkie.engines.asr.whisper import hardware
from talkie.engines.asr.whisper.backends import BackendOptions, openvino_form
from talkie.engines.asr.whisper.openvino.form import FORMS

CTRANSLATE2 = {
    "cpu": ("float32", "int8", "int8_bfloat16", "bfloat16"),
    "cuda": ("float32", "float16", "int8_float16", "int8", "bfloat16", "int8_bfloat16"),
}


def ctranslate2_types(device: str) -> tuple[str, ...]:
    """By its names; none where it is not installed. Raises as `hardware.choose_device`."""
    device = hardware.choose_device(device)
    return tuple(name for name in CTRANSLATE2[device] if hardware.supports(name, device))


def openvino_types(options: BackendOptions) -> tuple[str, ...]:
    """None of them where it cannot run the model at all."""
    return tuple(name for name in FORMS if openvino_form(replace(options, compute_type=name))[0] is not None)
