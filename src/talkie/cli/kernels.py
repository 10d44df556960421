"""Which libraries compute speech on this processor, with what numbers, and whether the allocator plays along.

Looks and changes nothing; what cannot be found out is an empty string or a reason.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kernels:
    """`openvino` is its version, or empty with `trouble`; `vectors` those CTranslate2 will use."""

    openvino: str
    arithmetic: tuple[str, ...]
    trouble: str
    vectors: str
    allocator: str


def kernels() -> Kernels:
    from talkie.engines.asr.whisper import hardware

    version, arithmetic, trouble = _openvino()
    return Kernels(
        openvino=version,
        arithmetic=arithmetic,
        trouble=trouble,
        vectors="AVX-512" if hardware.has_wide_vectors() else "its own choice",
        allocator="keeps large blocks" if hardware.can_keep_large_blocks() else "the system's, as it is",
    )


def _openvino() -> tuple[str, tuple[str, ...], str]:
    from talkie.engines import openvino_runtime
    from talkie.errors import EngineUnavailable

    if not openvino_runtime.available():
        return "", (), "not installed"
    try:
        capabilities = openvino_runtime.capabilities()
        return openvino_runtime.version().partition("-")[0], capabilities, ""
    except EngineUnavailable as error:
        return "", (), error.message
