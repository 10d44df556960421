"""What the small files of a Hugging Face Whisper directory say: sizes, tokens and the ids that decoding turns on.

Knows nothing of weights. The rules are those of CTranslate2's own converter, so that both make the same model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from talkie.engines.asr.whisper.model_files import read_json, stays_inside
from talkie.engines.asr.whisper.tokens import LANGUAGE_TOKEN
from talkie.errors import ImportFailed, ModelBroken

MAX_TOKENS = 1_000_000
MAX_LAYERS = 1_000
TOKENIZER = "tokenizer.json"
_STEP_S = 0.02


@dataclass(frozen=True, slots=True)
class HfFiles:
    """`tokens` in the order of their ids, timestamps included; `heads` are pairs of a layer and a head."""

    name: str
    directory: Path
    encoder_heads: int
    decoder_heads: int
    n_mels: int
    tokens: tuple[str, ...]
    suppressed: tuple[int, ...]
    suppressed_first: tuple[int, ...]
    language_ids: tuple[int, ...]
    alignment_heads: tuple[tuple[int, int], ...]


def is_hf_directory(directory: Path) -> bool:
    """Whether it looks like a Whisper of Hugging Face's kind, whole or not. Opens config.json and nothing else."""
    try:
        config = read_json(directory / "config.json", directory.name)
    except ModelBroken:
        return False
    return isinstance(config, dict) and config.get("model_type") == "whisper"


def read_hf_files(directory: Path, name: str = "") -> HfFiles:
    """Raises `ImportFailed`, which names the file at fault."""
    source = _Source(directory, name or directory.name)
    config = source.read("config.json")
    if config.get("model_type") != "whisper":
        raise ImportFailed(source.name, "config.json is not one of a Whisper model.")
    decoding = {**config, **source.read("generation_config.json", needed=False)}
    tokens = _tokens(source, source.number(config, "vocab_size", MAX_TOKENS))
    layers, heads = (source.number(config, f"decoder_{part}", MAX_LAYERS) for part in ("layers", "attention_heads"))
    features = source.read("preprocessor_config.json", needed=False)
    return HfFiles(
        name=source.name,
        directory=directory,
        encoder_heads=source.number(config, "encoder_attention_heads", MAX_LAYERS),
        decoder_heads=heads,
        n_mels=source.number({"num_mel_bins": 80, **config, **features}, "feature_size", 1024, "num_mel_bins"),
        tokens=tokens,
        suppressed=source.ids(decoding, "suppress_tokens", len(tokens)),
        suppressed_first=source.ids(decoding, "begin_suppress_tokens", len(tokens)),
        language_ids=_languages(source, decoding, tokens),
        alignment_heads=_alignment_heads(source, decoding, layers, heads),
    )


class _Source:
    """JSON files of a directory, and numbers in them that may be relied upon."""

    def __init__(self, directory: Path, name: str) -> None:
        self.directory = directory
        self.name = name

    def has(self, file: str) -> bool:
        return (self.directory / file).is_file()

    def read(self, file: str, *, needed: bool = True) -> dict[str, Any]:
        if not self.has(file):
            if needed:
                raise ImportFailed(self.name, f"{file} is missing.")
            return {}
        if not stays_inside(self.directory / file, self.directory):
            raise ImportFailed(self.name, f"{file} is a link that leads out of the directory.")
        try:
            content = read_json(self.directory / file, self.name)
        except ModelBroken as error:
            raise ImportFailed(self.name, error.message) from None
        if not isinstance(content, dict):
            raise ImportFailed(self.name, f"{file} is not an object.")
        return content

    def number(self, content: dict[str, Any], key: str, most: int, other: str = "") -> int:
        value = content.get(key, content.get(other))
        if type(value) is not int or not 1 <= value <= most:
            raise ImportFailed(self.name, f"{key} is not a number from 1 to {most}.")
        return value

    def ids(self, content: dict[str, Any], key: str, count: int) -> tuple[int, ...]:
        """None at all where the key is missing. -1 stands for a list that others are to make: none here."""
        values = content.get(key) or []
        if not isinstance(values, list) or not all(type(value) is int and -1 <= value < count for value in values):
            raise ImportFailed(self.name, f"{key} holds tokens that the vocabulary does not have.")
        return tuple(value for value in values if value >= 0)


def _tokens(source: _Source, count: int) -> tuple[str, ...]:
    """By id; what the tokenizer leaves out at the end are timestamps."""
    ids: dict[str, int] = {}
    for token, number in _pairs(source):
        if not isinstance(token, str) or type(number) is not int or number < 0:
            raise ImportFailed(source.name, "its vocabulary is not one of tokens and their numbers.")
        if number < count:
            ids[token] = number
    by_id = {number: token for token, number in ids.items()}
    if not by_id or max(by_id) != len(by_id) - 1:
        raise ImportFailed(source.name, "the numbers of its tokens are not in a row.")
    tokens = [by_id[number] for number in range(len(by_id))]
    if len(tokens) < count and tokens[-1] != "<|notimestamps|>":
        raise ImportFailed(source.name, f"its vocabulary has {len(tokens)} tokens, and its weights {count}.")
    return (*tokens, *(f"<|{step * _STEP_S:.2f}|>" for step in range(count - len(tokens))))


def _pairs(source: _Source) -> Iterator[tuple[Any, Any]]:
    if not source.has(TOKENIZER):
        yield from source.read("vocab.json").items()
        yield from source.read("added_tokens.json", needed=False).items()
        return
    tokenizer = source.read(TOKENIZER)
    model = tokenizer.get("model")
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    added = tokenizer.get("added_tokens") or []
    if not isinstance(vocabulary, dict) or not isinstance(added, list):
        raise ImportFailed(source.name, f"{TOKENIZER} has no vocabulary.")
    yield from vocabulary.items()
    yield from ((one.get("content"), one.get("id")) for one in added if isinstance(one, dict))


def _languages(source: _Source, decoding: dict[str, Any], tokens: tuple[str, ...]) -> tuple[int, ...]:
    named = decoding.get("lang_to_id")
    if isinstance(named, dict):
        return tuple(sorted(source.ids({"lang_to_id": list(named.values())}, "lang_to_id", len(tokens))))
    return tuple(number for number, token in enumerate(tokens) if LANGUAGE_TOKEN.fullmatch(token))


def _alignment_heads(source: _Source, decoding: dict[str, Any], layers: int, heads: int) -> tuple[tuple[int, int], ...]:
    """Where nothing is said, all heads of the upper half of the layers, as openai/whisper does."""
    pairs = decoding.get("alignment_heads") or list(product(range(layers // 2, layers), range(heads)))
    found = [tuple(pair) for pair in pairs if isinstance(pair, list | tuple)] if isinstance(pairs, list) else []
    bounds = (layers, heads)
    for pair in found:
        if len(pair) != 2 or not all(
            type(part) is int and 0 <= part < most for part, most in zip(pair, bounds, strict=True)
        ):
            raise ImportFailed(source.name, "alignment_heads names heads that the model does not have.")
    return tuple((layer, head) for layer, head in found)
