"""The files of a Hugging Face Whisper that are about text: its tokenizer, and what its generation is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from talkie.bench.shape_vocabulary import Vocabulary
from talkie.bench.shape_weights import TEXT_CONTEXT, Weights

_END = "<|endoftext|>"
_INITIAL_TIMESTAMP_STEPS = 50


def write_tokenizer(directory: Path, vocabulary: Vocabulary) -> None:
    """tokenizer.json, and the older files that some programs want in its place."""
    vocabulary.save_tokenizer(directory / "tokenizer.json", timestamps=True)
    text = {token: number for number, token in enumerate(vocabulary.tokens[: vocabulary.text_tokens])}
    added = {token: number for token, number in vocabulary.ids.items() if number >= vocabulary.text_tokens}
    _write_json(directory / "vocab.json", text)
    _write_json(directory / "added_tokens.json", added)
    merges = "".join(f"{left} {right}\n" for left, right in vocabulary.merges)
    (directory / "merges.txt").write_text(f"#version: 0.2\n{merges}", encoding="utf-8")
    _write_json(directory / "special_tokens_map.json", _special(vocabulary))
    _write_json(directory / "tokenizer_config.json", _tokenizer_config(vocabulary, added))


def write_generation(directory: Path, weights: Weights, vocabulary: Vocabulary) -> None:
    """generation_config.json."""
    ids = vocabulary.ids
    config: dict[str, Any] = {
        "alignment_heads": weights.alignment_heads(),
        "begin_suppress_tokens": list(weights.learned.blank_ids),
        "bos_token_id": ids[_END],
        "eos_token_id": ids[_END],
        "pad_token_id": ids[_END],
        "decoder_start_token_id": ids["<|startoftranscript|>"],
        "is_multilingual": True,
        "lang_to_id": {f"<|{code}|>": ids[f"<|{code}|>"] for code in vocabulary.languages},
        "task_to_id": {task: ids[f"<|{task}|>"] for task in ("transcribe", "translate")},
        "max_initial_timestamp_index": _INITIAL_TIMESTAMP_STEPS,
        "max_length": TEXT_CONTEXT,
        "no_timestamps_token_id": ids["<|notimestamps|>"],
        "prev_sot_token_id": ids["<|startofprev|>"],
        "return_timestamps": False,
        # real models name what is not speech here; none of it is in the text, so only what may never be said is left
        "suppress_tokens": [ids[f"<|{name}|>"] for name in _NEVER_SAID],
    }
    _write_json(directory / "generation_config.json", config)


_NEVER_SAID = ("startoftranscript", "translate", "transcribe", "startoflm", "startofprev", "nospeech")


def _special(vocabulary: Vocabulary) -> dict[str, Any]:
    roles = dict.fromkeys(("bos_token", "eos_token", "pad_token", "unk_token"), _END)
    return roles | {"additional_special_tokens": list(vocabulary.special)}


def _tokenizer_config(vocabulary: Vocabulary, added: dict[str, int]) -> dict[str, Any]:
    special = set(vocabulary.special)
    how = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False}
    return {
        "tokenizer_class": "WhisperTokenizer",
        "processor_class": "WhisperProcessor",
        "model_max_length": 1024,
        "add_prefix_space": False,
        "errors": "replace",
        "clean_up_tokenization_spaces": False,
        "added_tokens_decoder": {
            str(number): {"content": token, "special": token in special, **how} for token, number in added.items()
        },
        **_special(vocabulary),
    }


def _write_json(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=1, ensure_ascii=False), encoding="utf-8")
