"""Safetensors: what is written is read; what is cut off or lies is an error, wherever it is cut."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_models import to_bf16, write_safetensors
from talkie.engines.asr.whisper.safetensors_file import NotSafetensors, read_safetensors

ARRAYS = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "half": np.array([1.5, -2.0], np.float16),
    "brain": to_bf16(np.array([[3.0], [-0.5]], np.float32)),
    "one": np.array(7.0, np.float32),
}


def write(path: Path, header: Any, data: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_safetensors(path, ARRAYS)
    found = read_safetensors(path)
    assert {name: one.kind for name, one in found.items()} == {"a": "F32", "half": "F16", "brain": "BF16", "one": "F32"}
    np.testing.assert_array_equal(found["a"].array(), ARRAYS["a"])
    np.testing.assert_array_equal(found["half"].array(), ARRAYS["half"])
    np.testing.assert_array_equal(found["brain"].array(), [[3.0], [-0.5]])
    assert found["brain"].array().dtype == np.float32
    assert found["one"].shape == ()


def test_whole_numbers_are_left_out(tmp_path: Path) -> None:
    header = {"i": {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]}}
    assert read_safetensors(write(tmp_path / "m", header, bytes(8))) == {}


def test_a_file_cut_off_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_safetensors(path, ARRAYS)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(NotSafetensors):
            read_safetensors(path)


@pytest.mark.parametrize(
    "header",
    [
        [],
        b"{" * 200_000,
        b"\xff\xfe",
        {"a": 7},
        {"a": {"dtype": "F32", "shape": [1]}},
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 8]}},
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": 4}},
        {"a": {"dtype": "F32", "shape": 1, "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [-1], "data_offsets": [4, 0]}},
        {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}},
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]}},
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [1 << 70, (1 << 70) + 4]}},
        {"a": {"dtype": "F32", "shape": [1 << 40, 1 << 40], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [1] * 9, "data_offsets": [0, 4]}},
    ],
)
def test_headers_that_lie(tmp_path: Path, header: Any) -> None:
    with pytest.raises(NotSafetensors):
        read_safetensors(write(tmp_path / "model.safetensors", header, bytes(8)))


@pytest.mark.parametrize("length", [0, 1, 9, 1 << 33, (1 << 64) - 1])
def test_a_header_longer_than_the_file(tmp_path: Path, length: int) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", length) + b"{}")
    with pytest.raises(NotSafetensors):
        read_safetensors(path)


@given(st.binary(max_size=200), st.integers(0, 400))
def test_noise_is_an_error_and_no_crash(tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.safetensors"
    write_safetensors(path, ARRAYS)
    whole = bytearray(path.read_bytes())
    whole[at : at + len(noise)] = noise
    path.write_bytes(bytes(whole))
    try:
        found = read_safetensors(path)
    except NotSafetensors:
        return
    assert all(one.array().size == one.raw.size for one in found.values())
