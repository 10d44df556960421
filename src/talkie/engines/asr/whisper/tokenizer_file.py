"""Reads tokenizer.json (a Hugging Face tokenizer: data, no code) and holds it against the model's vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from talkie.engines.asr.whisper.model_files import ModelFiles, read_vocabulary
from talkie.engines.asr.whisper.tokens import WhisperTokens
from talkie.errors import ModelBroken

_SAME = ("<|startoftranscript|>", "<|endoftext|>", "<|notimestamps|>")


class _Codec:
    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def encode(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(ids))


def load_tokens(files: ModelFiles, *, multilingual: bool) -> WhisperTokens:
    """The tokens of a model. Raises `ModelBroken` where its two vocabularies do not fit each other."""
    import tokenizers

    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(files.tokenizer))
    except Exception as error:
        raise ModelBroken(files.name, f"tokenizer.json cannot be used: {error}") from None
    ids: dict[str, int] = tokenizer.get_vocab(with_added_tokens=True)
    tokens = read_vocabulary(files)
    for token in _SAME:
        token_id = ids.get(token)
        if token_id is not None and (token_id >= len(tokens) or tokens[token_id] != token):
            raise ModelBroken(files.name, f"tokenizer.json and {files.vocabulary.name} do not fit each other.")
    return WhisperTokens(_Codec(tokenizer), ids, multilingual=multilingual, model=files.name)
