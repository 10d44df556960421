"""From trained weights to a folder that CTranslate2 and faster-whisper open."""

import json
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import numpy.typing as npt
import torch

from test_model.model import Attention, Layer, TinyWhisper
from test_model.train import WORD_TIME_HEAD
from test_model.words import Vocabulary

Array = npt.NDArray[np.float32]


def export(model: TinyWhisper, vocabulary: Vocabulary, folder: Path) -> None:
    """Write `model.bin`, `config.json`, `vocabulary.json`, `tokenizer.json` and `preprocessor_config.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    spec = _spec(model, vocabulary)
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))
    (folder / "tokenizer.json").write_text(vocabulary.tokenizer_json() + "\n", encoding="utf-8")
    (folder / "preprocessor_config.json").write_text(json.dumps(_PREPROCESSOR, indent=2) + "\n", encoding="utf-8")


_PREPROCESSOR = {
    "chunk_length": 30,
    "feature_extractor_type": "WhisperFeatureExtractor",
    "feature_size": 80,
    "hop_length": 160,
    "n_fft": 400,
    "n_samples": 480_000,
    "nb_max_frames": 3000,
    "padding_side": "right",
    "padding_value": 0.0,
    "processor_class": "WhisperProcessor",
    "return_attention_mask": False,
    "sampling_rate": 16_000,
}


def _array(tensor: torch.Tensor) -> Array:
    return np.ascontiguousarray(tensor.detach().numpy().astype(np.float32))


def _spec(model: TinyWhisper, vocabulary: Vocabulary) -> Any:
    size = model.size
    spec = ctranslate2.specs.WhisperSpec(size.encoder_layers, size.heads, size.decoder_layers, size.heads)
    _weights(spec.encoder.conv1, model.conv1)
    _weights(spec.encoder.conv2, model.conv2)
    spec.encoder.position_encodings.encodings = _array(model.waves[: size.frames])
    _norm(spec.encoder.layer_norm, model.encoder_norm)
    table = _array(model.embeddings())
    spec.decoder.embeddings.weight = table
    spec.decoder.projection.weight = table
    spec.decoder.position_encodings.encodings = _array(model.places())
    _norm(spec.decoder.layer_norm, model.decoder_norm)
    for part, layer in zip([*spec.encoder.layer, *spec.decoder.layer], [*model.encoder, *model.decoder], strict=True):
        assert isinstance(layer, Layer)
        _layer(part, layer)
    spec.register_vocabulary(vocabulary.tokens)
    spec.config.suppress_ids = [vocabulary.special(name) for name in _NEVER_SAID]
    # Unlike Whisper's own list this one leaves the end of text out: an empty window may give an empty text.
    spec.config.suppress_ids_begin = [vocabulary.ids[vocabulary.tokens[ord(" ")]]]
    spec.config.lang_ids = [vocabulary.special("en")]
    spec.config.alignment_heads = [[size.decoder_layers - 1, WORD_TIME_HEAD]]
    return spec


_NEVER_SAID = ("startoftranscript", "en", "translate", "transcribe", "startoflm", "startofprev", "nospeech")


def _layer(spec: Any, layer: Layer) -> None:
    _norm(spec.self_attention.layer_norm, layer.attention_norm)
    attention = layer.attention
    _join(spec.self_attention.linear[0], [attention.query, attention.key, attention.value])
    _weights(spec.self_attention.linear[1], attention.out)
    if layer.cross is not None and layer.cross_norm is not None:
        _cross(spec.attention, layer.cross, layer.cross_norm)
    _norm(spec.ffn.layer_norm, layer.mlp_norm)
    _weights(spec.ffn.linear_0, layer.up)
    _weights(spec.ffn.linear_1, layer.down)


def _cross(spec: Any, attention: Attention, norm: torch.nn.LayerNorm) -> None:
    _norm(spec.layer_norm, norm)
    _weights(spec.linear[0], attention.query)
    _join(spec.linear[1], [attention.key, attention.value])
    _weights(spec.linear[2], attention.out)


def _weights(spec: Any, module: Any) -> None:
    spec.weight, spec.bias = _array(module.weight), _array(module.bias)


def _join(spec: Any, parts: list[torch.nn.Linear]) -> None:
    spec.weight = np.concatenate([_array(part.weight) for part in parts])
    width = parts[0].out_features
    spec.bias = np.concatenate([np.zeros(width, np.float32) if p.bias is None else _array(p.bias) for p in parts])


def _norm(spec: Any, module: torch.nn.LayerNorm) -> None:
    spec.gamma, spec.beta = _array(module.weight), _array(module.bias)
