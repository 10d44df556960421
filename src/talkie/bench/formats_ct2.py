"""A shape-true model in the form of CTranslate2: model.bin, its vocabulary, tokenizer.json. Knows no other form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from talkie.bench.shape_vocabulary import Vocabulary
from talkie.bench.shape_weights import Weights


def write_ct2(directory: Path, weights: Weights, vocabulary: Vocabulary, compute_type: str) -> Path:
    """Write the directory, which exists, and return the file of the weights."""
    spec = _make_spec(weights)
    spec.validate()
    spec.optimize(quantization=compute_type)
    spec.save(str(directory))
    vocabulary.save_tokenizer(directory / "tokenizer.json")
    features = {"feature_size": weights.shape.mels}
    (directory / "preprocessor_config.json").write_text(json.dumps(features), encoding="utf-8")
    return directory / "model.bin"


def _make_spec(weights: Weights) -> Any:
    """A `ctranslate2.specs.WhisperSpec` with every weight set and nothing quantised."""
    from ctranslate2.specs import WhisperSpec

    shape, learned = weights.shape, weights.learned
    spec = WhisperSpec(shape.encoder_layers, shape.heads, shape.decoder_layers, shape.heads)
    _fill_encoder(spec.encoder, weights)
    _fill_decoder(spec.decoder, weights)
    spec.register_vocabulary(list(learned.tokens))
    spec.config.alignment_heads = weights.alignment_heads()
    spec.config.lang_ids = list(learned.language_ids)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = list(learned.blank_ids)
    return spec


def _fill_encoder(encoder: Any, weights: Weights) -> None:
    _fill_linear(encoder.conv1, weights, "encoder.conv1")
    _fill_linear(encoder.conv2, weights, "encoder.conv2")
    encoder.position_encodings.encodings = weights.array("encoder.positional_embedding")
    _fill_norm(encoder.layer_norm, weights, "encoder.ln_post")
    for number, layer in enumerate(encoder.layer):
        name = f"encoder.blocks.{number}."
        _fill_attention(layer.self_attention, weights, f"{name}attn", ("query key value", "out"))
        _fill_ffn(layer.ffn, weights, name)


def _fill_decoder(decoder: Any, weights: Weights) -> None:
    decoder.position_encodings.encodings = weights.array("decoder.positional_embedding")
    _fill_norm(decoder.layer_norm, weights, "decoder.ln")
    for number, layer in enumerate(decoder.layer):
        name = f"decoder.blocks.{number}."
        _fill_attention(layer.self_attention, weights, f"{name}attn", ("query key value", "out"))
        _fill_attention(layer.attention, weights, f"{name}cross_attn", ("query", "key value", "out"))
        _fill_ffn(layer.ffn, weights, name)
    embeddings = weights.array("decoder.token_embedding.weight")
    decoder.embeddings.weight = embeddings
    decoder.projection.weight = embeddings


def _fill_attention(attention: Any, weights: Weights, name: str, groups: tuple[str, ...]) -> None:
    """CTranslate2 keeps some of the four projections in one array."""
    _fill_norm(attention.layer_norm, weights, f"{name}_ln")
    for linear, group in zip(attention.linear, groups, strict=True):
        parts = group.split()
        linear.weight = np.concatenate([weights.array(f"{name}.{part}.weight") for part in parts])
        linear.bias = np.zeros(len(parts) * weights.shape.width, np.float32)


def _fill_ffn(ffn: Any, weights: Weights, name: str) -> None:
    _fill_norm(ffn.layer_norm, weights, f"{name}mlp_ln")
    _fill_linear(ffn.linear_0, weights, f"{name}mlp.0")
    _fill_linear(ffn.linear_1, weights, f"{name}mlp.2")


def _fill_linear(linear: Any, weights: Weights, name: str) -> None:
    linear.weight = weights.array(f"{name}.weight")
    linear.bias = weights.array(f"{name}.bias")


def _fill_norm(norm: Any, weights: Weights, name: str) -> None:
    norm.gamma = weights.array(f"{name}.weight")
    norm.beta = weights.array(f"{name}.bias")
