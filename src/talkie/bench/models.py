"""Shape-true models on disk: DIR/<size>/<format>/, one shape.json beside the weights of each.

The same size and seed are the same weights in every format. A form that is there, whole and made for the same wish, is
kept. Knows no command line; what the forms look like is in `formats_*`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkie.bench.shape_script import Script, learn, written_text
from talkie.bench.shape_tiktoken import read_vocabulary
from talkie.bench.shape_true import SHAPES, SPEED_ONLY
from talkie.bench.shape_vocabulary import Vocabulary, make_vocabulary
from talkie.errors import InvalidValue

RECORD = "shape.json"
EDITION = 4
"""Counts changes of what is written, so that a directory of an older edition is made anew."""
FORMATS = ("ct2-float32", "ct2-int8", "openai", "ggml", "hf", "openvino")
WORDS = Script().words
_HASHED_AT_ONCE = 1 << 20

Report = Callable[[str, int, int], None]
"""What is being made, its number, and of how many."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to make. `vocabulary` is Whisper's own multilingual.tiktoken, else one is made up. `python` runs
    optimum-intel, for the format `openvino` alone. `words` are written for each window: what is said in 30 s, or in a
    sentence."""

    out: Path
    sizes: tuple[str, ...] = ("tiny", "base")
    formats: tuple[str, ...] = ("ct2-int8",)
    seed: int = 0
    vocabulary: Path | None = None
    python: Path | None = None
    words: int = WORDS

    @property
    def script(self) -> Script:
        """What the models write: as many words as wished, in phrases of about ten seconds at that rate."""
        return Script(words=self.words, segments=max(1, round(3 * self.words / WORDS)))


@dataclass(frozen=True, slots=True)
class Made:
    """One model in one format. `text` is what it writes for each window of 30 s."""

    directory: Path
    size: str
    format: str
    seed: int
    text: str
    vocabulary: str
    sha256: str

    def as_json(self) -> dict[str, Any]:
        named = ("size", "format", "seed", "text", "vocabulary", "sha256")
        return {name: getattr(self, name) for name in named} | {"edition": EDITION, "use": SPEED_ONLY}


def _nobody(_what: str, _number: int, _of: int) -> None:
    pass


def make_models(wish: Wish, report: Report = _nobody) -> list[Made]:
    """Make all that is wished and not there. Raises `InvalidValue`; `EngineFailed` where an export fails."""
    _check(wish)
    made: list[Made] = []
    of = len(wish.sizes) * len(wish.formats)
    for size in wish.sizes:
        maker = _Maker(wish, size)
        for form in wish.formats:
            report(f"{size} {form}", len(made), of)
            made.append(maker.make(form))
    report("", of, of)
    return made


def read_made(directory: Path) -> Made | None:
    """What stands in the directory's shape.json; None where there is none, or it is of another edition."""
    try:
        found = json.loads((directory / RECORD).read_text(encoding="utf-8"))
        if found.pop("edition") != EDITION:
            return None
        found.pop("use")
        return Made(directory, **found)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


class _Maker:
    """All formats of one size. What they share is made when the first is not there."""

    def __init__(self, wish: Wish, size: str) -> None:
        self._wish, self._size = wish, size
        languages = SHAPES[size].languages
        if wish.vocabulary is not None:
            self._vocabulary = read_vocabulary(wish.vocabulary, languages=languages, seed=wish.seed)
        else:
            self._vocabulary = make_vocabulary(languages=languages)
        self._text = written_text(wish.script, self._vocabulary)
        self._weights: Any = None

    def make(self, form: str) -> Made:
        directory = self._wish.out / self._size / form
        found = read_made(directory)
        if found is not None and self._fits(found):
            return found
        shutil.rmtree(directory, ignore_errors=True)
        # written beside its place and renamed, so that a directory that is there is whole
        partial = directory.with_name(f".{form}.part")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        weights = self._write(form, partial)
        made = Made(
            directory,
            self._size,
            form,
            self._wish.seed,
            self._text,
            self._vocabulary.source,
            _sha256(weights),
        )
        (partial / RECORD).write_text(json.dumps(made.as_json(), indent=1, ensure_ascii=False), encoding="utf-8")
        partial.rename(directory)
        return made

    def _fits(self, found: Made) -> bool:
        wished = (self._wish.seed, self._text, self._vocabulary.source)
        return (found.seed, found.text, found.vocabulary) == wished

    def _write(self, form: str, directory: Path) -> Path:
        if form == "openvino":
            return self._export(directory)
        if self._weights is None:
            from talkie.bench.shape_weights import Weights

            self._weights = Weights(SHAPES[self._size], learn(self._vocabulary, self._wish.script), self._wish.seed)
        return _write(form, directory, self._weights, self._vocabulary)

    def _export(self, directory: Path) -> Path:
        from talkie.bench.formats_openvino import export_openvino

        assert self._wish.python is not None
        return export_openvino(self.make("hf").directory, directory, self._wish.python)


def _write(form: str, directory: Path, weights: Any, vocabulary: Vocabulary) -> Path:
    from talkie.bench.formats_ct2 import write_ct2
    from talkie.bench.formats_ggml import write_ggml
    from talkie.bench.formats_hf import write_hf
    from talkie.bench.formats_openai import write_openai

    if form == "openai":
        return write_openai(directory, weights)
    if form == "ggml":
        return write_ggml(directory, weights, vocabulary)
    if form == "hf":
        return write_hf(directory, weights, vocabulary)
    return write_ct2(directory, weights, vocabulary, form.removeprefix("ct2-"))


def _check(wish: Wish) -> None:
    for param, given, known in (("sizes", wish.sizes, tuple(SHAPES)), ("formats", wish.formats, FORMATS)):
        for one in given:
            if one not in known:
                raise InvalidValue(param, f"{one[:40]!r} is not known.", hint=f"Known are {', '.join(known)}.")
    if "openvino" in wish.formats and wish.python is None:
        raise InvalidValue(
            "python",
            "the format openvino needs an interpreter that has optimum-intel.",
            hint="Name it with --exporter, for example .venv-export/bin/python.",
        )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASHED_AT_ONCE):
            digest.update(block)
    return digest.hexdigest()
