"""The weights of a Hugging Face Whisper directory, under the names that a CTranslate2 model has for them.

Knows `model.safetensors`, whole or in parts, and how the two name things: queries, keys and values are one matrix in
CTranslate2, and keys have no bias in Whisper. Arrays are made when they are asked for, so that a large model is never
in memory twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from talkie.engines.asr.whisper.model_files import read_json, stays_inside
from talkie.engines.asr.whisper.safetensors_file import NotSafetensors, Tensor, read_safetensors
from talkie.engines.asr.whisper.weights import Weights
from talkie.errors import ImportFailed, ModelBroken

WHOLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
MAX_PARTS = 1000
_PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json")
_PICKLE_HINT = (
    "Its weights are a pickle, which may hold code and is never opened. transformers writes safetensors: "
    "`save_pretrained(DIRECTORY, safe_serialization=True)`."
)

Array = NDArray[Any]


class _Lazy(Mapping[str, Array]):
    """Arrays by name, each made anew when it is asked for."""

    def __init__(self, makers: Mapping[str, Callable[[], Array]]) -> None:
        self._makers = makers

    def __getitem__(self, key: str) -> Array:
        return self._makers[key]()

    def __contains__(self, key: object) -> bool:
        return key in self._makers

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def read_hf_weights(directory: Path, heads: tuple[int, int], name: str = "") -> Weights:
    """`heads` of the encoder's and the decoder's layers, as config.json has them. Raises `ImportFailed`."""
    name = name or directory.name
    named = _Names(read_tensors(directory, name), name)
    makers: dict[str, Callable[[], Array]] = {}
    for room, count in zip(("encoder", "decoder"), heads, strict=True):
        makers[f"{room}/num_heads"] = partial(np.array, count, np.int16)
        makers |= named.room(room)
    return Weights(_Lazy(makers), name)


def read_tensors(directory: Path, name: str) -> dict[str, Tensor]:
    """All tensors, by the names of transformers' `WhisperModel`. Raises `ImportFailed`."""
    tensors: dict[str, Tensor] = {}
    for file in _parts(directory, name):
        path = directory / file
        if not path.is_file():
            raise ImportFailed(name, f"{file} is missing.")
        if not stays_inside(path, directory):
            raise ImportFailed(name, f"{file} is a link that leads out of the directory.")
        try:
            tensors |= read_safetensors(path)
        except NotSafetensors as error:
            raise ImportFailed(name, str(error)) from None
        except OSError:
            raise ImportFailed(name, f"{file} cannot be read.") from None
    return {key.removeprefix("model."): tensor for key, tensor in tensors.items()}


def _parts(directory: Path, name: str) -> list[str]:
    """Names of files in the directory itself."""
    if (directory / WHOLE).exists():
        return [WHOLE]
    if not (directory / INDEX).exists():
        pickled = any((directory / file).exists() for file in _PICKLES)
        raise ImportFailed(name, f"{WHOLE} is missing.", hint=_PICKLE_HINT if pickled else "")
    try:
        index = read_json(directory / INDEX, name)
    except ModelBroken as error:
        raise ImportFailed(name, error.message) from None
    places = index.get("weight_map") if isinstance(index, dict) else None
    files = sorted({str(file) for file in places.values()}) if isinstance(places, dict) else []
    if not 1 <= len(files) <= MAX_PARTS or any(Path(file).name != file for file in files):
        raise ImportFailed(name, f"{INDEX} does not name files of the directory.")
    return files


class _Names:
    """What CTranslate2 calls each tensor of one model."""

    def __init__(self, tensors: Mapping[str, Tensor], name: str) -> None:
        self._tensors = tensors
        self._name = name

    def room(self, room: str) -> dict[str, Callable[[], Array]]:
        """All of `encoder` or `decoder`."""
        found = {f"{room}/position_encodings/encodings": self._one(f"{room}.embed_positions.weight")}
        found |= self._norm(f"{room}/layer_norm", f"{room}.layer_norm")
        if room == "encoder":
            found |= self._linear("encoder/conv1", "encoder.conv1") | self._linear("encoder/conv2", "encoder.conv2")
        else:
            embeddings = self._one("decoder.embed_tokens.weight")
            found |= {"decoder/embeddings/weight": embeddings, "decoder/projection/weight": embeddings}
        layers = self._layers(room)
        if not layers:
            raise ImportFailed(self._name, f"its weights have no layers of a Whisper {room}.")
        for layer in range(layers):
            found |= self._layer(f"{room}/layer_{layer}", f"{room}.layers.{layer}")
        return found

    def _layers(self, room: str) -> int:
        prefix = f"{room}.layers."
        numbers = {key[len(prefix) :].partition(".")[0] for key in self._tensors if key.startswith(prefix)}
        return sum(number.isdigit() for number in numbers)

    def _layer(self, ours: str, theirs: str) -> dict[str, Callable[[], Array]]:
        found = self._attention(f"{ours}/self_attention", f"{theirs}.self_attn", ("qkv",))
        if ours.startswith("decoder"):
            found |= self._attention(f"{ours}/attention", f"{theirs}.encoder_attn", ("q", "kv"))
        found |= self._norm(f"{ours}/ffn/layer_norm", f"{theirs}.final_layer_norm")
        found |= self._linear(f"{ours}/ffn/linear_0", f"{theirs}.fc1")
        return found | self._linear(f"{ours}/ffn/linear_1", f"{theirs}.fc2")

    def _attention(self, ours: str, theirs: str, fused: tuple[str, ...]) -> dict[str, Callable[[], Array]]:
        found = self._norm(f"{ours}/layer_norm", f"{theirs}_layer_norm")
        for number, letters in enumerate(fused):
            parts = [f"{theirs}.{letter}_proj" for letter in letters]
            weights = [self._one(f"{part}.weight") for part in parts]
            found[f"{ours}/linear_{number}/weight"] = partial(_joined, weights)
            found[f"{ours}/linear_{number}/bias"] = partial(_joined, [self._bias(part) for part in parts])
        return found | self._linear(f"{ours}/linear_{len(fused)}", f"{theirs}.out_proj")

    def _linear(self, ours: str, theirs: str) -> dict[str, Callable[[], Array]]:
        return {f"{ours}/weight": self._one(f"{theirs}.weight"), f"{ours}/bias": self._one(f"{theirs}.bias")}

    def _norm(self, ours: str, theirs: str) -> dict[str, Callable[[], Array]]:
        return {f"{ours}/gamma": self._one(f"{theirs}.weight"), f"{ours}/beta": self._one(f"{theirs}.bias")}

    def _bias(self, theirs: str) -> Callable[[], Array]:
        """Zeros where there is none: Whisper's keys."""
        if f"{theirs}.bias" in self._tensors:
            return self._one(f"{theirs}.bias")
        weight = self._tensors[f"{theirs}.weight"]
        return partial(np.zeros, weight.shape[:1], np.float16 if weight.kind == "F16" else np.float32)

    def _one(self, theirs: str) -> Callable[[], Array]:
        if theirs not in self._tensors:
            raise ImportFailed(self._name, f"its weights have no {theirs}: not a Whisper model.")
        return self._tensors[theirs].array


def _joined(makers: list[Callable[[], Array]]) -> Array:
    return np.concatenate([make() for make in makers])
