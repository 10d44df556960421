from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

import pytest

from talkie.cli import doctor, machine, main
from talkie.cli.doctor import examine
from talkie.cli.machine import Graphics
from talkie.compose import service_config
from talkie.engines import openvino_runtime
from talkie.engines.asr.whisper import hardware
from talkie.engines.asr.whisper.choice import Choice, remember
from talkie.engines.asr.whisper.model_files import check
from talkie.errors import EngineUnavailable
from talkie.models.store import ModelStore
from talkie.runtime.kept import kept_in
from talkie.settings import Settings, load_settings
from whisper_models import TRAINED


def settings(home: Path, **flags: Any) -> Settings:
    return load_settings({"home": home, "port": 1, **flags})[0]  # nobody listens on port 1


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Any:
    def install(**values: Any) -> None:
        given = {"driver": True, "devices": 1, "compute_types": ("float16",), "missing": (), **values}
        monkeypatch.setattr(machine, "graphics", lambda: Graphics(**given))

    return install


def advice(home: Path, **flags: Any) -> str:
    return "\n".join(f"{item.what} {item.hint}" for item in examine(settings(home, **flags)).advice)


def test_a_fresh_installation_is_well_and_told_how_to_hear_better(tmp_path: Path) -> None:
    report = examine(settings(tmp_path / "new"))
    assert report.ok, report.advice
    assert list(report.facts) == ["software", "processor", "kernels", "graphics", "audio", "engines", "store", "server"]
    assert report.facts["engines"]["whisper"] == "recognizer, present"
    assert report.facts["store"]["models"] == "sphinx-en (built-in)"
    assert report.facts["server"]["state"] == "not running"
    assert any("talkie pull whisper-base" in item.hint for item in report.advice)
    assert not (tmp_path / "new").exists()  # it looks and changes nothing


def test_damaged_models_and_unfinished_pulls(tmp_path: Path) -> None:
    (tmp_path / "models" / "whisper-tiny").mkdir(parents=True)
    (tmp_path / "tmp" / "pull" / "whisper-base").mkdir(parents=True)
    (tmp_path / "tmp" / "pull" / "whisper-base" / "model.bin").write_bytes(b"half")
    report = examine(settings(tmp_path))
    told = {item.what: item for item in report.advice}
    assert not report.ok and told["The model whisper-tiny is damaged."].broken
    assert not told["The pull of whisper-base is not finished."].broken


def test_an_engine_that_lacks_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("talkie.engines.registry.missing", lambda name: ("pocketsphinx",) if name == "sphinx" else ())
    report = examine(settings(tmp_path))
    assert not report.ok and report.facts["engines"]["sphinx"] == "recognizer, missing pocketsphinx"
    assert "pip install pocketsphinx" in advice(tmp_path)


def test_openvino_that_is_missing_or_does_not_work_is_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "OPENVINO_MACHINES", (platform.machine(),))
    monkeypatch.setattr(openvino_runtime, "available", lambda: False)
    report = examine(settings(tmp_path))
    assert report.ok and report.facts["kernels"]["openvino"] == "not installed"
    assert "pip install openvino" in advice(tmp_path)

    def fail() -> None:
        raise EngineUnavailable("openvino", "libtbb.so.12 is missing")

    monkeypatch.setattr(openvino_runtime, "available", lambda: True)
    monkeypatch.setattr(openvino_runtime, "core", fail)
    assert "libtbb.so.12 is missing" in examine(settings(tmp_path)).facts["kernels"]["openvino"]
    monkeypatch.setattr(doctor, "OPENVINO_MACHINES", ())
    assert "pip install openvino" not in advice(tmp_path)


def test_what_computes_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "has_wide_vectors", lambda: True)
    monkeypatch.setattr(hardware, "can_keep_large_blocks", lambda: False)
    monkeypatch.setattr(openvino_runtime, "available", lambda: True)
    monkeypatch.setattr(openvino_runtime, "version", lambda: "2026.4.1-22982-abc")
    monkeypatch.setattr(openvino_runtime, "capabilities", lambda: ("BF16", "FP32"))
    assert examine(settings(tmp_path)).facts["kernels"] == {
        "openvino": "2026.4.1: BF16 FP32",
        "ctranslate2": "vectors: AVX-512",
        "allocator": "the system's, as it is",
    }


def test_what_runs_each_model_and_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "physical_cores", lambda: 2)
    monkeypatch.setattr(openvino_runtime, "available", lambda: False)
    model = ModelStore(tmp_path).import_(TRAINED, name="mine")
    assert examine(settings(tmp_path, device="cpu")).facts["models"] == {
        "mine": "ctranslate2 int8, 2 workers x 1 thread: OpenVINO is not installed."
    }
    place = kept_in(model, service_config(settings(tmp_path)))
    chosen = Choice("ctranslate2", "float32", "measured: fast", 2, 1, 4, "AVX2", "2026-01-02T03:04:05+00:00", "tune")
    remember(place, check(model.path), "default on cpu", chosen)
    assert examine(settings(tmp_path, device="cpu")).facts["models"]["mine"] == (
        "ctranslate2 float32, 1 worker x 2 threads, batches of 4, AVX2: measured: fast (tune, 2026-01-02)"
    )
    report = examine(settings(tmp_path, device="cpu", compute_type="int3"))
    assert not report.ok and "int3" in report.facts["models"]["mine"]


def test_graphics_cards(tmp_path: Path, card: Any) -> None:
    card(devices=0, compute_types=())
    assert "nvidia-smi" in advice(tmp_path)
    assert not examine(settings(tmp_path, device="cuda")).ok
    card(missing=("libcublas.so.12",))
    assert "pip install nvidia-cublas-cu12" in advice(tmp_path)
    assert examine(settings(tmp_path)).ok and not examine(settings(tmp_path, device="cuda")).ok
    card()
    assert "graphics" not in advice(tmp_path) and examine(settings(tmp_path, device="cuda")).ok


def test_a_look_that_fails_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError("no such thing")

    monkeypatch.setattr(machine, "processor", fail)
    report = examine(settings(tmp_path))
    assert not report.ok and "processor: OSError: no such thing" in [item.what for item in report.advice]
    assert "store" in report.facts


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALKIE_PORT", "1")
    with pytest.raises(SystemExit) as ended:
        main.run(["doctor", "--home", str(tmp_path)])
    told = capsys.readouterr().out
    assert ended.value.code == 0 and told.startswith("software\n") and told.endswith("Nothing is broken.\n")
    (tmp_path / "models" / "whisper-tiny").mkdir(parents=True)
    with pytest.raises(SystemExit) as ended:
        main.run(["doctor", "--json", "--home", str(tmp_path)])
    body = json.loads(capsys.readouterr().out)
    assert ended.value.code == 1 and body["ok"] is False and body["store"]["home"] == str(tmp_path)


def test_packages_that_are_missing() -> None:
    assert doctor._version("numpy")[0].isdigit() and doctor._version("no-such-package-at-all") == "missing"
