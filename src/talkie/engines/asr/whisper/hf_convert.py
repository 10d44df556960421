"""From a Hugging Face Whisper directory to a CTranslate2 one: once, without torch.

Afterwards everything works on it that works on a published CTranslate2 model: both backends, and faster-whisper too.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from talkie.engines.asr.whisper.hf_files import TOKENIZER, HfFiles, read_hf_files
from talkie.engines.asr.whisper.hf_shapes import Shapes
from talkie.engines.asr.whisper.weights import Weights
from talkie.engines.asr.whisper.weights_hf import read_hf_weights
from talkie.errors import ImportFailed, InvalidValue, TalkieError

COMPUTE_TYPES = ("auto", "float32", "float16", "int8")
"""How weights are stored. `auto` is as they are: float16 where that is so in the directory, else float32."""


def ctranslate2_directory(hf_directory: Path, out: Path, compute_type: str = "auto", name: str = "") -> Path:
    """Write `out`: model.bin, config.json, vocabulary.json, tokenizer.json and preprocessor_config.json.

    Nothing half-made is ever seen in `out`, which must not be there yet. Raises `ImportFailed`, `InvalidValue`, or
    `OSError` where `out` cannot be written.
    """
    if compute_type not in COMPUTE_TYPES:
        raise InvalidValue("compute_type", f"{compute_type!r} is not one of {', '.join(COMPUTE_TYPES)}.")
    files = read_hf_files(hf_directory, name)
    if out.exists():
        raise ImportFailed(files.name, f"{out.name} is there already.")
    out.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        _write_weights(files, made, compute_type)
        _write_tokenizer(files, made / TOKENIZER)
        _write_json(made / "preprocessor_config.json", {"feature_size": files.n_mels})
        made.chmod(0o755)
        made.rename(out)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return out


def _write_weights(files: HfFiles, directory: Path, compute_type: str) -> None:
    weights = read_hf_weights(files.directory, (files.encoder_heads, files.decoder_heads), files.name)
    try:
        spec = make_spec(weights, files, copied=compute_type == "int8")
        spec.validate()
        stored = "float16" if weights.stored("decoder/embeddings/weight").dtype == np.float16 else "float32"
        spec.optimize(quantization=stored if compute_type == "auto" else compute_type)
        spec.save(str(directory))
    except (TalkieError, OSError):
        raise
    except Exception as error:
        raise ImportFailed(files.name, f"its weights do not fit together: {error}") from error


def make_spec(weights: Weights, files: HfFiles, *, copied: bool = False) -> Any:
    """A `ctranslate2.specs.WhisperSpec` of these weights. Rounding to INT8 writes into them, so they must be copied."""
    from talkie.engines.asr.whisper import hardware

    hardware.load_ctranslate2()
    from ctranslate2.specs import WhisperSpec

    shapes = _shapes(weights, files)
    spec = WhisperSpec(weights.layers("encoder"), files.encoder_heads, weights.layers("decoder"), files.decoder_heads)
    for key in weights.names():
        if key.endswith("/num_heads"):
            continue
        array = weights.stored(key)
        if not shapes.fits(key, array.shape):
            raise ImportFailed(files.name, f"its weights have a {key} of an unexpected shape, {array.shape}.")
        _put(spec, key, array.copy() if copied else array)
    spec.register_vocabulary(list(files.tokens))
    spec.config.suppress_ids = list(files.suppressed)
    spec.config.suppress_ids_begin = list(files.suppressed_first)
    spec.config.lang_ids = list(files.language_ids)
    spec.config.alignment_heads = [list(pair) for pair in files.alignment_heads]
    return spec


def _put(spec: Any, key: str, value: Any) -> None:
    """`encoder/layer_3/ffn/linear_0/weight`: a name with a number is an attribute, or an item of a list."""
    *path, last = key.split("/")
    for step in path:
        if hasattr(spec, step):
            spec = getattr(spec, step)
        else:
            items, _, number = step.rpartition("_")
            spec = getattr(spec, items)[int(number)]
    setattr(spec, last, value)


def _shapes(weights: Weights, files: HfFiles) -> Shapes:
    """Sizes that fit each other: what does not would end the process later, or give nonsense."""
    embeddings = weights.stored("decoder/embeddings/weight").shape
    hidden = weights.stored("encoder/layer_0/ffn/linear_0/weight").shape
    if len(embeddings) != 2 or not hidden or not all(embeddings):
        raise ImportFailed(files.name, "its weights are not those of a Whisper model.")
    tokens, width = embeddings
    if tokens != len(files.tokens):
        raise ImportFailed(files.name, f"its weights have {tokens} tokens, and config.json {len(files.tokens)}.")
    if width % files.encoder_heads or width % files.decoder_heads:
        raise ImportFailed(files.name, "its heads do not divide its width.")
    return Shapes(width, hidden[0], tokens, files.n_mels)


def _write_tokenizer(files: HfFiles, target: Path) -> None:
    """As it is there; older models have its parts only."""
    source = files.directory / TOKENIZER
    if source.is_file():
        shutil.copyfile(source, target)
        return
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    vocabulary, merges = files.directory / "vocab.json", files.directory / "merges.txt"
    if not merges.is_file():
        raise ImportFailed(files.name, f"{TOKENIZER} is missing, and so is merges.txt.")
    try:
        tokenizer = Tokenizer(models.BPE.from_file(str(vocabulary), str(merges)))
    except Exception as error:
        raise ImportFailed(files.name, f"vocab.json and merges.txt cannot be used: {error}") from None
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    known = tokenizer.get_vocab_size()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in files.tokens[known:]])
    tokenizer.save(str(target), pretty=False)


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")
