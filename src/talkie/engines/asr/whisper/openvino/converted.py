"""A Whisper model in the form that OpenVINO runs: a directory of graphs, and what a backend must know beside them.

Made once from a CTranslate2 directory by `convert`; opened by `open_converted`, which says None where it does not fit
the model it was made from. Holds data only: graphs (XML and numbers) and one small JSON file.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkie.engines.asr.whisper.model_files import ModelFiles, read_json, read_vocabulary
from talkie.engines.asr.whisper.openvino.form import Form
from talkie.engines.asr.whisper.search.steps import Layout
from talkie.engines.asr.whisper.tokens import END, LANGUAGE_TOKEN, special_ids
from talkie.engines.asr.whisper.weights import MODEL_BIN
from talkie.errors import ModelBroken

RECORD = "talkie.json"
CONVERTER = 3
"""Counted up when what is converted changes, so that older directories are made anew."""
_MULTILINGUAL_SIGN = ""
"""A token that only the vocabularies of multilingual models have; CTranslate2 tells them apart by it."""
_SAMPLES, _SAMPLE_BYTES = 128, 8192
"""Many and small: a model that was tuned further may differ in a few matrices only."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The ids that decoding turns on. `blank` may not come first; `no_speech` -1: there is none."""

    layout: Layout
    start: int
    no_timestamps: int
    no_speech: int
    blank: tuple[int, ...]
    languages: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Converted:
    directory: Path
    form: Form
    n_mels: int
    multilingual: bool
    vocabulary: Vocabulary


def open_converted(directory: Path, files: ModelFiles, form: Form) -> Converted | None:
    """The converted model in `directory`, or None where there is none made from these files in this form."""
    try:
        record = json.loads((directory / RECORD).read_text(encoding="utf-8"))
        if record["source"] != fingerprint(files) or record["form"] != form.name or record["converter"] != CONVERTER:
            return None
        if record["sizes"] != _sizes(directory):
            return None
        return Converted(directory, form, int(record["n_mels"]), bool(record["multilingual"]), vocabulary(files))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_record(directory: Path, files: ModelFiles, form: Form, n_mels: int) -> None:
    record = {
        "converter": CONVERTER,
        "source": fingerprint(files),
        "form": form.name,
        "n_mels": n_mels,
        "multilingual": _MULTILINGUAL_SIGN in read_vocabulary(files),
        "sizes": _sizes(directory),
    }
    (directory / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")


def _sizes(directory: Path) -> dict[str, int]:
    """Of the graphs, in bytes: one that was cut off is seen, and made again."""
    graphs = (path for path in directory.iterdir() if path.suffix in (".xml", ".bin"))
    return {path.name: path.stat().st_size for path in sorted(graphs)}


def vocabulary(files: ModelFiles) -> Vocabulary:
    """Raises `ModelBroken` where a token is missing that no Whisper model can be without."""
    tokens = read_vocabulary(files)
    ids = special_ids(tokens)
    for needed in (END, "<|startoftranscript|>", "<|notimestamps|>"):
        if needed not in ids:
            raise ModelBroken(files.name, f"its vocabulary has no token {needed}.")
    config: dict[str, Any] = read_json(files.directory / "config.json", files.name)
    return Vocabulary(
        layout=Layout(ids[END], ids["<|notimestamps|>"] + 1, len(tokens)),
        start=ids["<|startoftranscript|>"],
        no_timestamps=ids["<|notimestamps|>"],
        no_speech=ids.get("<|nospeech|>", ids.get("<|nocaptions|>", -1)),
        blank=tuple(config.get("suppress_ids_begin") or ()),
        languages=tuple((token, number) for token, number in ids.items() if LANGUAGE_TOKEN.fullmatch(token)),
    )


def alignment_heads(files: ModelFiles) -> list[tuple[int, int]]:
    config: dict[str, Any] = read_json(files.directory / "config.json", files.name)
    return [(int(layer), int(head)) for layer, head in config.get("alignment_heads") or ()]


def fingerprint(files: ModelFiles) -> str:
    """Tells one model from another by its small files, and by the size of its weights and parts spread over them."""
    digest = hashlib.sha256()
    for small in (files.directory / "config.json", files.vocabulary):
        digest.update(small.read_bytes())
    path = files.directory / MODEL_BIN
    size = path.stat().st_size
    digest.update(str(size).encode())
    with path.open("rb") as file:
        for part in range(_SAMPLES):
            file.seek(part * max(0, size - _SAMPLE_BYTES) // (_SAMPLES - 1))
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()
