"""The network of the public lip-sync family in its true shape, with seeded weights: what `talkie bench face` measures.

A U-Net of inverted residuals that takes a face twice (whole, and with its lower half black) and sixteen features of
sound. It has 12,186,935 parameters before batch norms are folded into convolutions, as an exporter folds them. Nobody
trained it: its pictures mean nothing, but its arithmetic is that of a real pack, and its numbers are spread as after
real batch norms (`face_weights`). Knows nothing of engines. `onnx` is imported only to write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

SIZE = 320
VISUAL, AUDIO, PICTURE = (6, SIZE, SIZE), (32, 16, 16), (3, SIZE, SIZE)
WINDOW, FEATURE = (1, 80, 16), 512
PARAMETERS = 12_186_935
_WIDTHS = (32, 32, 64, 128, 256, 512)
"""Channels at 320, 160, 80, 40, 20 and 10 points."""
_UP_WIDTHS = (128, 64, 32, 32, 16)
_OPSET, _IR_VERSION = 17, 9

T = TypeVar("T")
Floats = NDArray[np.float32]
Weights = dict[str, tuple[Floats, Floats]]
"""Weight and bias of each convolution by its name."""


@dataclass(frozen=True, slots=True)
class Conv:
    """One convolution. `norm`: a batch norm follows it; `bias`: it has one of its own before that."""

    name: str
    inputs: int
    outputs: int
    kernel: int = 1
    stride: tuple[int, int] = (1, 1)
    pad: int = 0
    groups: int = 1
    norm: bool = True
    bias: bool = False
    relu: bool = False

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return self.outputs, self.inputs // self.groups, self.kernel, self.kernel

    @property
    def parameters(self) -> int:
        return int(np.prod(self.shape)) + self.outputs * (2 * self.norm + self.bias)


class Ops(Protocol[T]):
    """What a network is made of; `T` stands for numbers, or for the name of a result in a graph."""

    def conv(self, x: T, conv: Conv) -> T: ...

    def add(self, x: T, y: T) -> T: ...

    def join(self, x: T, y: T) -> T: ...

    def double(self, x: T) -> T:
        """Twice as high and wide, bilinear, corners on corners."""
        ...


def face(ops: Ops[T], visual: T, audio: T) -> T:
    """The logits of a picture: `(B, 6, 320, 320)` and `(B, 32, 16, 16)` to `(B, 3, 320, 320)`."""
    seen = [_block(ops, visual, "in", VISUAL[0], _WIDTHS[0])]
    for level in range(1, len(_WIDTHS)):
        seen.append(_pair(ops, seen[-1], f"down{level}", _WIDTHS[level - 1], _WIDTHS[level], stride=2))
    x = ops.join(seen.pop(), _heard(ops, audio))
    x = _pair(ops, x, "fuse1", 1024, 512)
    x = _pair(ops, x, "fuse2", 512, 256)
    width = 256
    for level, narrower in enumerate(_UP_WIDTHS, 1):
        x = ops.join(ops.double(x), seen.pop())
        x = _pair(ops, x, f"up{level}", width + _WIDTHS[len(_WIDTHS) - 1 - level], narrower)
        width = narrower
    return ops.conv(x, Conv("out", width, 3, norm=False, bias=True))


def encoder(ops: Ops[T], mel: T) -> T:
    """A feature of a mel window, `(B, 1, 80, 16)` to `(B, 512, 1, 1)`: the stack of the public family."""
    stages = (
        (1, 32, (1, 1), 1),
        (32, 64, (3, 1), 1),
        (64, 128, (3, 3), 1),
        (128, 256, (3, 2), 1),
        (256, 512, (1, 1), 0),
    )
    for number, (inputs, outputs, stride, pad) in enumerate(stages):
        mel = ops.conv(mel, _plain(f"stage{number}", inputs, outputs, stride, pad))
        for more in range(2 if number < 3 else 1 if number == 3 else 0):
            mel = ops.add(mel, ops.conv(mel, _plain(f"stage{number}_{more}", outputs, outputs, (1, 1), 1)))
    return ops.conv(mel, Conv("last", 512, 512, relu=True, bias=True))


def _heard(ops: Ops[T], audio: T) -> T:
    x = _block(ops, audio, "audio1", 32, 64)
    x = _block(ops, x, "audio2", 64, 128)
    x = ops.conv(x, _plain("audio3", 128, 256, (1, 1), 1))
    x = _block(ops, x, "audio4", 256, 256)
    x = ops.conv(x, _plain("audio5", 256, 512, (2, 2), 3))
    x = _block(ops, x, "audio6", 512, 512)
    return _block(ops, x, "audio7", 512, 512)


def _plain(name: str, inputs: int, outputs: int, stride: tuple[int, int], pad: int) -> Conv:
    return Conv(name, inputs, outputs, 3, stride, pad, bias=True, relu=True)


def _pair(ops: Ops[T], x: T, name: str, inputs: int, outputs: int, stride: int = 1) -> T:
    x = _block(ops, x, f"{name}a", inputs, outputs, stride, residual=False)
    return _block(ops, x, f"{name}b", outputs, outputs)


def _block(
    ops: Ops[T], x: T, name: str, inputs: int, outputs: int, stride: int = 1, *, residual: bool | None = None
) -> T:
    """An inverted residual: wider by two, each channel by itself, narrow again."""
    wide = 2 * inputs
    y = ops.conv(x, Conv(f"{name}_wide", inputs, wide, relu=True))
    y = ops.conv(y, Conv(f"{name}_deep", wide, wide, 3, (stride, stride), 1, groups=wide, relu=True))
    y = ops.conv(y, Conv(f"{name}_narrow", wide, outputs))
    is_residual = inputs == outputs if residual is None else residual
    return ops.add(x, y) if is_residual else y


class _Census:
    """Counts parameters."""

    def __init__(self) -> None:
        self.convs: list[Conv] = []

    def conv(self, x: None, conv: Conv) -> None:
        self.convs.append(conv)

    def add(self, x: None, y: None) -> None: ...

    def join(self, x: None, y: None) -> None: ...

    def double(self, x: None) -> None: ...


def convolutions() -> list[Conv]:
    """Those of the face network, in order."""
    census = _Census()
    face(census, None, None)
    return census.convs


def write(directory: Path, *, seed: int = 0, batch: int | None = None) -> Path:
    """`face.onnx` and `audio_encoder.onnx`, as a pack has them; `batch` None: any. Takes some seconds."""
    from talkie.bench.face_weights import face_weights

    directory.mkdir(parents=True, exist_ok=True)
    write_face_graph(directory / "face.onnx", face_weights(seed), batch)
    write_encoder(directory, seed=seed)
    return directory


def write_encoder(directory: Path, *, seed: int = 0) -> Path:
    from talkie.bench.face_weights import encoder_weights

    path = directory / "audio_encoder.onnx"
    return write_graph(path, encoder_weights(seed), _feature, {"mel": WINDOW}, (FEATURE,), 1)


def write_face_graph(path: Path, weights: Weights, batch: int | None = None) -> Path:
    return write_graph(path, weights, _picture, {"input": VISUAL, "audio": AUDIO}, PICTURE, batch)


def write_graph(
    path: Path,
    weights: Weights,
    make: Callable[[_Graph], str],
    inputs: dict[str, tuple[int, ...]],
    output: tuple[int, ...],
    batch: int | None = None,
) -> Path:
    """Any network of these parts. `make` gives the name of its last result."""
    graph = _Graph(weights)
    graph.node("Identity", [make(graph)], "output")
    return graph.save(path, inputs, {"output": output}, batch)


def _picture(graph: _Graph) -> str:
    return graph.node("Sigmoid", [face(graph, "input", "audio")])


def _feature(graph: _Graph) -> str:
    return graph.node("Flatten", [encoder(graph, "mel")])


class _Graph:
    """`Ops` on names, which writes them down."""

    def __init__(self, weights: Weights) -> None:
        from onnx import helper, numpy_helper

        self._helper, self._numpy = helper, numpy_helper
        self._weights = weights
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}

    def node(self, kind: str, inputs: Sequence[str], output: str = "", **attributes: Any) -> str:
        output = output or f"{kind.lower()}{len(self._nodes)}"
        self._nodes.append(self._helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def conv(self, x: str, conv: Conv) -> str:
        names = [f"{conv.name}.weight", f"{conv.name}.bias"]
        for name, values in zip(names, self._weights[conv.name], strict=True):
            self._constants[name] = self._numpy.from_array(values, name)
        y = self.node(
            "Conv",
            [x, *names],
            kernel_shape=[conv.kernel] * 2,
            strides=list(conv.stride),
            pads=[conv.pad] * 4,
            group=conv.groups,
        )
        return self.node("Relu", [y]) if conv.relu else y

    def add(self, x: str, y: str) -> str:
        return self.node("Add", [x, y])

    def join(self, x: str, y: str) -> str:
        return self.node("Concat", [x, y], axis=1)

    def double(self, x: str) -> str:
        self._constants["twice"] = self._numpy.from_array(np.array([1, 1, 2, 2], np.float32), "twice")
        return self.node("Resize", [x, "", "twice"], mode="linear", coordinate_transformation_mode="align_corners")

    def save(
        self, path: Path, inputs: dict[str, tuple[int, ...]], outputs: dict[str, tuple[int, ...]], batch: int | None
    ) -> Path:
        def values(shapes: dict[str, tuple[int, ...]]) -> list[Any]:
            first = "batch" if batch is None else batch
            return [self._helper.make_tensor_value_info(name, 1, [first, *size]) for name, size in shapes.items()]

        graph = self._helper.make_graph(
            self._nodes, "network", values(inputs), values(outputs), list(self._constants.values())
        )
        opset = [self._helper.make_opsetid("", _OPSET)]
        model = self._helper.make_model(graph, opset_imports=opset, ir_version=_IR_VERSION)
        path.write_bytes(model.SerializeToString())
        return path
