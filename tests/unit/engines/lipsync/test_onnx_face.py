"""Face networks made by hand, in the libraries that run them."""

from __future__ import annotations

import os
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper
from tests import face_models as models

from talkie.engines import openvino_runtime, registry
from talkie.engines.lipsync.choice import closeness_db
from talkie.engines.lipsync.network import cuts, fill
from talkie.engines.lipsync.onnx import MAX_NETWORK_BYTES, OnnxFace
from talkie.engines.lipsync.onnx_network import Call, providers
from talkie.engines.lipsync.signature import Signature, Tensor
from talkie.errors import BadAvatar, EngineFailed, EngineUnavailable, InvalidValue

Floats = NDArray[np.float32]
BACKENDS = ["onnxruntime", "openvino"]
RNG = np.random.default_rng(4)
VISUAL = RNG.random((5, 6, 320, 320), np.float32)
AUDIO = RNG.random((5, 32, 16, 16), np.float32)


@pytest.fixture(scope="module")
def thin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = models.write_networks(tmp_path_factory.mktemp("thin"))
    models.thin_face(directory / "face.onnx")
    return directory


@pytest.fixture(scope="module", params=BACKENDS)
def face(request: pytest.FixtureRequest, thin: Path) -> Iterator[OnnxFace]:
    opened = OnnxFace(thin, backend=request.param, max_batch=8)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def expected(thin: Path) -> Floats:
    """By NumPy: a sigmoid of weights and picture, and the mean of the features."""
    graph = onnx.load(thin / "face.onnx").graph
    weights = onnx.numpy_helper.to_array(graph.initializer[0])[:, :, 0, 0].astype(np.float64)
    logits = np.einsum("oc,bchw->bohw", weights, VISUAL) + AUDIO.mean(axis=(1, 2, 3))[:, None, None, None]
    return (1 / (1 + np.exp(-logits))).astype(np.float32)


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return models.write_networks(tmp_path / "pack")


def test_it_says_what_it_is(face: OnnxFace, thin: Path) -> None:
    info = face.info
    assert (info.name, info.engine, info.size, info.max_batch, info.device) == (thin.name, "face-onnx", 320, 8, "cpu")
    assert info.backend in BACKENDS
    assert info.compute_type in {"float32", "bfloat16"}
    assert info.backend_reason


def test_pictures_are_those_of_the_network(face: OnnxFace, expected: Floats) -> None:
    found = face.infer(VISUAL, AUDIO)
    if face.info.compute_type == "float32":
        np.testing.assert_allclose(found, expected, atol=1e-5)
    assert closeness_db(found, expected) > 50


def test_a_batch_is_its_frames(face: OnnxFace) -> None:
    together = face.infer(VISUAL, AUDIO)
    alone = [face.infer(VISUAL[n : n + 1], AUDIO[n : n + 1])[0] for n in range(len(VISUAL))]
    assert (together == np.stack(alone)).all()


def test_it_writes_where_it_is_told(face: OnnxFace) -> None:
    out = np.empty((2, 3, 320, 320), np.float32)
    assert face.infer(VISUAL[:2], AUDIO[:2], out) is out
    kept = out.copy()
    face.infer(VISUAL[3:], AUDIO[3:])
    assert (out == kept).all(), "a result is the caller's own"


def test_nothing_is_allocated_after_the_first_call(face: OnnxFace) -> None:
    out = np.empty((2, 3, 320, 320), np.float32)
    face.infer(VISUAL[:2], AUDIO[:2], out)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for _ in range(50):
            face.infer(VISUAL[:2], AUDIO[:2], out)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < 50_000, "a frame is 1.2 MB"
    assert after - before < 20_000


def test_features_are_the_encoders(face: OnnxFace) -> None:
    windows = RNG.uniform(-4, 4, (7, 16, 80)).astype(np.float32)
    expected = np.stack([models.feature_of(window) for window in windows])
    np.testing.assert_allclose(face.encode(windows), expected, atol=1e-5)
    assert face.encode(windows[:0]).shape == (0, 512)


