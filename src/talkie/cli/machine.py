"""What a machine has for speech: processors, memory, graphics cards, and whether CTranslate2 can use them.

Looks and changes nothing; what cannot be found out is left empty. Knows nothing of models and settings.
"""

from __future__ import annotations

import ctypes
import os
import platform
from dataclasses import dataclass
from pathlib import Path

CPUINFO, MEMINFO = Path("/proc/cpuinfo"), Path("/proc/meminfo")
MEMORY_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")
USEFUL_FLAGS = (
    "avx",
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx_vnni",
    "avx512_bf16",
    "amx_int8",
    "amx_bf16",
    "asimd",
    "sve",
)
"""Instructions that CTranslate2 and ONNX Runtime choose their kernels by."""
CUDA_LIBRARIES = {"libcublas.so.12": "nvidia-cublas-cu12", "libcudnn.so.9": "nvidia-cudnn-cu12"}
"""What CTranslate2's CUDA build loads when it is used, and the package that has it."""


@dataclass(frozen=True, slots=True)
class Processor:
    """`usable` processors of `count`; memory in bytes, 0 where it is not known; `limit` is a container's."""

    name: str
    count: int
    usable: int
    flags: tuple[str, ...]
    memory_bytes: int
    memory_limit_bytes: int
    compute_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Graphics:
    """`driver` says that an NVIDIA driver is there; `devices` are those CTranslate2 sees."""

    driver: bool
    devices: int
    compute_types: tuple[str, ...]
    missing: tuple[str, ...]


def processor() -> Processor:
    facts = _cpuinfo()
    flags = set(facts.get("flags", facts.get("Features", "")).split())
    return Processor(
        name=facts.get("model name") or platform.processor() or platform.machine(),
        count=os.cpu_count() or 1,
        usable=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        flags=tuple(flag for flag in USEFUL_FLAGS if flag in flags),
        memory_bytes=_memory_bytes(),
        memory_limit_bytes=_memory_limit_bytes(),
        compute_types=_compute_types("cpu"),
    )


def graphics() -> Graphics:
    driver = NVIDIA_DRIVER.exists() or Path("/dev/nvidiactl").exists() or Path("/dev/dxg").exists()
    devices = _cuda_devices()
    return Graphics(
        driver=driver,
        devices=devices,
        compute_types=_compute_types("cuda") if devices else (),
        missing=tuple(name for name in CUDA_LIBRARIES if driver and not _loads(name)),
    )


def _cpuinfo() -> dict[str, str]:
    """The first processor of /proc/cpuinfo, which may be written in any number of ways."""
    facts: dict[str, str] = {}
    for line in _read(CPUINFO).splitlines():
        name, _, value = line.partition(":")
        if not line.strip() and facts:
            break
        facts[name.strip()] = value.strip()
    return facts


def _memory_bytes() -> int:
    for line in _read(MEMINFO).splitlines():
        name, _, value = line.partition(":")
        if name == "MemTotal" and value.split()[:1]:
            return int(value.split()[0]) * 1024
    return 0


def _memory_limit_bytes() -> int:
    """What a container may use; 0 where there is no limit below the machine's memory."""
    for path in MEMORY_LIMITS:
        text = _read(path).strip()
        if text.isdecimal() and 0 < int(text) < (_memory_bytes() or 1 << 62):
            return int(text)
    return 0


def _cuda_devices() -> int:
    try:
        import ctranslate2

        return int(ctranslate2.get_cuda_device_count())
    except (ImportError, OSError, RuntimeError, ValueError):
        return 0


def _compute_types(device: str) -> tuple[str, ...]:
    try:
        import ctranslate2

        return tuple(sorted(ctranslate2.get_supported_compute_types(device)))
    except (ImportError, OSError, RuntimeError, ValueError):
        return ()


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
