"""Face networks made by hand for tests: the shapes of real ones, a few operations each, and outputs that can be read.

`encoding_face` shows which features a frame was given, `mouth_face` opens a mouth as loud as they are, and
`copying_encoder` makes features out of a mel window whose first numbers are known (`feature_of` says which).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SIZE = 320
FEATURES, FEATURE_SIZE = 16, 512
OWN_FEATURE = 8
"""Of the sixteen features of frame i, `[i-8 : i+8]`, this is the one of frame i."""
CODE_ROWS, CODE_COLUMNS, CODE_CELL = (152, 168), (32, 288), 16
"""Where `encoding_face` writes: sixteen cells from left to right, one a feature."""
MOUTH_ROW, MOUTH_COLUMNS, MOUTH_REACH = 220, (110, 210), 60
MOUTH_GREY = 0.02
NAMES = ("input", "audio")
_OPSET, _IR_VERSION = 17, 9
_MEL_LOW, _MEL_RANGE = -4.0, 8.0
_CENTRE_COLUMN = 8

Floats = NDArray[np.float32]
Node = onnx.NodeProto


def write_networks(directory: Path, *, batch: int | None = None, encoder_batch: int | None = 1) -> Path:
    """`face.onnx` (a mouth that opens with the sound) and `audio_encoder.onnx`, as a pack holds them."""
    directory.mkdir(parents=True, exist_ok=True)
    mouth_face(directory / "face.onnx", batch)
    copying_encoder(directory / "audio_encoder.onnx", encoder_batch)
    return directory


def thin_face(
    path: Path, batch: int | None = None, names: tuple[str, str] = NAMES, *, half: bool = False, size: int = SIZE
) -> Path:
    """Nothing to look at: a sigmoid of a 1x1 convolution and the mean of the features, so that both inputs count."""
    rng = np.random.default_rng(5)
    weights = rng.normal(0, 1.0, (3, 6, 1, 1)).astype(np.float16 if half else np.float32)
    nodes = [
        helper.make_node("Conv", [names[0], "weights"], ["seen"]),
        helper.make_node("ReduceMean", [names[1]], ["heard"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Add", ["seen", "heard"], ["both"]),
        helper.make_node("Sigmoid", ["both"], ["output"]),
    ]
    return _save_face(path, nodes, {"weights": weights}, batch, names, half=half, size=size)


def encoding_face(
    path: Path, batch: int | None = None, names: tuple[str, str] = NAMES, *, channels_from: int = 0
) -> Path:
    """The picture passed through (`channels_from` 3: the masked one), but for the code: the first three numbers of
    feature j, cut to 0..1, are the B G R of cell j. `read_code` reads it."""
    low, high = CODE_ROWS[0], CODE_ROWS[1]
    left, right = CODE_COLUMNS
    where = np.zeros((1, 1, SIZE, SIZE), bool)
    where[..., low:high, left:right] = True
    nodes = [
        *_picture(names[0], channels_from),
        helper.make_node("Reshape", [names[1], "by_feature"], ["features"]),
        helper.make_node("Slice", ["features", "code_from", "code_to", "last_axis"], ["numbers"]),
        helper.make_node("Clip", ["numbers", "zero", "one"], ["levels"]),
        helper.make_node("Transpose", ["levels"], ["colours"], perm=[0, 2, 1]),
        helper.make_node("Unsqueeze", ["colours", "cell_axes"], ["points"]),
        helper.make_node("Expand", ["points", "cells_shape"], ["cells"]),
        helper.make_node("Reshape", ["cells", "strip_shape"], ["strip"]),
        helper.make_node("Pad", ["strip", "margins", "zero"], ["code"]),
        helper.make_node("Where", ["where", "code", "picture"], ["output"]),
    ]
    constants = {
        "where": where,
        "by_feature": _numbers(0, FEATURES, FEATURE_SIZE),
        "code_from": _numbers(0),
        "code_to": _numbers(3),
        "last_axis": _numbers(2),
        "cell_axes": _numbers(2, 4),
        "cells_shape": _numbers(1, 1, CODE_CELL, FEATURES, CODE_CELL),
        "strip_shape": _numbers(0, 3, CODE_CELL, FEATURES * CODE_CELL),
        "margins": _numbers(0, 0, low, left, 0, 0, SIZE - high, SIZE - right),
        "zero": np.float32(0),
        "one": np.float32(1),
    }
    return _save_face(path, nodes, constants, batch, names)


def mouth_face(path: Path, batch: int | None = None, names: tuple[str, str] = NAMES) -> Path:
    """The picture passed through, with a dark mouth that opens by the first number of the frame's own feature.

    0 is shut (nothing is drawn), 1 opens it `MOUTH_REACH` up and down. `mouth_opening` measures it."""
    rows = np.abs(np.arange(SIZE, dtype=np.float32) - MOUTH_ROW).reshape(1, 1, SIZE, 1)
    columns = np.zeros((1, 1, 1, SIZE), bool)
    columns[..., slice(*MOUTH_COLUMNS)] = True
    nodes = [
        *_picture(names[0], 0),
        helper.make_node("Reshape", [names[1], "flat"], ["numbers"]),
        helper.make_node("Slice", ["numbers", "own_from", "own_to", "flat_axis"], ["own"]),
        helper.make_node("Clip", ["own", "zero", "one"], ["level"]),
        helper.make_node("Mul", ["level", "reach"], ["opening"]),
        helper.make_node("Less", ["rows", "opening"], ["open_rows"]),
        helper.make_node("And", ["open_rows", "columns"], ["mouth"]),
        helper.make_node("Where", ["mouth", "dark", "picture"], ["output"]),
    ]
    own = OWN_FEATURE * FEATURE_SIZE
    constants = {
        "flat": _numbers(0, FEATURES * FEATURE_SIZE, 1, 1),
        "own_from": _numbers(own),
        "own_to": _numbers(own + 1),
        "flat_axis": _numbers(1),
        "zero": np.float32(0),
        "one": np.float32(1),
        "reach": np.float32(MOUTH_REACH),
        "rows": rows,
        "columns": columns,
        "dark": np.float32(MOUTH_GREY),
    }
    return _save_face(path, nodes, constants, batch, names)


def unet_face(path: Path, batch: int | None = None, *, size: int = SIZE) -> Path:
    """Like a real one in small: the picture goes down in three steps, meets the sound at the bottom, and on the way up
    what was made of it on each step."""
    rng = np.random.default_rng(6)
    sizes = {
        "wide": (4, 6, 3),
        "half": (8, 4, 3),
        "low": (8, 8, 3),
        "sound": (8, 32, 1),
        "up": (4, 16, 3),
        "out": (3, 8, 1),
    }
    weights = {
        name: rng.normal(0, (shape[1] * shape[2] ** 2) ** -0.5, (*shape, shape[2])).astype(np.float32)
        for name, shape in sizes.items()
    }
    nodes = [
        helper.make_node("Conv", ["input", "wide"], ["wide_made"], pads=[1] * 4),
        helper.make_node("Conv", ["wide_made", "half"], ["half_summed"], pads=[1] * 4, strides=[2, 2]),
        helper.make_node("Relu", ["half_summed"], ["half_made"]),
        helper.make_node("Conv", ["half_made", "low"], ["low_made"], pads=[1] * 4, strides=[2, 2]),
        helper.make_node("ReduceMean", ["audio"], ["heard"], axes=[2, 3], keepdims=1),
        helper.make_node("Conv", ["heard", "sound"], ["sound_made"]),
        helper.make_node("Add", ["low_made", "sound_made"], ["met"]),
        helper.make_node("Resize", ["met", "", "twice"], ["met_wider"], mode="nearest"),
        helper.make_node("Concat", ["met_wider", "half_made"], ["half_both"], axis=1),
        helper.make_node("Conv", ["half_both", "up"], ["up_made"], pads=[1] * 4),
        helper.make_node("Resize", ["up_made", "", "twice"], ["up_wider"], mode="nearest"),
        helper.make_node("Concat", ["up_wider", "wide_made"], ["wide_both"], axis=1),
        helper.make_node("Conv", ["wide_both", "out"], ["out_made"]),
        helper.make_node("Sigmoid", ["out_made"], ["output"]),
    ]
    constants = {**weights, "twice": np.array([1, 1, 2, 2], np.float32)}
    return _save_face(path, nodes, constants, batch, NAMES, size=size)


def copying_encoder(path: Path, batch: int | None = 1, *, name: str = "mel") -> Path:
    """`(N, 1, 80, 16)` to `(N, 512)`, as `feature_of` says."""
    weights = np.zeros((80 * 16, FEATURE_SIZE), np.float32)
    for place, values in enumerate(_read_by_feature()):
        weights[:, place] = values.reshape(-1)
    nodes = [
        helper.make_node("Flatten", [name], ["flat"]),
        helper.make_node("Add", ["flat", "up"], ["lifted"]),
        helper.make_node("MatMul", ["lifted", "weights"], ["features"]),
    ]
    constants = {"up": np.float32(-_MEL_LOW), "weights": weights}
    inputs = [_tensor(name, (batch, 1, 80, 16))]
    return save(path, nodes, constants, inputs, [_tensor("features", (batch, FEATURE_SIZE))])


def feature_of(window: Floats) -> Floats:
    """What `copying_encoder` makes of a window `(16, 80)`, -4..4: silence is all zeros, everything else 0..1.

    Number 0 is the mean of the window, 1 the mean of its centre column (the ninth), 2 the mean of its lower forty
    bands, 3 to 82 the centre column; the rest is zero.
    """
    lifted = (np.asarray(window, np.float64).T - _MEL_LOW).reshape(-1)
    feature = np.zeros(FEATURE_SIZE, np.float32)
    for place, values in enumerate(_read_by_feature()):
        feature[place] = float(lifted @ values.reshape(-1))
    return feature


def read_code(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The sixteen cells of an `encoding_face` picture `(320, 320, 3)`: `(16, 3)`, 0..1, to half of 1/255."""
    rows = picture[CODE_ROWS[0] + 4 : CODE_ROWS[1] - 4, slice(*CODE_COLUMNS)].astype(np.float64)
    cells = rows.reshape(len(rows), FEATURES, CODE_CELL, 3)[:, :, 4:-4]
    levels: NDArray[np.float64] = cells.mean(axis=(0, 2)) / 255
    return levels