def test_many_may_call(face: OnnxFace) -> None:
    """Features and pictures from four threads are what they are alone."""
    windows = RNG.uniform(-4, 4, (3, 16, 80)).astype(np.float32)
    feature, picture = face.encode(windows), face.infer(VISUAL, AUDIO)
    same: list[bool] = []

    def is_same() -> bool:
        return bool((face.encode(windows) == feature).all() and (face.infer(VISUAL, AUDIO) == picture).all())

    def work() -> None:
        same.extend(is_same() for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same == [True] * 20


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("batch", [1, 2])
def test_fixed_batches_are_filled_up(pack: Path, thin: Path, backend: str, batch: int, expected: Floats) -> None:
    models.thin_face(pack / "face.onnx", batch, ("audio", "visual"))  # names that mislead
    face = OnnxFace(pack, backend=backend, max_batch=5)
    assert face.info.max_batch == {1: 5, 2: 6}[batch]
    assert closeness_db(face.infer(VISUAL, AUDIO), expected) > 50
    face.close()


def test_half_precision_networks_are_fed_halves(pack: Path, expected: Floats) -> None:
    models.thin_face(pack / "face.onnx", half=True)
    face = OnnxFace(pack, backend="onnxruntime")
    found = face.infer(VISUAL[:1], AUDIO[:1])
    assert found.dtype == np.float32
    assert closeness_db(found, expected[:1]) > 50


def test_auto_takes_the_faster_arithmetic_only_where_it_gives_the_same_picture(thin: Path, pack: Path) -> None:
    if "BF16" not in openvino_runtime.capabilities():
        pytest.skip("this processor does not compute with bfloat16")
    tame = OnnxFace(thin)
    assert (tame.info.backend, tame.info.compute_type) == ("openvino", "bfloat16")
    nodes = [
        helper.make_node("Conv", ["input", "weights"], ["seen"]),
        helper.make_node("ReduceMean", ["audio"], ["heard"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Add", ["seen", "heard"], ["both"]),
        helper.make_node("Sigmoid", ["both"], ["output"]),
    ]
    weights = (
        np.random.default_rng(3).normal(0, 300, (3, 6, 1, 1)).astype(np.float32)
    )  # steep, and steep where it shows
    _write(pack / "face.onnx", nodes, {"weights": weights})
    found = OnnxFace(pack)
    assert (found.info.backend, found.info.compute_type) == ("openvino", "float32")
    assert "bf16" in found.info.backend_reason


def test_auto_goes_on_without_openvino_where_that_cannot(pack: Path) -> None:
    _write_only_onnxruntime_can(pack / "face.onnx")
    assert OnnxFace(pack).info.backend == "onnxruntime"
    with pytest.raises(EngineUnavailable, match="OpenVINO cannot run it"):
        OnnxFace(pack, backend="openvino")


@pytest.mark.parametrize("backend", ["cuda", "tensorrt"])
def test_a_gpu_that_is_asked_for_must_be_there(thin: Path, backend: str) -> None:
    if "CUDAExecutionProvider" in providers():
        pytest.skip("there is one")
    with pytest.raises(EngineUnavailable, match="ExecutionProvider") as raised:
        OnnxFace(thin, backend=backend)
    assert "onnxruntime-gpu" in raised.value.hint


def test_inputs_may_be_copied_to_a_device_first(thin: Path, expected: Floats) -> None:
    """As for a GPU, on a device that is everywhere."""
    session = onnxruntime.InferenceSession(thin / "face.onnx")
    tensors = [Tensor(name, size, np.float32) for name, size in (("input", (6, 320, 320)), ("audio", (32, 16, 16)))]
    signature = Signature(tuple(tensors), Tensor("output", (3, 320, 320), np.float32), None)
    call = Call(session, signature, 2, "cpu")
    for at in (0, 2):
        fill(call.inputs, [VISUAL, AUDIO], slice(at, at + 2))
        np.testing.assert_allclose(call.run(), expected[at : at + 2], atol=1e-5)


def test_unknown_backends_are_refused(thin: Path) -> None:
    with pytest.raises(InvalidValue):
        OnnxFace(thin, backend="abacus")


def test_the_registry_knows_it(thin: Path) -> None:
    assert registry.entry("face-onnx").kind == "face"
    assert registry.load("face-onnx") is OnnxFace


@pytest.mark.parametrize("name", ["face.onnx", "audio_encoder.onnx"])
@pytest.mark.parametrize("content", [b"", b"no network at all", b"\x08\x08", None])
def test_files_that_are_no_networks(pack: Path, name: str, content: bytes | None) -> None:
    if content is None:
        (pack / name).unlink()
    else:
        (pack / name).write_bytes(content)
    with pytest.raises(BadAvatar) as raised:
        OnnxFace(pack)
    assert raised.value.where == name


def test_a_file_that_is_cut_off(pack: Path) -> None:
    whole = (pack / "face.onnx").read_bytes()
    for length in (10, len(whole) // 2, len(whole) - 1):
        (pack / "face.onnx").write_bytes(whole[:length])
        with pytest.raises(BadAvatar):
            OnnxFace(pack)


def test_huge_files_are_not_opened(pack: Path) -> None:
    os.truncate(pack / "face.onnx", MAX_NETWORK_BYTES + 1)
    with pytest.raises(BadAvatar, match="larger"):
        OnnxFace(pack)


def test_swapped_files(pack: Path) -> None:
    with pytest.raises(BadAvatar) as raised:
        OnnxFace(pack, face=pack / "audio_encoder.onnx", encoder=pack / "face.onnx")
    assert raised.value.where == "face.onnx"


@pytest.mark.parametrize("hidden", [False, True])
def test_weights_in_other_files_are_refused(pack: Path, hidden: bool) -> None:
    """In plain sight, and as the value of a node; the other file is there, so that only its place speaks against it."""
    models.thin_face(pack / "face.onnx")
    model = onnx.load(pack / "face.onnx")
    weights = model.graph.initializer[0]
    (pack.parent / "weights.bin").write_bytes(weights.raw_data)
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="../weights.bin")
    if hidden:
        model.graph.node.insert(0, helper.make_node("Constant", [], ["weights"], value=weights))
        del model.graph.initializer[:]
    (pack / "face.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(BadAvatar) as raised:
        OnnxFace(pack)
    assert raised.value.where == "face.onnx"


def test_operations_that_nobody_knows(pack: Path) -> None:
    model = onnx.load(pack / "face.onnx")
    model.graph.node[-1].op_type = "CallHome"
    (pack / "face.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(BadAvatar, match="CallHome"):
        OnnxFace(pack)


def test_a_network_that_gives_no_numbers(pack: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["input", "weights"], ["seen"]),
        helper.make_node("ReduceSum", ["audio"], ["heard"], keepdims=1),
        helper.make_node("Sub", ["seen", "seen"], ["nothing"]),
        helper.make_node("Div", ["nothing", "nothing"], ["none"]),
        helper.make_node("Add", ["none", "heard"], ["output"]),
    ]
    _write(pack / "face.onnx", nodes, {"weights": np.ones((3, 6, 1, 1), np.float32)})
    with pytest.raises(BadAvatar, match="no numbers"):
        OnnxFace(pack)


def test_wrong_calls_are_errors_and_harm_nothing(face: OnnxFace) -> None:
    for visual, audio in [
        (VISUAL[:2], AUDIO[:1]),
        (VISUAL[:1, :3], AUDIO[:1]),
        (np.concatenate([VISUAL, VISUAL]), np.concatenate([AUDIO, AUDIO])),
    ]:
        with pytest.raises(EngineFailed):
            face.infer(visual, audio)
    with pytest.raises(EngineFailed):
        face.infer(VISUAL[:1], AUDIO[:1], np.empty((2, 3, 320, 320), np.float32))
    with pytest.raises(EngineFailed):
        face.encode(np.zeros((3, 80, 16), np.float32))
    assert face.infer(VISUAL[:1], AUDIO[:1]).shape == (1, 3, 320, 320)
    assert face.infer(VISUAL[:0], AUDIO[:0]).shape == (0, 3, 320, 320)


def test_closed_is_closed(thin: Path) -> None:
    face = OnnxFace(thin, backend="onnxruntime")
    face.close()
    face.close()
    with pytest.raises(EngineFailed, match="closed"):
        face.infer(VISUAL[:1], AUDIO[:1])


@pytest.mark.parametrize(
    ("items", "sizes", "calls"),
    [(5, (1,), [1] * 5), (5, (4,), [4, 4]), (5, (1, 2, 4, 8), [8]), (19, (1, 2, 4, 8), [8, 8, 4]), (0, (4,), [])],
)
def test_calls_hold_all_items(items: int, sizes: tuple[int, ...], calls: list[int]) -> None:
    made = list(cuts(items, sizes))
    assert [size for _, size in made] == calls
    assert [n for part, _ in made for n in range(part.start, part.stop)] == list(range(items))
    assert all(part.stop - part.start <= size for part, size in made)


def test_closeness_is_that_of_the_worst_frame() -> None:
    wanted = np.zeros((2, 3, 4, 4), np.float32)
    found = wanted.copy()
    assert closeness_db(found, wanted) == float("inf")
    found[1] = 0.1
    assert closeness_db(found, wanted) == pytest.approx(20)


def _write(path: Path, nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray | np.generic]) -> None:
    def tensor(name: str, *size: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *size])

    inputs = [tensor("input", 6, 320, 320), tensor("audio", 32, 16, 16)]
    models.save(path, nodes, constants, inputs, [tensor("output", 3, 320, 320)])


def _write_only_onnxruntime_can(path: Path) -> None:
    """A network with an operation of Microsoft's own, which OpenVINO has not."""
    models.thin_face(path)
    model = onnx.load(path)
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    inverse = helper.make_node("Inverse", ["turn"], ["back"], domain="com.microsoft")
    onto = helper.make_node("Slice", ["back", "from", "to", "axis"], ["corner"])
    last = helper.make_node("Mul", ["plain", "corner"], ["output"])
    model.graph.node[-1].output[0] = "plain"
    model.graph.node.extend([inverse, onto, last])
    add = [("turn", np.eye(2, dtype=np.float32)[None, None]), ("from", np.array([0, 0]))]
    add += [("to", np.array([1, 1])), ("axis", np.array([2, 3]))]
    model.graph.initializer.extend(onnx.numpy_helper.from_array(value, name) for name, value in add)
    path.write_bytes(model.SerializeToString())
