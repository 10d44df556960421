"""OpenVINO loaded lightly: the same library as by a plain import; compiled forms are made again when damaged."""

from __future__ import annotations

import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from talkie.engines import openvino_runtime
from talkie.engines.openvino_runtime import GraphOptions
from talkie.engines.vad.silero import model_path
from talkie.errors import EngineFailed, EngineUnavailable

pytestmark = pytest.mark.skipif(not openvino_runtime.available(), reason="OpenVINO has no wheel for this machine")

RUN = """
import numpy as np
def run(openvino, make=False):
    if make:
        x = openvino.opset15.parameter([-1, 4], np.float32)
        model = openvino.Model([openvino.opset15.relu(x)], [x], "relu")
        compiled = openvino.Core().compile_model(model, "CPU")
        assert compiled(np.full((2, 4), -1, np.float32))[0].max() == 0
    assert openvino.Tensor(np.ones((2, 3), np.float32)).shape == openvino.Shape([2, 3])
    return openvino.Core().available_devices
"""
LIGHT = "from talkie.engines import openvino_runtime; light = openvino_runtime.load(); assert 'CPU' in run(light);"
PLAIN = "import openvino; assert 'CPU' in run(openvino, make=True); from openvino import properties, passes, opset15;"


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", RUN + code], capture_output=True, check=True, text=True, timeout=60)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("code", [LIGHT + PLAIN, PLAIN + LIGHT])
def test_a_plain_import_before_or_after_is_the_same_library(code: str) -> None:
    same = "assert light.Core is openvino.Core and light.Tensor is openvino.Tensor; assert light.CompiledModel"
    assert python(code + same) == ""


def test_a_graph_of_a_plain_import_runs_on_the_light_one() -> None:
    code = """
from talkie.engines import openvino_runtime
openvino_runtime.core()
import openvino
x = openvino.opset15.parameter([-1, 4], np.float32)
compiled = openvino_runtime.compile_model(openvino.Model([openvino.opset15.relu(x)], [x], "relu"))
print(compiled.create_infer_request().infer([np.array([[-1, 0, 1, 2]], np.float32)])[0].tolist())
"""
    assert python(code) == "[[0.0, 0.0, 1.0, 2.0]]\n"


def test_the_light_one_brings_no_converter() -> None:
    code = (
        "import sys; from talkie.engines import openvino_runtime as o; o.available(); print('openvino' in sys.modules);"
    )
    code += (
        "o.core(); print(sorted(name for name in sys.modules if name.startswith(('openvino.tools', 'openvino.opset'))))"
    )
    assert python(code) == "False\n[]\n"


def test_where_it_is_missing_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino_runtime, "PACKAGE", "a_package_that_is_not_there")
    assert not openvino_runtime.available()
    with pytest.raises(EngineUnavailable) as caught:
        openvino_runtime._load_running_parts()
    assert "pip install openvino" in caught.value.hint


def test_threads_share_one_core() -> None:
    with ThreadPoolExecutor(4) as pool:
        assert len({id(module) for module in pool.map(lambda _: openvino_runtime.load(), range(8))}) == 1


def test_a_version() -> None:
    assert int(openvino_runtime.version().split(".")[0]) >= 2026


@pytest.mark.parametrize("content", [b"", b"not a graph", b"<net></net>"])
def test_a_file_that_is_no_graph_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "graph.xml"
    path.write_bytes(content)
    with pytest.raises(EngineFailed):
        openvino_runtime.compile_model(path, cache_dir=tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["graph.xml"]


def heard(compiled: Any) -> npt.NDArray[np.float32]:
    state = np.zeros((1, 1, 128), np.float32)
    windows = np.random.default_rng(0).normal(0, 0.1, (6, 576)).astype(np.float32)
    return np.array(compiled.create_infer_request().infer({"input": windows, "h": state, "c": state})[0])


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The graphs that were compiled, and not opened."""
    made: list[Path] = []
    core = openvino_runtime.core()

    class Counting:
        def compile_model(self, source: Any, *rest: Any) -> Any:
            made.append(source)
            return core.compile_model(source, *rest)

        def __getattr__(self, name: str) -> Any:
            return getattr(core, name)

    monkeypatch.setattr(openvino_runtime, "core", Counting)
    return made


def test_the_compiled_form_is_kept_and_opened(tmp_path: Path, counted: list[Path]) -> None:
    first = heard(openvino_runtime.compile_model(model_path(), cache_dir=tmp_path))
    second = heard(openvino_runtime.compile_model(model_path(), cache_dir=tmp_path))
    assert len(counted) == 1
    np.testing.assert_array_equal(first, second)


def test_other_options_and_other_files_are_compiled_anew(tmp_path: Path, counted: list[Path]) -> None:
    copy = tmp_path / model_path().name
    copy.write_bytes(model_path().read_bytes())
    for source, options in (
        (model_path(), GraphOptions()),
        (model_path(), GraphOptions(streams=2)),
        (copy, GraphOptions()),
    ):
        openvino_runtime.compile_graph(source, options, tmp_path / "compiled")
    assert len(counted) == 3


def test_a_damaged_form_is_made_again(tmp_path: Path, counted: list[Path]) -> None:
    wanted = heard(openvino_runtime.compile_model(model_path(), cache_dir=tmp_path))
    (form,) = tmp_path.iterdir()
    good = form.read_bytes()
    damaged = bytearray(good)
    damaged[len(good) // 2 : len(good) // 2 + 4096] = bytes(4096)
    for content in (b"", good[:1000], good[:-1], bytes(damaged)):
        form.write_bytes(content)
        np.testing.assert_array_equal(heard(openvino_runtime.compile_model(model_path(), cache_dir=tmp_path)), wanted)
        assert len(form.read_bytes()) == len(good)
    assert len(counted) == 5


def test_a_form_that_this_openvino_cannot_open_is_made_again(
    tmp_path: Path, counted: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    options = GraphOptions()
    openvino_runtime._kept(model_path(), options, tmp_path).write(b"<a form of another version>")
    assert heard(openvino_runtime.compile_graph(model_path(), options, tmp_path)).shape == (6,)
    assert len(counted) == 1
    assert "made again" in caplog.text
