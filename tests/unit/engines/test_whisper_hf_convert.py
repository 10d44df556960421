"""Hugging Face directories become CTranslate2 ones: the same weights, tokens and ids; what does not fit is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hf_models import Tensors, hf_directory, hf_tensors, source_model, to_bf16, write_json, write_safetensors
from talkie.engines.asr.whisper.ct2 import Ct2Model, LoadOptions
from talkie.engines.asr.whisper.hf_convert import ctranslate2_directory
from talkie.engines.asr.whisper.hf_files import is_hf_directory, read_hf_files
from talkie.engines.asr.whisper.model_config import check_config
from talkie.engines.asr.whisper.model_files import check, read_vocabulary
from talkie.engines.asr.whisper.tokenizer_file import load_tokens
from talkie.engines.asr.whisper.weights import read_weights
from talkie.errors import ImportFailed, InvalidValue


@pytest.fixture(scope="module")
def source() -> Path:
    return source_model()


@pytest.fixture(scope="module")
def tensors(source: Path) -> Tensors:
    """With biases that are not zero, so that a bias in the wrong place shows."""
    rng = np.random.default_rng(3)
    found = hf_tensors(source)
    for name, array in found.items():
        if name.endswith(("_proj.bias", "fc1.bias", "fc2.bias", "conv1.bias")):
            found[name] = rng.standard_normal(array.shape, dtype=np.float32)
    return found


@pytest.fixture
def directory(tmp_path: Path, tensors: Tensors, source: Path) -> Path:
    return hf_directory(tmp_path / "hf", tensors, source)


def test_every_weight_is_where_ctranslate2_looks_for_it(directory: Path, tmp_path: Path, tensors: Tensors) -> None:
    weights = read_weights(ctranslate2_directory(directory, tmp_path / "out"))
    expected = read_weights(source_model())
    assert sorted(weights.names()) == sorted(expected.names())
    for key in expected.names():
        if not key.endswith("bias"):
            np.testing.assert_array_equal(weights.stored(key), expected.stored(key), err_msg=key)
    at = "decoder.layers.1.self_attn"
    query, value = tensors[f"model.{at}.q_proj.bias"], tensors[f"model.{at}.v_proj.bias"]
    fused = weights.array("decoder/layer_1/self_attention/linear_0/bias")
    np.testing.assert_array_equal(fused, np.concatenate([query, np.zeros_like(query), value]))
    value = tensors["model.decoder.layers.0.encoder_attn.v_proj.bias"]
    fused = weights.array("decoder/layer_0/attention/linear_1/bias")
    np.testing.assert_array_equal(fused, np.concatenate([np.zeros_like(value), value]))
    np.testing.assert_array_equal(
        weights.array("decoder/layer_0/ffn/linear_1/bias"), tensors["model.decoder.layers.0.fc2.bias"]
    )


def test_the_small_files_are_those_of_the_same_model(directory: Path, tmp_path: Path) -> None:
    files = check(ctranslate2_directory(directory, tmp_path / "out"))
    expected = check(source_model())
    assert read_vocabulary(files) == read_vocabulary(expected)
    for name in ("config.json", "preprocessor_config.json"):
        made, wanted = (json.loads((one.directory / name).read_text()) for one in (files, expected))
        assert made == wanted
    assert check_config(files)
    assert load_tokens(files, multilingual=True).languages[:3] == ("en", "zh", "de")


def test_the_model_runs(directory: Path, tmp_path: Path) -> None:
    model = Ct2Model(check(ctranslate2_directory(directory, tmp_path / "out")), LoadOptions("cpu", "float32", 1))
    assert (model.n_mels, model.multilingual) == (80, True)
    encoded = model.encode(np.zeros((1, 80, 500), np.float32))
    assert len(model.languages(encoded, [0])[0]) == 99


@pytest.mark.parametrize("kind", ["half", "bfloat"])
def test_narrow_weights(kind: str, tmp_path: Path, tensors: Tensors, source: Path) -> None:
    """Halves stay halves; BF16, which CTranslate2's files cannot be given from NumPy, becomes float32 without loss."""
    narrow: Tensors = {
        name: array.astype(np.float16) if kind == "half" else to_bf16(array) for name, array in tensors.items()
    }
    out = ctranslate2_directory(hf_directory(tmp_path / "hf", narrow, source), tmp_path / "out")
    weights, key = read_weights(out), "encoder/layer_1/ffn/linear_0/weight"
    given = tensors["model.encoder.layers.1.fc1.weight"]
    if kind == "half":
        assert weights.stored(key).dtype == np.float16
        np.testing.assert_array_equal(weights.stored(key), given.astype(np.float16))
    else:
        assert weights.stored(key).dtype == np.float32
        np.testing.assert_allclose(weights.array(key), given, rtol=1 / 128)
        assert not (np.ascontiguousarray(weights.array(key)).view(np.uint32) & 0xFFFF).any()


