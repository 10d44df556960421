from __future__ import annotations

from pathlib import Path

import pytest

from talkie.cli import machine

X86 = "processor\t: 0\nmodel name\t: Fast One\nflags\t\t: fpu avx avx2 avx512f amx_int8\n\nmodel name: Other\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd sve\n\nprocessor\t: 1\n"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, file in (("CPUINFO", "cpuinfo"), ("MEMINFO", "meminfo"), ("NVIDIA_DRIVER", "driver")):
        monkeypatch.setattr(machine, name, tmp_path / file)
    monkeypatch.setattr(machine, "MEMORY_LIMITS", (tmp_path / "max", tmp_path / "limit"))
    return tmp_path


def test_a_processor_by_its_files(files: Path) -> None:
    (files / "cpuinfo").write_text(X86)
    (files / "meminfo").write_text("MemTotal:       1000 kB\nMemFree: 3 kB\n")
    (files / "max").write_text("512000\n")
    found = machine.processor()
    assert (found.name, found.flags) == ("Fast One", ("avx", "avx2", "avx512f", "amx_int8"))
    assert (found.memory_bytes, found.memory_limit_bytes) == (1_024_000, 512_000)
    assert 1 <= found.usable <= found.count and "float32" in found.compute_types


def test_other_machines_and_none_of_the_files(files: Path) -> None:
    (files / "cpuinfo").write_text(ARM)
    assert machine.processor().flags == ("asimd", "sve")
    (files / "cpuinfo").unlink()
    found = machine.processor()
    assert found.name and (found.flags, found.memory_bytes, found.memory_limit_bytes) == ((), 0, 0)


@pytest.mark.parametrize("text", ["max\n", "", "9223372036854771712", "0"])
def test_limits_that_are_none(text: str, files: Path) -> None:
    (files / "meminfo").write_text("MemTotal: 1000 kB")
    (files / "max").write_text(text)
    assert machine.processor().memory_limit_bytes == 0


def test_a_driver_whose_libraries_are_missing(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (files / "driver").write_text("NVRM version")
    monkeypatch.setattr(machine, "CUDA_LIBRARIES", {"libnot-there.so.12": "a-package"})
    found = machine.graphics()
    assert found.driver and found.missing == ("libnot-there.so.12",)
