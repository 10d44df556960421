"""The text of one model: written from its vocabulary, read with tokenizer.json (data, no code) when that is wanted.

A transcript needs ids turned into text only, for which the vocabulary is enough. The library that turns text into ids
takes longer to load than all the rest, so it is loaded with the first prompt.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from talkie.engines.asr.whisper import byte_level
from talkie.engines.asr.whisper.model_files import ModelFiles, read_bytes, read_vocabulary
from talkie.engines.asr.whisper.tokens import WhisperTokens
from talkie.errors import ModelBroken

_SAME = ("<|startoftranscript|>", "<|endoftext|>", "<|notimestamps|>")


class _Codec:
    def __init__(self, files: ModelFiles, vocabulary: Sequence[str]) -> None:
        self._files = files
        self._vocabulary = vocabulary

    def encode(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        count = len(self._vocabulary)
        return byte_level.text(self._vocabulary[number] for number in ids if 0 <= number < count)

    @cached_property
    def _tokenizer(self) -> Any:
        return open_tokenizer(self._files)


def load_tokens(files: ModelFiles, *, multilingual: bool) -> WhisperTokens:
    """The tokens of a model. Raises `ModelBroken` where its two vocabularies do not fit each other."""
    tokens = read_vocabulary(files)
    ids = {token: number for number, token in enumerate(tokens)}
    theirs = _special_ids(files)
    for token in _SAME:
        if token in theirs and theirs[token] != ids.get(token):
            raise ModelBroken(files.name, f"tokenizer.json and {files.vocabulary.name} do not fit each other.")
    return WhisperTokens(_Codec(files, tokens), ids, multilingual=multilingual, model=files.name)


def open_tokenizer(files: ModelFiles) -> Any:
    """The whole of tokenizer.json, as a `tokenizers.Tokenizer`. Raises `ModelBroken`."""
    import tokenizers

    try:
        return tokenizers.Tokenizer.from_file(str(files.tokenizer))
    except Exception as error:
        raise ModelBroken(files.name, f"tokenizer.json cannot be used: {error}") from None


def _special_ids(files: ModelFiles) -> dict[str, int]:
    """What tokenizer.json says of the tokens that matter most, found without reading all of it where that can be."""
    content = read_bytes(files.tokenizer, files.name)
    found = {
        token: re.search(rb'"id":\s*(\d+),\s*"content":\s*"' + re.escape(token.encode()), content) for token in _SAME
    }
    if all(found.values()):
        return {token: int(match[1]) for token, match in found.items() if match}
    ids: dict[str, int] = open_tokenizer(files).get_vocab(with_added_tokens=True)
    return ids
