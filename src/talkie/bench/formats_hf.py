"""A shape-true model as a directory of Hugging Face transformers: float32 safetensors, settings, tokenizer.

Tensors are streamed. What the tokenizer's files hold is in `formats_hf_text`. Knows neither transformers nor torch.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from talkie.bench.formats_hf_text import write_generation, write_tokenizer
from talkie.bench.shape_vocabulary import Vocabulary
from talkie.bench.shape_weights import AUDIO_CONTEXT, TEXT_CONTEXT, Weights

_PLACES = (
    ("cross_attn_ln", "encoder_attn_layer_norm"),
    ("attn_ln", "self_attn_layer_norm"),
    ("mlp_ln", "final_layer_norm"),
    ("cross_attn.", "encoder_attn."),
    (".attn.", ".self_attn."),
    (".query.", ".q_proj."),
    (".key.", ".k_proj."),
    (".value.", ".v_proj."),
    (".out.", ".out_proj."),
    ("mlp.0.", "fc1."),
    ("mlp.2.", "fc2."),
    (".blocks.", ".layers."),
    ("ln_post.", "layer_norm."),
    ("decoder.ln.", "decoder.layer_norm."),
    ("token_embedding.", "embed_tokens."),
    ("positional_embedding", "embed_positions.weight"),
)


def write_hf(directory: Path, weights: Weights, vocabulary: Vocabulary) -> Path:
    """Write the directory, which exists, and return the file of the weights."""
    _write_json(directory / "config.json", _config(weights, vocabulary))
    _write_json(directory / "preprocessor_config.json", _features(weights.shape.mels))
    write_generation(directory, weights, vocabulary)
    write_tokenizer(directory, vocabulary)
    path = directory / "model.safetensors"
    _write_safetensors(path, weights)
    return path


def tensor_name(name: str) -> str:
    """What transformers calls a tensor of openai/whisper."""
    for ours, theirs in _PLACES:
        name = name.replace(ours, theirs)
    return f"model.{name}"


def _write_safetensors(path: Path, weights: Weights) -> None:
    """The format of safetensors: the length of the head, the head in JSON, then the bytes of all tensors."""
    head: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, size in weights.layout.items():
        start, end = end, end + 4 * int(np.prod(size))
        head[tensor_name(name)] = {"dtype": "F32", "shape": list(size), "data_offsets": [start, end]}
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in weights.layout:
            file.write(weights.array(name).astype("<f4", copy=False).tobytes())


def _config(weights: Weights, vocabulary: Vocabulary) -> dict[str, Any]:
    shape, ids = weights.shape, vocabulary.ids
    end = ids["<|endoftext|>"]
    found: dict[str, Any] = {
        "architectures": ["WhisperForConditionalGeneration"],
        "model_type": "whisper",
        "activation_function": "gelu",
        "d_model": shape.width,
        "num_hidden_layers": shape.encoder_layers,
        "num_mel_bins": shape.mels,
        "max_source_positions": AUDIO_CONTEXT,
        "max_target_positions": TEXT_CONTEXT,
        "vocab_size": len(vocabulary.tokens),
        "is_encoder_decoder": True,
        "scale_embedding": False,
        "use_cache": True,
        "tie_word_embeddings": True,
        "dtype": "float32",
        "dropout": 0.0,
        "attention_dropout": 0.0,
        "activation_dropout": 0.0,
        "bos_token_id": end,
        "eos_token_id": end,
        "pad_token_id": end,
        "decoder_start_token_id": ids["<|startoftranscript|>"],
        "begin_suppress_tokens": list(weights.learned.blank_ids),
    }
    for part, layers in (("encoder", shape.encoder_layers), ("decoder", shape.decoder_layers)):
        found |= {f"{part}_layers": layers, f"{part}_attention_heads": shape.heads}
        found |= {f"{part}_ffn_dim": 4 * shape.width, f"{part}_layerdrop": 0.0}
    return found


def _features(mels: int) -> dict[str, Any]:
    return {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "processor_class": "WhisperProcessor",
        "feature_size": mels,
        "sampling_rate": 16_000,
        "hop_length": 160,
        "n_fft": 400,
        "chunk_length": 30,
        "n_samples": 480_000,
        "nb_max_frames": 3_000,
        "padding_side": "right",
        "padding_value": 0.0,
        "dither": 0.0,
        "return_attention_mask": False,
    }


def _write_json(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=1, ensure_ascii=False), encoding="utf-8")