def test_int8_is_what_ctranslate2_makes_of_it(directory: Path, tmp_path: Path) -> None:
    weights = read_weights(ctranslate2_directory(directory, tmp_path / "out", "int8"))
    linear = weights.linear("encoder/layer_0/ffn/linear_0")
    assert linear.weight.dtype == np.int8
    expected = read_weights(source_model()).array("encoder/layer_0/ffn/linear_0/weight")
    np.testing.assert_allclose(linear.dense(), expected, atol=float(np.abs(expected).max()) / 127)


def test_weights_in_several_files(tmp_path: Path, tensors: Tensors, source: Path) -> None:
    directory = hf_directory(tmp_path / "hf", tensors, source)
    names = sorted(tensors)
    parts = {"model-00001-of-00002.safetensors": names[:20], "model-00002-of-00002.safetensors": names[20:]}
    for file, held in parts.items():
        write_safetensors(directory / file, {name: tensors[name] for name in held})
    (directory / "model.safetensors").unlink()
    index = {"weight_map": {name: file for file, held in parts.items() for name in held}}
    write_json(directory / "model.safetensors.index.json", index)
    weights = read_weights(ctranslate2_directory(directory, tmp_path / "out"))
    key = "encoder/layer_1/ffn/linear_0/weight"
    np.testing.assert_array_equal(weights.array(key), tensors["model.encoder.layers.1.fc1.weight"])
    (directory / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(ImportFailed, match="model-00002-of-00002"):
        ctranslate2_directory(directory, tmp_path / "again")
    write_json(directory / "model.safetensors.index.json", {"weight_map": {"a": "../../elsewhere.safetensors"}})
    with pytest.raises(ImportFailed, match="does not name files of the directory"):
        ctranslate2_directory(directory, tmp_path / "again")


def test_names_without_their_first_part(tmp_path: Path, tensors: Tensors, source: Path) -> None:
    """As `WhisperModel` saves them, without the head that is tied to the embeddings anyway."""
    bare = {name.removeprefix("model."): array for name, array in tensors.items()}
    directory = hf_directory(tmp_path / "hf", tensors, source)
    write_safetensors(directory / "model.safetensors", bare)
    assert ctranslate2_directory(directory, tmp_path / "out").is_dir()


def test_a_tokenizer_in_parts(directory: Path, tmp_path: Path, source: Path) -> None:
    """Older directories have vocab.json, merges.txt and added_tokens.json, and no tokenizer.json."""
    tokenizer = json.loads((directory / "tokenizer.json").read_text())
    (directory / "tokenizer.json").unlink()
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in tokenizer["model"]["merges"]]
    write_json(directory / "vocab.json", tokenizer["model"]["vocab"])
    write_json(directory / "added_tokens.json", {one["content"]: one["id"] for one in tokenizer["added_tokens"]})
    (directory / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
    made, whole = check(ctranslate2_directory(directory, tmp_path / "out")), check(source)
    assert read_vocabulary(made) == read_vocabulary(whole)
    ours, theirs = (load_tokens(files, multilingual=True) for files in (made, whole))
    assert ours.encode(" bano tirelu, x") == theirs.encode(" bano tirelu, x")
    assert ours.decode(ours.encode(" bano")) == " bano"
    assert (ours.end, ours.timestamp_begin, ours.suppressed) == (theirs.end, theirs.timestamp_begin, theirs.suppressed)
    (directory / "merges.txt").unlink()
    with pytest.raises(ImportFailed, match=r"merges\.txt"):
        ctranslate2_directory(directory, tmp_path / "again")


def test_without_a_word_on_alignment_the_upper_half_of_the_heads(directory: Path) -> None:
    (directory / "generation_config.json").unlink()
    files = read_hf_files(directory)
    assert files.alignment_heads == ((1, 0), (1, 1))
    assert len(files.language_ids) == 99


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "wav2vec2"}, "not one of a Whisper model"),
        ({"vocab_size": 10**9}, "vocab_size"),
        ({"vocab_size": True}, "vocab_size"),
        ({"vocab_size": 51_000}, "tokens"),
        ({"vocab_size": 51_866}, "weights have 51865 tokens"),
        ({"decoder_attention_heads": 0}, "decoder_attention_heads"),
        ({"encoder_attention_heads": 3}, "heads do not divide"),
        ({"decoder_layers": "2"}, "decoder_layers"),
    ],
)
def test_numbers_that_cannot_be(
    change: dict[str, Any], message: str, tmp_path: Path, tensors: Tensors, source: Path
) -> None:
    directory = hf_directory(tmp_path / "hf", tensors, source, **change)
    with pytest.raises(ImportFailed, match=message):
        ctranslate2_directory(directory, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["hf"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"suppress_tokens": [1, 60_000]}, "suppress_tokens"),
        ({"begin_suppress_tokens": "220"}, "begin_suppress_tokens"),
        ({"lang_to_id": {"<|en|>": 99_999}}, "lang_to_id"),
        ({"alignment_heads": [[2, 0]]}, "alignment_heads"),
        ({"alignment_heads": [[0, 0, 0]]}, "alignment_heads"),
    ],
)
def test_ids_that_cannot_be(change: dict[str, Any], message: str, directory: Path) -> None:
    write_json(directory / "generation_config.json", change)
    with pytest.raises(ImportFailed, match=message):
        read_hf_files(directory)


