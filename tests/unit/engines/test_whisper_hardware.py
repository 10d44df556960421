"""Devices, compute types and threads, on machines that are made up."""

from __future__ import annotations

from pathlib import Path

import ctranslate2
import pytest

from talkie.engines.asr.whisper import hardware
from talkie.errors import EngineUnavailable, InvalidValue


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """A machine with a device for each key: what its devices can compute with."""
    devices = {"cpu": {"int8", "int8_float32", "float32"}}
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
