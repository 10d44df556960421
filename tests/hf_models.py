"""Tiny Whisper directories of Hugging Face's kind, made from the same weights as a shape-true CTranslate2 model."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from talkie.engines.asr.whisper.weights import Weights, read_weights
from whisper_models import SEVERAL, shape_model

HEADS = 2
Tensors = dict[str, NDArray[Any]]
_KINDS = {np.dtype(np.float32): "F32", np.dtype(np.float16): "F16", np.dtype(np.uint16): "BF16"}


def write_safetensors(path: Path, tensors: Mapping[str, NDArray[Any]]) -> None:
    """uint16 stands for BF16."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, array in tensors.items():
        header[name] = {
            "dtype": _KINDS[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [at, at + array.nbytes],
        }
        at += array.nbytes
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(array.tobytes() for array in tensors.values()))


def to_bf16(array: NDArray[Any]) -> NDArray[np.uint16]:
    """The upper half of each float32."""
    return (np.ascontiguousarray(array, np.float32).view(np.uint32) >> 16).astype(np.uint16)


def source_model() -> Path:
    """The CTranslate2 directory that `hf_directory` has the weights of."""
    return shape_model(SEVERAL, compute_type="float32")


def hf_tensors(model: Path) -> Tensors:
    """The weights of a CTranslate2 directory by the names of transformers."""
    weights = read_weights(model)
    found: Tensors = {}
    for room in ("encoder", "decoder"):
        table = weights.array(f"{room}/position_encodings/encodings")
        found[f"model.{room}.embed_positions.weight"] = table
        found |= _norm(weights, f"{room}/layer_norm", f"model.{room}.layer_norm")
        for layer in range(weights.layers(room)):
            found |= _layer(weights, f"{room}/layer_{layer}", f"model.{room}.layers.{layer}")
    for conv in ("conv1", "conv2"):
        found |= _linear(weights, f"encoder/{conv}", f"model.encoder.{conv}")
    found["model.decoder.embed_tokens.weight"] = weights.array("decoder/embeddings/weight")
    return found


def hf_directory(directory: Path, tensors: Tensors, model: Path, **changed: Any) -> Path:
    """A whole directory; `changed` are entries of config.json."""
    directory.mkdir(parents=True, exist_ok=True)
    write_safetensors(directory / "model.safetensors", tensors)
    shutil.copyfile(model / "tokenizer.json", directory / "tokenizer.json")
    config = json.loads((model / "config.json").read_text())
    tokens = json.loads((model / "vocabulary.json").read_text())
    mels = tensors["model.encoder.conv1.weight"].shape[1]
    sizes = {
        "model_type": "whisper",
        "d_model": tensors["model.encoder.layer_norm.weight"].shape[0],
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_attention_heads": HEADS,
        "decoder_attention_heads": HEADS,
        "vocab_size": len(tokens),
        "num_mel_bins": mels,
    }
    generation = {
        "alignment_heads": config["alignment_heads"],
        "begin_suppress_tokens": config["suppress_ids_begin"],
        "suppress_tokens": config["suppress_ids"],
        "lang_to_id": {tokens[number]: number for number in config["lang_ids"]},
    }
    write_json(directory / "config.json", {**sizes, **changed})
    write_json(directory / "generation_config.json", generation)
    write_json(directory / "preprocessor_config.json", {"feature_size": mels})
    return directory


def write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


def _layer(weights: Weights, ours: str, theirs: str) -> Tensors:
    found = _attention(weights, f"{ours}/self_attention", f"{theirs}.self_attn", ("qkv",))
    if "decoder" in ours:
        found |= _attention(weights, f"{ours}/attention", f"{theirs}.encoder_attn", ("q", "kv"))
    found |= _norm(weights, f"{ours}/ffn/layer_norm", f"{theirs}.final_layer_norm")
    found |= _linear(weights, f"{ours}/ffn/linear_0", f"{theirs}.fc1")
    return found | _linear(weights, f"{ours}/ffn/linear_1", f"{theirs}.fc2")


def _attention(weights: Weights, ours: str, theirs: str, fused: tuple[str, ...]) -> Tensors:
    found = _norm(weights, f"{ours}/layer_norm", f"{theirs}_layer_norm")
    for number, letters in enumerate(fused):
        parts = np.split(weights.array(f"{ours}/linear_{number}/weight"), len(letters))
        biases = np.split(weights.array(f"{ours}/linear_{number}/bias"), len(letters))
        for letter, part, bias in zip(letters, parts, biases, strict=True):
            found[f"{theirs}.{letter}_proj.weight"] = part
            if letter != "k":
                found[f"{theirs}.{letter}_proj.bias"] = bias
    return found | _linear(weights, f"{ours}/linear_{len(fused)}", f"{theirs}.out_proj")


def _linear(weights: Weights, ours: str, theirs: str) -> Tensors:
    return {f"{theirs}.weight": weights.array(f"{ours}/weight"), f"{theirs}.bias": weights.array(f"{ours}/bias")}


def _norm(weights: Weights, ours: str, theirs: str) -> Tensors:
    return {f"{theirs}.weight": weights.array(f"{ours}/gamma"), f"{theirs}.bias": weights.array(f"{ours}/beta")}
