"""Reading of an ONNX file's own words, and one more output put at its end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnx_voices import FLOAT, field, kokoro_graph, piper_graph, tensor
from talkie.engines.tts.onnx_graph import GraphFacts, read_graph, with_output


def test_inputs_outputs_and_hidden_lengths(tmp_path: Path) -> None:
    path = tmp_path / "voice.onnx"
    path.write_bytes(piper_graph(speakers=2))
    assert read_graph(path) == GraphFacts(("input", "input_lengths", "scales", "sid"), ("output",), ("w_ceil",), False)
    path.write_bytes(kokoro_graph(tokens="input_ids"))
    assert read_graph(path) == GraphFacts(("input_ids", "style", "speed"), ("audio", "duration"), (), False)


def test_an_output_put_at_the_end_is_one_to_onnx_runtime(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    data = with_output(piper_graph(), "w_ceil")
    path = tmp_path / "voice.onnx"
    path.write_bytes(data)
    assert read_graph(path).outputs == ("output", "w_ceil")
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    ids = np.array([[1, 20, 30, 2]], np.int64)
    scales = np.array([0.667, 1.5, 0.8], np.float32)
    fed = {"input": ids, "input_lengths": np.array([4]), "scales": scales}
    audio, lengths = session.run(None, fed)
    assert lengths.shape == (1, 1, 4)
    assert audio.shape == (1, 1, 1, int(lengths.sum()) * 256)


def test_weights_in_other_files_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "voice.onnx"
    away = tensor("w", [1.0], FLOAT) + field(14, 1)
    path.write_bytes(kokoro_graph() + field(7, field(5, away)))
    assert read_graph(path).elsewhere


def test_what_is_no_model_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "voice.onnx"
    for content in (b"\0", b"\xff" * 30, b"not a model at all", kokoro_graph()[:-5], field(1, 8)):
        path.write_bytes(content)
        with pytest.raises(ValueError):
            read_graph(path)


@given(st.binary(min_size=1, max_size=200))
def test_any_bytes_are_facts_or_an_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.onnx"
    path.write_bytes(content)
    try:
        read_graph(path)
    except ValueError:
        return
