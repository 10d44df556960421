from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from face_models import thin_face
from talkie.models.onnx_header import OnnxHeader, Port, read_onnx_header


def save(model: onnx.ModelProto, path: Path) -> OnnxHeader:
    path.write_bytes(model.SerializeToString())
    return read_onnx_header(path)


def model(nodes: list[onnx.NodeProto], weights: list[onnx.TensorProto], *, listed: bool = False) -> onnx.ModelProto:
    """x plus a weight; `listed`: the weight stands among the inputs too, as old exporters have it."""
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4, None])]
    inputs += [helper.make_tensor_value_info("w", TensorProto.FLOAT, [4])] if listed else []
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT16, [1, 4])]
    return helper.make_model(helper.make_graph(nodes, "g", inputs, outputs, weights))


def weight(name: str = "w") -> onnx.TensorProto:
    return numpy_helper.from_array(np.ones(4, np.float32), name)


ADD = helper.make_node("Add", ["x", "w"], ["y"])


def test_inputs_and_outputs_are_read(tmp_path: Path) -> None:
    header = save(model([ADD], [weight()], listed=True), tmp_path / "a.onnx")
    assert header.inputs == [Port("x", "float32", (None, 4, None))] and header.outputs == [Port("y", "float16", (1, 4))]
    assert (header.nodes, header.external, header.domains) == (1, False, set())
    assert str(header.inputs[0]) == "float32 (?, 4, ?)"


def test_a_real_export_is_read(tmp_path: Path) -> None:
    header = read_onnx_header(thin_face(tmp_path / "f.onnx", 2, ("visual_input", "audio_input")))
    assert {(port.name, port.shape) for port in header.inputs} == {
        ("visual_input", (2, 6, 320, 320)),
        ("audio_input", (2, 32, 16, 16)),
    }


@pytest.mark.parametrize("place", ["weight", "attribute", "branch", "function"])
def test_weights_elsewhere_are_noticed_wherever_they_stand(tmp_path: Path, place: str) -> None:
    far = weight("far")
    far.ClearField("raw_data")
    far.data_location = TensorProto.EXTERNAL
    far.external_data.add(key="location", value="../../secret")
    constant = helper.make_node("Constant", [], ["c"], value=far)
    branch = helper.make_graph([constant], "b", [], [helper.make_tensor_value_info("c", TensorProto.FLOAT, [4])])
    choose = helper.make_node("If", ["x"], ["c"], then_branch=branch, else_branch=branch)
    nodes = {"attribute": [ADD, constant], "branch": [ADD, choose]}.get(place, [ADD])
    made = model(nodes, [weight(), far] if place == "weight" else [weight()])
    if place == "function":
        made.functions.append(helper.make_function("own", "F", [], ["c"], [constant], [helper.make_opsetid("", 17)]))
    assert save(made, tmp_path / "a.onnx").external


def test_operations_of_others_are_noticed(tmp_path: Path) -> None:
    strange = helper.make_node("Run", ["x"], ["z"], domain="com.example")
    plain = helper.make_node("Relu", ["x"], ["r"], domain="ai.onnx")
    assert save(model([ADD, strange, plain], [weight()]), tmp_path / "a.onnx").domains == {"com.example"}


def test_a_graph_in_a_graph_has_an_end(tmp_path: Path) -> None:
    graph = helper.make_graph([ADD], "0", [], [])
    for depth in range(12):
        graph = helper.make_graph([helper.make_node("If", ["x"], ["c"], then_branch=graph)], str(depth), [], [])
    with pytest.raises(ValueError, match="no ONNX model"):
        save(helper.make_model(graph), tmp_path / "a.onnx")


@settings(max_examples=150)
@given(st.data())
def test_damage_is_one_error_and_nothing_else(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    whole = bytearray(model([ADD], [weight()], listed=True).SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.onnx"
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        read_onnx_header(path)
    except ValueError as error:
        assert "cut off" in str(error)


def test_no_model_at_all(tmp_path: Path) -> None:
    for number, bad in enumerate((b"", b"hello", b"\x00" * 100, b"\xff" * 100, b"\x08" * 99)):
        (tmp_path / f"{number}.onnx").write_bytes(bad)
        with pytest.raises(ValueError, match="cut off, or is no ONNX model"):
            read_onnx_header(tmp_path / f"{number}.onnx")
