"""Recordings with known text: human ones from a manifest, or sentences spoken by the built-in voice.

A manifest is a CSV file with the columns `path` (relative to the manifest), `text`, `language`, `kind` and `seconds`.
Knows nothing of engines that hear.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from talkie.audio.encode import encode_wav
from talkie.bench.sentences import SENTENCES
from talkie.engines import registry
from talkie.engines.base import SynthesizeOptions
from talkie.errors import InvalidValue

LONG_S = 20.0
"""From here on a recording is `long`: it is heard in several windows, and is a set of its own."""

# Of espeak-ng's voices those that a recogniser trained on people understands best (docs/lab-log.md).
VARIANTS = ("klatt4", "klatt5")
VOICES = {"en": "en-us", "de": "de", "es": "es", "fr": "fr-fr"}


@dataclass(frozen=True, slots=True)
class Recording:
    """A file and what is said in it. `kind` is the set it is counted in."""

    path: Path
    text: str
    language: str
    kind: str
    seconds: float

    @property
    def group(self) -> str:
        return "long" if self.seconds >= LONG_S else self.kind


def read_manifest(path: Path, keep: Callable[[Recording], bool] = lambda _: True) -> list[Recording]:
    """The recordings of a manifest that `keep` keeps, in its order. Raises `InvalidValue` when it is not one."""
    path = path / "manifest.csv" if path.is_dir() else path
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [
                Recording(path.parent / row["path"], row["text"], row["language"], row["kind"], float(row["seconds"]))
                for row in csv.DictReader(file)
            ]
    except OSError as error:
        raise InvalidValue("speech", f"The manifest cannot be read: {error.strerror or error}") from error
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        hint = "Its first line must be: path,text,language,kind,seconds"
        raise InvalidValue("speech", f"The manifest is not as expected: {error!r}", hint=hint) from error
    return [row for row in rows if keep(row)]


def synthesize(
    directory: Path, sentences: Sequence[str] = SENTENCES["en"], language: str = "en"
) -> Iterator[Recording]:
    """The sentences as WAV files in `directory`, each spoken by one voice in turn; the same sound every time."""
    voice = registry.load("espeak")()
    try:
        for number, text in enumerate(sentences):
            speaker = f"{VOICES[language]}+{VARIANTS[number % len(VARIANTS)]}"
            chunks = list(voice.synthesize(text, SynthesizeOptions(voice=speaker)))
            samples, rate = np.concatenate([chunk.samples for chunk in chunks]), chunks[0].sample_rate
            path = directory / f"{number:02d}.wav"
            path.write_bytes(encode_wav(samples, rate))
            yield Recording(path, text, language, "synthetic", len(samples) / rate)
    finally:
        voice.close()
