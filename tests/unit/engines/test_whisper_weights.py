"""The weights of a CTranslate2 file: names, aliases and scales; what is cut off or absurd is a broken model."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from talkie.engines.asr.whisper.weights import Weights, read_weights
from talkie.errors import ModelBroken
from whisper_models import SEVERAL, shape_model

_KINDS = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}
ARRAYS: dict[str, NDArray[Any]] = {
    "decoder/embeddings/weight": np.array([[1, -2, 3], [127, 0, -127]], np.int8),
    "decoder/embeddings/weight_scale": np.array([2.0, 127.0], np.float32),
    "decoder/layer_0/ffn/linear_0/weight": np.array([[0.5, 1.5]], np.float16),
    "decoder/layer_0/ffn/linear_0/bias": np.array([4.0], np.float32),
    "decoder/layer_10/ffn/linear_0/weight": np.array([[1, 2]], np.int16),
    "decoder/num_heads": np.array(6, np.int16),
}
ALIASES = (("decoder/projection/weight", "decoder/embeddings/weight"),)


def text(value: str) -> bytes:
    data = value.encode() + b"\0"
    return struct.pack("<H", len(data)) + data


def whole(arrays: Mapping[str, NDArray[Any]] = ARRAYS, aliases: Sequence[tuple[str, str]] = ALIASES) -> bytes:
    parts = [struct.pack("<I", 6), text("WhisperSpec"), struct.pack("<II", 3, len(arrays))]
    for name, array in arrays.items():
        shape = struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
        parts += [text(name), shape, struct.pack("<BI", _KINDS[array.dtype.name], array.nbytes), array.tobytes()]
    parts.append(struct.pack("<I", len(aliases)))
    parts += [text(alias) + text(target) for alias, target in aliases]
    return b"".join(parts)


def read(directory: Path, data: bytes) -> Weights:
    (directory / "model.bin").write_bytes(data)
    return read_weights(directory, "whisper-small")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    weights = read(tmp_path, whole())
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(weights.stored(name), array)
    assert weights.number("decoder/num_heads", 8) == 6
    assert weights.number("encoder/num_heads", 8) == 8
    assert weights.layers("decoder") == 2
    assert weights.layers("encoder") == 0


def test_int8_is_what_is_stored_over_its_scale(tmp_path: Path) -> None:
    linear = read(tmp_path, whole()).linear("decoder/embeddings")
    assert (linear.weight.dtype, linear.bias) == (np.int8, None)
    np.testing.assert_allclose(linear.dense(), [[0.5, -1.0, 1.5], [1.0, 0.0, -1.0]])


def test_an_alias_has_the_scale_of_what_it_stands_for(tmp_path: Path) -> None:
    weights = read(tmp_path, whole())
    np.testing.assert_array_equal(
        weights.linear("decoder/projection").dense(), weights.linear("decoder/embeddings").dense()
    )


def test_halves_are_widened(tmp_path: Path) -> None:
    linear = read(tmp_path, whole()).linear("decoder/layer_0/ffn/linear_0")
    assert linear.bias is not None
    assert (linear.dense().dtype, linear.dense().tolist(), linear.bias.tolist()) == (np.float32, [[0.5, 1.5]], [4.0])


@pytest.mark.parametrize("key", ["decoder/layer_10/ffn/linear_0", "encoder/conv1"], ids=["int16", "missing"])
def test_what_cannot_be_read_is_named(tmp_path: Path, key: str) -> None:
    with pytest.raises(ModelBroken, match=key) as caught:
        read(tmp_path, whole()).linear(key)
    assert "whisper-small" in caught.value.message


def test_a_file_cut_off_anywhere(tmp_path: Path) -> None:
    data = whole()
    for size in range(len(data)):
        with pytest.raises(ModelBroken):
            read(tmp_path, data[:size])


def test_no_file_and_another_file(tmp_path: Path) -> None:
    with pytest.raises(ModelBroken):
        read_weights(tmp_path)
    for data in (b"PK\3\4" * 100, struct.pack("<I", 99) + whole()[4:]):
        with pytest.raises(ModelBroken, match=r"model\.bin"):
            read(tmp_path, data)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (struct.pack("<II", 3, len(ARRAYS)), struct.pack("<II", 3, 0xFFFFFFFF)),
        (struct.pack("<B2I", 2, 2, 3), struct.pack("<B2I", 2, 0xFFFFFFFF, 0xFFFFFFFF)),
        (struct.pack("<B2I", 2, 2, 3), struct.pack("<B2I", 2, 0x80000000, 0x80000000)),
        (struct.pack("<B2I", 2, 2, 3), struct.pack("<B2I", 255, 2, 3)),
        (struct.pack("<BI", 1, 6), struct.pack("<BI", 1, 0xFFFFFFFF)),
        (struct.pack("<BI", 1, 6), struct.pack("<BI", 77, 6)),
        (struct.pack("<I", 1) + text(ALIASES[0][0]), struct.pack("<I", 0xFFFFFFFF) + text(ALIASES[0][0])),
        (text(ALIASES[0][1]), text("decoder/embeddings/nothing")),
        (b"decoder/num_heads", b"decoder/\xff\xff\xff_heads"),
    ],
    ids=["variables", "sizes", "overflow", "rank", "bytes", "type", "aliases", "alias of nothing", "no text"],
)
def test_numbers_that_cannot_be(tmp_path: Path, old: bytes, new: bytes) -> None:
    data = whole()
    at = data.rindex(old)
    with pytest.raises(ModelBroken):
        read(tmp_path, data[:at] + new + data[at + len(old) :])


@given(st.binary(min_size=1, max_size=8), st.integers(0, len(whole())))
def test_noise_is_an_error_and_no_crash(tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int) -> None:
    data = whole()
    try:
        weights = read(tmp_path_factory.getbasetemp(), data[:at] + noise + data[at + len(noise) :])
    except ModelBroken:
        return
    assert all(weights.stored(name).size >= 0 for name in weights.names())


@pytest.mark.parametrize("compute_type", ["int8", "float16", "float32"])
def test_real_files_in_every_form(compute_type: str) -> None:
    weights = read_weights(shape_model(SEVERAL, compute_type=compute_type))
    exact = read_weights(shape_model(SEVERAL, compute_type="float32"))
    for key in ("encoder/conv1", "encoder/layer_1/self_attention/linear_0", "decoder/projection"):
        one, other = weights.linear(key), exact.linear(key)
        if one.weight.ndim == 2:
            np.testing.assert_allclose(one.dense(), other.dense(), atol=np.abs(other.dense()).max() / 120)
        assert one.bias is None or other.bias is not None
