"""Which device, which numbers, how many threads: the choices made for a user who made none; and memory given back.

Knows what the library and the operating system say of this machine; knows nothing of models.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from math import ceil
from pathlib import Path
from types import ModuleType

from talkie.errors import EngineUnavailable, InvalidValue

DEVICES = ("auto", "cpu", "cuda")
_FIRST_CHOICES = {
    "cpu": ("int8", "float32"),
    "cuda": ("float16", "int8_float16", "int8", "float32"),
}
_CPU_TOPOLOGY = Path("/sys/devices/system/cpu")
_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_CPU_INFO = Path("/proc/cpuinfo")
_ISA = "CT2_FORCE_CPU_ISA"
_AVX512 = {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}
_CUDA_DRIVERS = (Path("/dev/nvidiactl"), Path("/proc/driver/nvidia"), Path("/dev/dxg"))
"""NVIDIA's driver, and Microsoft's under WSL."""
_KEPT_BYTES = 1 << 30
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_KEEP = ((_M_TRIM_THRESHOLD, _KEPT_BYTES), (_M_MMAP_THRESHOLD, _KEPT_BYTES), (_M_ARENA_MAX, 1))


def choose_device(device: str) -> str:
    """`cpu` or `cuda`. Raises `InvalidValue` for other names, `EngineUnavailable` for CUDA where there is none."""
    if device not in DEVICES:
        raise InvalidValue("device", f"{device!r} is not a device: {', '.join(DEVICES)}.")
    if device == "cpu" or (device == "auto" and not (may_have_cuda() and has_ctranslate2())):
        return "cpu"
    ctranslate2 = load_ctranslate2()
    has_cuda = ctranslate2.get_cuda_device_count() > 0
    if device == "cuda" and not has_cuda:
        raise EngineUnavailable(
            "whisper", "no CUDA device was found.", hint="Check `nvidia-smi`, or use the device auto or cpu."
        )
    return "cuda" if has_cuda else "cpu"


def may_have_cuda() -> bool:
    """Whether it is worth asking a library, which takes longer than to look for a driver."""
    return sys.platform != "linux" or any(place.exists() for place in _CUDA_DRIVERS)


def has_ctranslate2() -> bool:
    """Whether it is installed: the one folder and the image for processors leave it out. Imports nothing."""
    return "ctranslate2" in sys.modules or find_spec("ctranslate2") is not None


def load_ctranslate2() -> ModuleType:
    """Raises `EngineUnavailable` where it is not installed."""
    if not has_ctranslate2():
        hint = "`pip install ctranslate2` in Talkie's environment; the image for CUDA has it."
        raise EngineUnavailable("whisper", "CTranslate2 is not installed.", hint=hint)
    return import_module("ctranslate2")


def choose_compute_type(compute_type: str, device: str) -> str:
    """The numbers a device computes with: `default` is INT8 on processors, FP16 on CUDA devices that are fast at it.

    Raises `InvalidValue` naming those that the device can do, `EngineUnavailable` without CTranslate2.
    """
    supported = load_ctranslate2().get_supported_compute_types(device)
    if compute_type == "default":
        return next((choice for choice in _FIRST_CHOICES[device] if choice in supported), "float32")
    if compute_type != "auto" and compute_type not in supported:
        known = ", ".join(("default", "auto", *sorted(supported)))
        raise InvalidValue("compute_type", f"{compute_type!r} is not a compute type of this {device} device: {known}.")
    return compute_type


def supports(compute_type: str, device: str) -> bool:
    """Whether CTranslate2 can compute with these numbers on a device."""
    try:
        choose_compute_type(compute_type, device)
    except (InvalidValue, EngineUnavailable):
        return False
    return True


def choose_threads(threads: int, workers: int) -> int:
    """Threads for each worker; 0 means: the physical cores that this process may use, shared among the workers."""
    if threads < 0 or workers < 1:
        raise InvalidValue("threads" if threads < 0 else "workers", "threads must be 0 or more, workers 1 or more.")
    return threads or max(1, physical_cores() // workers)


def physical_cores() -> int:
    """Cores this process may use, at least 1: by affinity, without the second threads of a core, within a container's
    quota (control groups 2)."""
    mine = _affinity()
    cores = {_siblings(cpu) for cpu in mine}
    return max(1, min(len(cores), _quota() or len(cores)))


def _affinity() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _siblings(cpu: int) -> str:
    try:
        return (_CPU_TOPOLOGY / f"cpu{cpu}" / "topology" / "thread_siblings_list").read_text().strip()
    except OSError:
        return str(cpu)


def _quota() -> int | None:
    try:
        quota, period = _CPU_QUOTA.read_text().split()
        return None if quota == "max" else ceil(int(quota) / int(period))
    except (OSError, ValueError, ZeroDivisionError):
        return None


def keep_large_blocks() -> bool:
    """Tell glibc to keep what is freed for the next time; whether that could be done.

    CTranslate2 frees its large blocks after each layer and glibc hands them to the operating system, which has to fill
    them with zeros when they are wanted again: half of an encoder's time for several windows. One heap serves all
    threads, since those of threads other than the first are made of pieces too small for such blocks. What is free at
    the end beyond `_KEPT_BYTES` still goes back; for the rest there is `give_back_free_memory`.
    """
    mallopt = _mallopt()
    if mallopt is None:
        return False
    done = [mallopt(setting, value) for setting, value in _KEEP]  # each is worth having without the others
    return all(done)


def can_keep_large_blocks() -> bool:
    return _mallopt() is not None


def _mallopt() -> Callable[[int, int], int] | None:
    try:
        return ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return None


def use_wide_vectors() -> bool:
    """Let CTranslate2 use AVX-512 where the processor has it; whether it will. It stays with AVX2 by itself.

    Must come before the first model is opened; a choice that is in the environment already stands.
    """
    if not has_wide_vectors():
        return False
    return os.environ.setdefault(_ISA, "AVX512") == "AVX512"


def use_vectors(name: str) -> None:
    """Like `use_wide_vectors`, with an instruction set of CTranslate2's by name."""
    os.environ.setdefault(_ISA, name)


def has_wide_vectors() -> bool:
    """Whether the processor has the AVX-512 that CTranslate2 asks for."""
    return _flags() >= _AVX512


@cache
def _flags() -> frozenset[str]:
    try:
        lines = _CPU_INFO.read_text().splitlines()
    except OSError:
        return frozenset()
    return next((frozenset(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), frozenset())