@pytest.mark.parametrize("file", ["config.json", "generation_config.json", "tokenizer.json"])
@pytest.mark.parametrize("content", ["{", "[]", "7"], ids=["cut off", "a list", "a number"])
def test_small_files_that_are_something_else(file: str, content: str, directory: Path, tmp_path: Path) -> None:
    (directory / file).write_text(content, encoding="utf-8")
    with pytest.raises(ImportFailed, match=file):
        ctranslate2_directory(directory, tmp_path / "out")


def test_vocabularies_that_are_none(directory: Path) -> None:
    for model, message in (({"vocab": {"a": 0, "b": 2}}, "row"), ({"vocab": {"a": -1}}, "numbers"), ([], "vocabulary")):
        write_json(directory / "tokenizer.json", {"model": model})
        with pytest.raises(ImportFailed, match=message):
            read_hf_files(directory)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("model.encoder.conv1.weight", (64, 80, 5)),
        ("model.decoder.embed_positions.weight", (100, 64)),
        ("model.decoder.layers.0.fc1.bias", (64,)),
        ("model.decoder.layers.1.encoder_attn.k_proj.weight", (32, 64)),
        ("model.decoder.layer_norm.weight", (64, 1)),
        ("model.decoder.embed_tokens.weight", (64,)),
    ],
)
def test_arrays_that_do_not_fit(
    name: str, shape: tuple[int, ...], tmp_path: Path, tensors: Tensors, source: Path
) -> None:
    """A library that trusts its file would read beyond its memory."""
    wrong = {**tensors, name: np.zeros(shape, np.float32)}
    with pytest.raises(ImportFailed):
        ctranslate2_directory(hf_directory(tmp_path / "hf", wrong, source), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["hf"]


def test_a_missing_array_is_named(tmp_path: Path, tensors: Tensors, source: Path) -> None:
    less = {name: array for name, array in tensors.items() if name != "model.encoder.layers.1.fc2.bias"}
    with pytest.raises(ImportFailed, match=r"encoder\.layers\.1\.fc2\.bias"):
        ctranslate2_directory(hf_directory(tmp_path / "hf", less, source), tmp_path / "out")


def test_pickles_are_refused_with_a_way_out(directory: Path, tmp_path: Path) -> None:
    (directory / "model.safetensors").rename(directory / "pytorch_model.bin")
    with pytest.raises(ImportFailed) as caught:
        ctranslate2_directory(directory, tmp_path / "out")
    assert "save_pretrained" in caught.value.hint


def test_links_out_of_the_directory_are_refused(directory: Path, tmp_path: Path) -> None:
    for file in ("model.safetensors", "tokenizer.json"):
        (directory / file).rename(tmp_path / file)
        (directory / file).symlink_to(tmp_path / file)
        with pytest.raises(ImportFailed, match=f"{file} is a link"):
            ctranslate2_directory(directory, tmp_path / "out")
        (directory / file).unlink()
        shutil.copyfile(tmp_path / file, directory / file)


def test_what_is_there_already_is_left_alone(directory: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").touch()
    with pytest.raises(ImportFailed, match="there already"):
        ctranslate2_directory(directory, out)
    assert [path.name for path in out.iterdir()] == ["mine"]


def test_an_unknown_way_to_store(directory: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="int3"):
        ctranslate2_directory(directory, tmp_path / "out", "int3")


def test_such_a_directory_is_told_from_others(directory: Path, source: Path, tmp_path: Path) -> None:
    assert is_hf_directory(directory)
    assert not is_hf_directory(source)
    assert not is_hf_directory(tmp_path)