def mouth_opening(picture: NDArray[np.uint8], *, dark_below: int = 30) -> float:
    """How far a `mouth_face` picture `(320, 320, 3)` has its mouth open, 0..1, where the face is brighter."""
    column = picture[:, sum(MOUTH_COLUMNS) // 2].max(axis=-1)
    return float(np.count_nonzero(column < dark_below)) / (2 * MOUTH_REACH)


def save(
    path: Path,
    nodes: Sequence[Node],
    constants: dict[str, np.ndarray | np.generic],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
) -> Path:
    weights = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "face", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def _save_face(
    path: Path,
    nodes: Sequence[Node],
    constants: dict[str, np.ndarray | np.generic],
    batch: int | None,
    names: tuple[str, str],
    *,
    half: bool = False,
    size: int = SIZE,
) -> Path:
    inputs = [_tensor(names[0], (batch, 6, size, size), half), _tensor(names[1], (batch, 32, 16, 16), half)]
    return save(path, nodes, constants, inputs, [_tensor("output", (batch, 3, size, size), half)])


def _tensor(name: str, shape: Sequence[int | None], half: bool = False) -> onnx.ValueInfoProto:
    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    return helper.make_tensor_value_info(name, kind, ["batch" if one is None else one for one in shape])


def _picture(visual: str, channels_from: int) -> list[Node]:
    """`picture`: three channels of what comes in."""
    first = helper.make_node("Constant", [], ["first"], value_ints=[channels_from])
    last = helper.make_node("Constant", [], ["last"], value_ints=[channels_from + 3])
    axis = helper.make_node("Constant", [], ["channel_axis"], value_ints=[1])
    return [first, last, axis, helper.make_node("Slice", [visual, "first", "last", "channel_axis"], ["picture"])]


def _read_by_feature() -> list[NDArray[np.float64]]:
    """For each number of a feature what it takes of the lifted window `(80, 16)`."""
    whole = np.full((80, 16), 1 / (80 * 16 * _MEL_RANGE))
    centre = np.zeros((80, 16))
    centre[:, _CENTRE_COLUMN] = 1 / (80 * _MEL_RANGE)
    low = np.zeros((80, 16))
    low[:40] = 1 / (40 * 16 * _MEL_RANGE)
    bands = []
    for band in range(80):
        one = np.zeros((80, 16))
        one[band, _CENTRE_COLUMN] = 1 / _MEL_RANGE
        bands.append(one)
    return [whole, centre, low, *bands]


def _numbers(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)
