"""Shape-true models on disk: every format holds the same tensors, and what is there is kept."""

from __future__ import annotations

import io
import json
import pickletools
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tokenizers
from numpy.typing import NDArray

from talkie.audio.mel import mel_filters
from talkie.bench.formats_hf import tensor_name
from talkie.bench.formats_openvino import export_openvino
from talkie.bench.models import RECORD, Made, Wish, make_models, read_made
from talkie.bench.shape_script import Script, learn
from talkie.bench.shape_true import SHAPES, SPEED_ONLY
from talkie.bench.shape_vocabulary import make_vocabulary
from talkie.bench.shape_weights import Weights
from talkie.errors import EngineFailed, InvalidValue

Tensors = dict[str, NDArray[np.float32]]
FORMATS = ("ct2-float32", "openai", "ggml", "hf")
SIZE = "micro128"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    out = tmp_path_factory.mktemp("models")
    return {one.format: one for one in make_models(Wish(out, (SIZE,), FORMATS))}


@pytest.fixture(scope="module")
def weights() -> Weights:
    shape = SHAPES[SIZE]
    return Weights(shape, learn(make_vocabulary(languages=shape.languages), Script()), 0)


def read_pt(path: Path) -> tuple[dict[str, int], Tensors]:
    """The sizes and tensors of a file, by its opcodes: nothing in it is called."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        code = [(op.name, value) for op, value, _ in pickletools.genops(archive.read("archive/data.pkl"))]
        pickletools.dis(archive.read("archive/data.pkl"), out=io.StringIO())  # raises where the stack does not add up
        sizes: dict[str, int] = {}
        tensors: Tensors = {}
        for place, (_, value) in enumerate(code):
            if isinstance(value, str) and value.startswith("n_"):
                sizes[value] = int(code[place + 1][1])
            if value == "torch._utils _rebuild_tensor_v2":
                number = next(value for _, value in code[place + 5 : place + 7] if str(value).isdigit())
                ends = [at for at in range(place, len(code)) if code[at][0] == "TUPLE"]
                size = [int(value) for name, value in code[ends[0] : ends[1]] if name == "BININT"][1:]
                data = archive.read(f"archive/data/{number}")
                tensors[str(code[place - 1][1])] = np.frombuffer(data, "<f2").reshape(size).astype(np.float32)
    return sizes, tensors


def read_safetensors(path: Path) -> Tensors:
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    head = json.loads(data[8 : 8 + length])
    assert head.pop("__metadata__") == {"format": "pt"}
    found = {}
    for name, one in head.items():
        start, end = (8 + length + offset for offset in one["data_offsets"])
        found[name] = np.frombuffer(data[start:end], "<f4").reshape(one["shape"])
    assert max(one["data_offsets"][1] for one in head.values()) == len(data) - 8 - length
    return found


def read_ggml(path: Path) -> tuple[tuple[int, ...], NDArray[np.float32], list[bytes], Tensors]:
    with path.open("rb") as file:

        def integers(count: int) -> tuple[int, ...]:
            return struct.unpack(f"<{count}i", file.read(4 * count))

        sizes = integers(12)
        rows, columns = integers(2)
        filters = np.frombuffer(file.read(4 * rows * columns), "<f4").reshape(rows, columns)
        tokens = [file.read(integers(1)[0]) for _ in range(integers(1)[0])]
        tensors: Tensors = {}
        while head := file.read(12):
            dimensions, length, kind = struct.unpack("<3i", head)
            size = integers(dimensions)[::-1]
            name = file.read(length).decode()
            data = file.read(int(np.prod(size)) * (2 if kind else 4))
            tensors[name] = np.frombuffer(data, "<f2" if kind else "<f4").reshape(size).astype(np.float32)
    return sizes, filters, tokens, tensors


def test_the_file_of_openai_whisper_holds_the_weights(made: dict[str, Made], weights: Weights) -> None:
    sizes, tensors = read_pt(made["openai"].directory / "model.pt")
    assert (sizes["n_vocab"], sizes["n_mels"], sizes["n_text_ctx"], sizes["n_audio_state"]) == (51_866, 128, 448, 64)
    assert list(tensors) == list(weights.layout)
    for name, values in tensors.items():
        np.testing.assert_array_equal(values, weights.array(name).astype(np.float16))


def test_the_file_of_whisper_cpp_holds_the_weights(made: dict[str, Made], weights: Weights) -> None:
    sizes, filters, tokens, tensors = read_ggml(made["ggml"].directory / "ggml-model.bin")
    assert sizes == (0x67676D6C, 51_866, 1500, 64, 2, 2, 448, 64, 2, 2, 128, 1)
    np.testing.assert_array_equal(filters, mel_filters(128))
    assert len(tokens) == 50_257
    assert tokens[-1] == b""
    assert list(tensors) == list(weights.layout)
    for name, values in tensors.items():
        np.testing.assert_allclose(values.squeeze(), weights.array(name), rtol=1e-3, atol=1e-7)
    assert tensors["encoder.conv1.bias"].shape == (64, 1)


def test_the_directory_of_transformers_holds_the_weights(made: dict[str, Made], weights: Weights) -> None:
    directory = made["hf"].directory
    tensors = read_safetensors(directory / "model.safetensors")
    assert "model.decoder.layers.1.encoder_attn.k_proj.weight" in tensors
    assert "model.encoder.layer_norm.bias" in tensors
    for name in weights.layout:
        np.testing.assert_array_equal(tensors.pop(tensor_name(name)), weights.array(name))
    assert not tensors
    config = json.loads((directory / "config.json").read_text())
    assert (config["vocab_size"], config["num_mel_bins"], config["decoder_layers"]) == (51_866, 128, 2)


def test_the_tokenizer_of_transformers_has_every_token(made: dict[str, Made]) -> None:
    tokenizer = tokenizers.Tokenizer.from_file(str(made["hf"].directory / "tokenizer.json"))
    vocabulary = make_vocabulary(languages=SHAPES[SIZE].languages)
    numbers = ("<|endoftext|>", "<|yue|>", "<|notimestamps|>", "<|0.00|>", "<|30.00|>")
    assert [tokenizer.token_to_id(token) for token in numbers] == [vocabulary.ids[token] for token in numbers]
    generation = json.loads((made["hf"].directory / "generation_config.json").read_text())
    assert len(generation["lang_to_id"]) == 100
    assert generation["no_timestamps_token_id"] == vocabulary.ids["<|notimestamps|>"] == 50_364


def test_each_says_what_it_is(made: dict[str, Made]) -> None:
    for form, one in made.items():
        record = json.loads((one.directory / RECORD).read_text())
        assert (record["size"], record["format"], record["seed"]) == (SIZE, form, 0)
        assert record["use"] == SPEED_ONLY
        assert len(record["text"].split()) == 65
        assert read_made(one.directory) == one
    assert len({one.sha256 for one in made.values()}) == len(FORMATS)


def test_the_same_seed_gives_the_same_files(made: dict[str, Made], tmp_path: Path) -> None:
    again = make_models(Wish(tmp_path, (SIZE,), tuple(reversed(FORMATS))))
    assert {one.format: one.sha256 for one in again} == {form: one.sha256 for form, one in made.items()}
    (other,) = make_models(Wish(tmp_path, (SIZE,), ("openai",), seed=1))
    assert other.sha256 != made["openai"].sha256


def test_what_is_there_is_kept_and_what_is_broken_is_made_anew(tmp_path: Path) -> None:
    wish = Wish(tmp_path, ("micro",), ("openai",))
    (first,) = make_models(wish)
    before = (first.directory / "model.pt").stat().st_mtime_ns
    assert make_models(wish) == [first]
    assert (first.directory / "model.pt").stat().st_mtime_ns == before
    (first.directory / RECORD).write_text("{}")
    assert make_models(wish) == [first]
    assert (first.directory / "model.pt").stat().st_mtime_ns > before
    assert [path.name for path in first.directory.parent.iterdir()] == ["openai"]


def test_a_model_that_says_a_sentence_is_another_one(tmp_path: Path) -> None:
    (long,) = make_models(Wish(tmp_path, ("micro",), ("openai",)))
    (short,) = make_models(Wish(tmp_path, ("micro",), ("openai",), words=12))
    assert (len(long.text.split()), len(short.text.split())) == (65, 12)
    assert long.sha256 != short.sha256
    assert read_made(short.directory) == short


@pytest.mark.parametrize(
    ("wish", "param"),
    [
        (Wish(Path("x"), ("huge",)), "sizes"),
        (Wish(Path("x"), formats=("tflite",)), "formats"),
        (Wish(Path("x"), formats=("openvino",)), "python"),
    ],
)
def test_what_cannot_be_made_is_refused(wish: Wish, param: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        make_models(wish)
    assert caught.value.param == param


def test_an_export_that_fails_says_what_the_exporter_said(tmp_path: Path) -> None:
    exporter = tmp_path / "python"
    exporter.write_text("#!/bin/sh\necho no such thing as optimum >&2\nexit 1\n")
    exporter.chmod(0o755)
    with pytest.raises(EngineFailed, match="no such thing as optimum"):
        export_openvino(tmp_path, tmp_path / "out", exporter)
    with pytest.raises(EngineFailed, match="could not be exported"):
        export_openvino(tmp_path, tmp_path / "out", tmp_path / "absent")
    with pytest.raises(InvalidValue):
        export_openvino(tmp_path, tmp_path / "out", exporter, "int3")
