"""Devices, compute types and threads, on machines that are made up."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import ctranslate2
import pytest

from talkie.engines.asr.whisper import hardware
from talkie.errors import EngineUnavailable, InvalidValue


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """A machine with a device for each key: what its devices can compute with."""
    devices = {"cpu": {"int8", "int8_float32", "float32"}}
    monkeypatch.setattr(hardware, "may_have_cuda", lambda: True)
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: int("cuda" in devices))
    monkeypatch.setattr(ctranslate2, "get_supported_compute_types", lambda device: devices[device])
    return devices


def test_auto_takes_cuda_where_there_is_one(machine: dict[str, set[str]]) -> None:
    assert hardware.choose_device("auto") == "cpu"
    machine["cuda"] = {"float16"}
    assert hardware.choose_device("auto") == "cuda"
    assert hardware.choose_device("cpu") == "cpu"


def test_cuda_without_a_device_says_what_to_do(machine: dict[str, set[str]]) -> None:
    with pytest.raises(EngineUnavailable) as caught:
        hardware.choose_device("cuda")
    assert caught.value.hint


def test_an_unknown_device_is_refused(machine: dict[str, set[str]]) -> None:
    with pytest.raises(InvalidValue) as caught:
        hardware.choose_device("tpu")
    assert caught.value.param == "device"


@pytest.mark.parametrize(
    ("device", "supported", "chosen"),
    [
        ("cpu", {"int8", "int8_float32", "float32"}, "int8"),
        ("cpu", {"float32"}, "float32"),
        ("cuda", {"float16", "int8_float16", "int8", "float32"}, "float16"),
        ("cuda", {"int8", "int8_float32", "float32"}, "int8"),
        ("cuda", {"float32"}, "float32"),
    ],
)
def test_the_default_is_what_the_device_does_best(
    machine: dict[str, set[str]], device: str, supported: set[str], chosen: str
) -> None:
    machine[device] = supported
    assert hardware.choose_compute_type("default", device) == chosen


def test_a_compute_type_that_cannot_be_names_those_that_can(machine: dict[str, set[str]]) -> None:
    with pytest.raises(InvalidValue, match="int8_float32"):
        hardware.choose_compute_type("float16", "cpu")
    assert hardware.choose_compute_type("float32", "cpu") == "float32"
    assert hardware.choose_compute_type("auto", "cpu") == "auto"


def make_cores(monkeypatch: pytest.MonkeyPatch, home: Path, siblings: list[str], quota: str) -> None:
    for cpu, text in enumerate(siblings):
        topology = home / f"cpu{cpu}" / "topology"
        topology.mkdir(parents=True)
        (topology / "thread_siblings_list").write_text(text + "\n")
    (home / "cpu.max").write_text(quota)
    monkeypatch.setattr(hardware, "_CPU_TOPOLOGY", home)
    monkeypatch.setattr(hardware, "_CPU_QUOTA", home / "cpu.max")
    monkeypatch.setattr(hardware, "_affinity", lambda: list(range(len(siblings))))


@pytest.mark.parametrize(
    ("siblings", "quota", "cores"),
    [
        (["0,4", "1,5", "2,6", "3,7"], "max 100000", 4),
        (["0-1", "0-1", "2-3", "2-3"], "max 100000", 2),
        (["0", "1", "2", "3"], "150000 100000", 2),
        (["0", "1"], "800000 100000", 2),
        (["0"], "10000 100000", 1),
        (["0", "1"], "nonsense", 2),
    ],
)
def test_physical_cores(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, siblings: list[str], quota: str, cores: int
) -> None:
    make_cores(monkeypatch, tmp_path, siblings, quota)
    assert hardware.physical_cores() == cores


def test_threads_are_shared_among_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "physical_cores", lambda: 8)
    assert hardware.choose_threads(0, 1) == 8
    assert hardware.choose_threads(0, 3) == 2
    assert hardware.choose_threads(0, 20) == 1
    assert hardware.choose_threads(5, 2) == 5
    for threads, workers in ((-1, 1), (0, 0)):
        with pytest.raises(InvalidValue):
            hardware.choose_threads(threads, workers)


def test_this_machine_has_a_core() -> None:
    assert hardware.physical_cores() >= 1


@pytest.fixture
def flags(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "cpuinfo"
    monkeypatch.setattr(hardware, "_CPU_INFO", path)
    monkeypatch.setenv("CT2_FORCE_CPU_ISA", "")  # so that it is as before when the test is over
    monkeypatch.delenv("CT2_FORCE_CPU_ISA")
    hardware._flags.cache_clear()
    yield path
    hardware._flags.cache_clear()


WIDE = "flags\t\t: fpu avx2 avx512f avx512cd avx512bw avx512dq avx512vl\n"


def test_wide_vectors_where_the_processor_has_all_of_them(flags: Path) -> None:
    flags.write_text("processor\t: 0\n" + WIDE)
    assert hardware.use_wide_vectors()
    assert os.environ["CT2_FORCE_CPU_ISA"] == "AVX512"


@pytest.mark.parametrize("info", [WIDE.replace(" avx512bw", ""), "Features\t: asimd\n", "", None])
def test_no_wide_vectors_elsewhere(flags: Path, info: str | None) -> None:
    if info is not None:
        flags.write_text(info)
    assert not hardware.use_wide_vectors()
    assert "CT2_FORCE_CPU_ISA" not in os.environ


def test_a_choice_in_the_environment_stands(flags: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags.write_text(WIDE)
    monkeypatch.setenv("CT2_FORCE_CPU_ISA", "AVX2")
    assert not hardware.use_wide_vectors()
    assert os.environ["CT2_FORCE_CPU_ISA"] == "AVX2"


class Library:
    """A C library that notes what it is told, or has nothing to tell."""

    def __init__(self, answer: int | None) -> None:
        self.told: list[tuple[int, int]] = []
        if answer is not None:
            self.mallopt = lambda setting, value: (self.told.append((setting, value)), answer)[1]


@pytest.mark.parametrize(("answer", "done"), [(1, True), (0, False)])
def test_large_blocks_are_kept(monkeypatch: pytest.MonkeyPatch, answer: int, done: bool) -> None:
    library = Library(answer)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    assert hardware.keep_large_blocks() is done
    assert dict(library.told) == {-1: 1 << 30, -3: 1 << 30, -8: 1}


def test_another_c_library_keeps_what_it_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: Library(None))
    assert not hardware.keep_large_blocks()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_a_large_block_that_was_freed_is_used_again_without_a_page_fault() -> None:
    code = """
import ctypes, resource
from talkie.engines.asr.whisper import hardware
assert hardware.keep_large_blocks()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
def use():
    block = libc.malloc(ctypes.c_size_t(64 << 20))
    ctypes.memset(block, 1, 64 << 20)
    libc.free(block)
use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True, text=True)
    assert int(done.stdout) < 100
