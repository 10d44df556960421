"""What a model directory looks like, engine by engine, and whether one is sound. Nothing is loaded or run.

Knows which files each engine reads; knows nothing of the engines' code, manifests or networks. Only files on these
lists ever enter the store, so a pickle or a script in a repository or an archive is left where it was.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from talkie.errors import ModelBroken
from talkie.models import layout_speech
from talkie.models.catalog import find
from talkie.models.files import is_plain_file

MAX_MODEL_BYTES = 64 * 10**9
MAX_JSON_BYTES = 32 * 1024 * 1024
SMALL_JSON_BYTES = 64 * 1024
MAX_VARIABLES = 100_000
ENGLISH_ONLY_TOKENS = 51_864  # openai/whisper: the multilingual vocabularies are 51,865 and 51,866

PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_DANGEROUS = re.compile(r".*\.(pt|pth|pkl|pickle|ckpt|npy|npz|joblib|py|pyc|so|dll|dylib|exe|sh|bat|cmd|h5)", re.I)

_LANGUAGE_TEXT = re.compile(rb'"<\|([a-z]{2,3})\|>"')
_LANGUAGE_LINE = re.compile(r"<\|([a-z]{2,3})\|>")


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of one engine's models: every group of `needs` wants one of its names; `may` are read when there.

    Names may be patterns (`*.onnx`); `weights` is the one of the large file. `title` is for messages.
    """

    engine: str
    kind: str
    needs: tuple[tuple[str, ...], ...]
    may: tuple[str, ...] = ()
    weights: str = "*.onnx"
    title: str = ""

    def allows(self, name: str) -> bool:
        """Is a file of that name one that such a model has?"""
        patterns = (*(one for group in self.needs for one in group), *self.may)
        return PLAIN_NAME.fullmatch(name) is not None and any(fnmatchcase(name, pattern) for pattern in patterns)

    def lacks(self, names: Iterable[str]) -> list[tuple[str, ...]]:
        """The groups of which not one file is there."""
        have = [name for name in names if self.allows(name)]
        return [group for group in self.needs if not any(fnmatchcase(name, one) for name in have for one in group)]


WHISPER = Layout(
    engine="whisper",
    kind="recognizer",
    needs=(("model.bin",), ("config.json",), ("tokenizer.json",), ("vocabulary.json", "vocabulary.txt")),
    may=("preprocessor_config.json", "generation_config.json"),
    weights="model.bin",
    title="a CTranslate2 Whisper model",
)
KOKORO = Layout(
    engine="kokoro",
    kind="synthesizer",
    needs=(("*.onnx",), ("voices*.bin",)),
    may=("config.json",),
    title="a Kokoro model",
)
PIPER = Layout(engine="piper", kind="synthesizer", needs=(("*.onnx",), ("*.onnx.json",)), title="a Piper voice")
CHATTERBOX = Layout(
    engine="chatterbox",
    kind="synthesizer",
    needs=(("t3_cfg.safetensors",), ("s3gen.safetensors",), ("ve.safetensors",), ("tokenizer.json",)),
    weights="t3_cfg.safetensors",
    title="a Chatterbox model",
)
"""Its own voice, `conds.pt`, is a pickle and stays out: it speaks with voices made from recordings."""
LAYOUTS = (WHISPER, KOKORO, PIPER, CHATTERBOX)
KINDS = {"sphinx": "recognizer", "espeak": "synthesizer"} | {layout.engine: layout.kind for layout in LAYOUTS}


def layout_of(engine: str) -> Layout | None:
    return next((layout for layout in LAYOUTS if layout.engine == engine), None)


def is_dangerous(name: str) -> bool:
    """True for files that some library would run when it opens them."""
    return _DANGEROUS.fullmatch(name) is not None


def detect(names: Iterable[str]) -> Layout | None:
    """The layout that a list of file names fits."""
    have = list(names)
    return next((one for one in LAYOUTS if not one.lacks(have)), None)


def missing(names: Iterable[str], layout: Layout | None = None) -> str:
    """What a list of file names lacks to be a model, for messages; without a layout, of the one that is nearest."""
    have = list(names)
    if layout is None:
        layout = min(LAYOUTS, key=lambda one: (not any(map(one.allows, have)), len(one.lacks(have)) / len(one.needs)))
    return f"it is not {layout.title}: {', '.join(' or '.join(group) for group in layout.lacks(have))} missing."


def is_known(name: str) -> bool:
    """Is a file of that name part of any model?"""
    return any(layout.allows(name) for layout in LAYOUTS)


def inspect(directory: Path, *, thorough: bool = True) -> Layout:
    """The layout of a sound model directory. Raises `ModelBroken` saying what is wrong with it.

    Not `thorough`: of large JSON files only both ends are looked at, which finds a cut one and takes no time.
    """
    name = directory.name
    names = {item.name for item in directory.iterdir()} if directory.is_dir() else set()
    layout = detect(names)
    if layout is None:
        raise ModelBroken(name, missing(names))
    for file_name in sorted(filter(layout.allows, names)):
        path = directory / file_name
        if not path.is_file():
            raise ModelBroken(name, f"{file_name} is not a file.")
        if file_name.endswith(".json"):
            check = _check_json if thorough or path.stat().st_size < SMALL_JSON_BYTES else _check_json_ends
            check(path, name)
    if layout is WHISPER:
        _check_weights(directory / "model.bin", name)
    else:
        layout_speech.check(directory, layout.engine)
    return layout


