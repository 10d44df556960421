"""The network of the bench has the shape of the public family's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from talkie.bench import face_network, face_weights
from talkie.bench.face_network import Conv, convolutions, encoder


def test_it_has_the_parameters_of_the_real_one() -> None:
    convs = convolutions()
    assert sum(conv.parameters for conv in convs) == face_network.PARAMETERS == 12_186_935
    assert len({conv.name for conv in convs}) == len(convs)


def test_the_encoders_graph_computes_what_numpy_does(tmp_path: Path) -> None:
    weights = face_weights.encoder_weights(seed=3)
    path = face_network.write_encoder(tmp_path, seed=3)
    mel = np.random.default_rng(1).uniform(-4, 4, (1, 1, 80, 16)).astype(np.float32)
    found = onnxruntime.InferenceSession(path).run(None, {"mel": mel})[0]
    expected = encoder(face_weights.Drawing(weights=weights), mel).reshape(1, 512)
    assert found.shape == (1, 512)
    assert expected.std() > 0.1
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("size", [3, 10])
def test_pictures_are_doubled_corner_on_corner(size: int) -> None:
    x = np.random.default_rng(2).normal(0, 1, (2, 1, size, size)).astype(np.float32)
    y = face_weights.Drawing(weights={}).double(x)
    assert y.shape == (2, 1, 2 * size, 2 * size)
    np.testing.assert_array_equal(y[..., :: 2 * size - 1, :: 2 * size - 1], x[..., :: size - 1, :: size - 1])
    ramp = np.arange(size, dtype=np.float32)[None, None, None].repeat(size, 2)
    np.testing.assert_allclose(
        face_weights.Drawing(weights={}).double(ramp)[0, 0, 0], np.linspace(0, size - 1, 2 * size), atol=1e-5
    )


@pytest.mark.parametrize(
    "conv",
    [
        Conv("plain", 3, 4, 3, (2, 2), 3),
        Conv("alone", 6, 6, 3, (2, 2), 1, groups=6),
        Conv("point", 3, 5),
        Conv("uneven", 2, 4, 3, (3, 1), 1),
    ],
    ids=lambda conv: conv.name,
)
def test_convolutions_are_those_of_onnx(conv: Conv, tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    weight = rng.normal(0, 1, conv.shape).astype(np.float32)
    bias = rng.normal(0, 1, conv.outputs).astype(np.float32)
    x = rng.normal(0, 1, (conv.inputs, 2, 16, 16)).astype(np.float32)
    expected = face_weights.Drawing(weights={conv.name: (weight, bias)}).conv(x, conv)
    path = face_network.write_graph(
        tmp_path / "conv.onnx",
        {conv.name: (weight, bias)},
        lambda ops: ops.conv("x", conv),
        {"x": x.swapaxes(0, 1).shape[1:]},
        (expected.shape[0], *expected.shape[2:]),
    )
    found = onnxruntime.InferenceSession(path).run(None, {"x": x.swapaxes(0, 1)})[0]
    np.testing.assert_allclose(found.swapaxes(0, 1), expected, atol=1e-4)


def test_the_graph_has_the_shapes_of_the_contract(tmp_path: Path) -> None:
    """With weights that are all zero, for shapes do not depend on them and drawing takes seconds."""
    weights = {
        conv.name: (np.zeros(conv.shape, np.float32), np.zeros(conv.outputs, np.float32)) for conv in convolutions()
    }
    path = face_network.write_face_graph(tmp_path / "face.onnx", weights)
    inferred = onnx.shape_inference.infer_shapes(onnx.load(path), strict_mode=True, data_prop=True)
    sizes = {
        value.name: [one.dim_value or one.dim_param for one in value.type.tensor_type.shape.dim]
        for value in [*inferred.graph.input, *inferred.graph.output]
    }
    assert sizes == {
        "input": ["batch", 6, 320, 320],
        "audio": ["batch", 32, 16, 16],
        "output": ["batch", 3, 320, 320],
    }
    kept = sum(int(np.prod(one.dims)) for one in inferred.graph.initializer if one.name != "twice")
    assert 4 * kept / 2**20 == pytest.approx(46.4, abs=0.1)