def languages(directory: Path) -> tuple[str, ...]:
    """The language codes in a Whisper vocabulary, `("en",)` for an English-only one; those of a voice. Raises
    `ModelBroken`."""
    layout = detect(item.name for item in directory.iterdir())
    if layout is not None and layout is not WHISPER:
        return layout_speech.languages(directory, layout.engine)
    file = directory / "vocabulary.json"
    stamp = (file if file.is_file() else directory / "vocabulary.txt").stat().st_mtime_ns
    return _languages(directory, stamp)


@lru_cache(maxsize=64)
def _languages(directory: Path, _stamp: int) -> tuple[str, ...]:
    """A directory is looked at several times in a request, and its vocabulary is long."""
    count, special = _vocabulary(directory)
    if count == ENGLISH_ONLY_TOKENS:
        return ("en",)
    known = find("whisper-large-v3")
    return tuple(code for code in special if known and code in known.languages) or ("en",)


def _vocabulary(directory: Path) -> tuple[int, list[str]]:
    """How many tokens there are, and the codes of those that look like languages, without taking each one apart."""
    path = directory / "vocabulary.json"
    is_json = path.is_file()
    path = path if is_json else directory / "vocabulary.txt"
    if path.stat().st_size > MAX_JSON_BYTES:
        raise ModelBroken(directory.name, f"{path.name} is larger than {MAX_JSON_BYTES} bytes.")
    content = path.read_bytes()
    if not is_json:
        lines = content.decode("utf-8", "replace").splitlines()
        return len(lines), [match[1] for line in lines if (match := _LANGUAGE_LINE.fullmatch(line))]
    if not (content.lstrip().startswith(b"[") and content.rstrip().endswith(b"]")):
        raise ModelBroken(directory.name, f"{path.name} is not JSON.")
    quotes = content.replace(rb"\\", b"")  # then a backslash before a quote says that it ends no text
    count = (quotes.count(b'"') - quotes.count(rb"\"")) // 2
    return count, [code.decode() for code in _LANGUAGE_TEXT.findall(content)]


def _check_json(path: Path, name: str) -> object:
    if path.stat().st_size > MAX_JSON_BYTES:
        raise ModelBroken(name, f"{path.name} is larger than {MAX_JSON_BYTES} bytes.")
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise ModelBroken(name, f"{path.name} is not JSON.") from None


def _check_json_ends(path: Path, name: str) -> None:
    with path.open("rb") as file:
        first = file.read(64).lstrip()[:1]
        file.seek(-64, 2)
        last = file.read().rstrip()[-1:]
    if first + last not in (b"{}", b"[]"):
        raise ModelBroken(name, f"{path.name} is not JSON, or is cut off.")


def _check_weights(path: Path, name: str) -> None:
    """Walk the index of a CTranslate2 file, as its `model_spec.py` writes it, without reading any weights."""
    size = path.stat().st_size
    with path.open("rb") as file:
        try:
            version, spec = _read(file, "<I"), _read_string(file)
            if not 4 <= version <= 64 or spec != "WhisperSpec":
                raise ModelBroken(name, "model.bin is not a CTranslate2 Whisper model.")
            _read(file, "<I")  # revision of the spec
            for _ in range(_bounded(_read(file, "<I"), name)):
                _skip_variable(file, size, name)
        except (struct.error, UnicodeDecodeError):
            raise ModelBroken(name, "model.bin ends too early.") from None


def _skip_variable(file: BinaryIO, size_bytes: int, name: str) -> None:
    _read_string(file)
    file.seek(4 * _read(file, "<B"), 1)  # the shape
    _read(file, "<B")  # the type
    data_bytes = _read(file, "<I")
    if file.tell() + data_bytes > size_bytes:
        raise ModelBroken(name, "model.bin is cut off.")
    file.seek(data_bytes, 1)


def _bounded(count: int, name: str) -> int:
    if count > MAX_VARIABLES:
        raise ModelBroken(name, f"model.bin claims {count} variables.")
    return count


def _read(file: BinaryIO, form: str) -> int:
    (value,) = struct.unpack(form, file.read(struct.calcsize(form)))
    return int(value)


def _read_string(file: BinaryIO) -> str:
    length = _read(file, "<H")
    return file.read(length).rstrip(b"\0").decode("utf-8")


def present(directory: Path, layout: Layout) -> list[Path]:
    """The files of a model that the store keeps, sorted by name; links are not among them."""
    names = sorted(item.name for item in directory.iterdir())
    return [path for name in names if layout.allows(name) and is_plain_file(path := directory / name)]
