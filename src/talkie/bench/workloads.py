"""What every contender is given to hear: files of a stated length, language and sample rate, with their text.

Made of whole recordings, human ones where there are any, else sentences of the built-in voice; what is left to the
stated length is silence. A file is made once and kept (16-bit mono WAV), named after what is in it, so that two runs
hear the same samples. Knows nothing of contenders.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np

from talkie.bench.recordings import Recording, synthesize
from talkie.bench.sentences import SENTENCES
from talkie.errors import InvalidValue
from talkie.types import Samples

LENGTHS_S = {"5s": 5, "30s": 30, "5min": 300, "30min": 1800}
RATES_HZ = {"8": 8_000, "16": 16_000, "44.1": 44_100}
LANGUAGES = tuple(SENTENCES)
PAUSE_S = 0.4
MAX_SKIPPED = 50
"""So many recordings in a row that are too long for what is left, and the rest is silence."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One file. `first` is the recording it begins with: clips of one length differ by it."""

    length: str = "5min"
    language: str = "en"
    rate: str = "16"
    first: int = 0

    def __post_init__(self) -> None:
        for param, value, known in (
            ("file", self.length, LENGTHS_S),
            ("language", self.language, LANGUAGES),
            ("rate", self.rate, RATES_HZ),
        ):
            if value not in known:
                raise InvalidValue(param, f"There is no workload of {value!r}.", hint=f"One of: {', '.join(known)}.")

    @property
    def name(self) -> str:
        return f"{self.length}-{self.language}-{self.rate}k" + (f"-{self.first}" if self.first else "")

    @property
    def seconds(self) -> float:
        return LENGTHS_S[self.length]

    @property
    def rate_hz(self) -> int:
        return RATES_HZ[self.rate]


def prepare(workload: Workload, kept: Path, human: Sequence[Recording] = ()) -> Recording:
    """The file of a workload, made under `kept` where it is missing. Recordings in other languages are left out."""
    human = [one for one in human if one.language == workload.language and one.seconds <= workload.seconds]
    kind = "human" if human else "synthetic"
    path = kept / f"{workload.name}-{kind}-{_digest(workload, human)}.wav"
    if not path.exists():
        kept.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="talkie-bench-") as directory:
            spoken = human or list(synthesize(Path(directory), SENTENCES[workload.language], workload.language))
            _write(path, workload, spoken)
    text = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["text"]
    return Recording(path, text, workload.language, kind, workload.seconds)


def clips(count: int, workload: Workload, kept: Path, human: Sequence[Recording] = ()) -> list[Recording]:
    """`count` files of one length that begin with different recordings."""
    return [prepare(_shifted(workload, number), kept, human) for number in range(count)]


def _shifted(workload: Workload, first: int) -> Workload:
    return Workload(workload.length, workload.language, workload.rate, first)


def _write(path: Path, workload: Workload, spoken: Sequence[Recording]) -> None:
    """The text beside the sound, the sound last and at once: a file that is there is whole."""
    import soundfile

    texts: list[str] = []
    samples = np.concatenate(list(_parts(workload, spoken, texts)))
    path.with_suffix(".json").write_text(json.dumps({"text": " ".join(texts)}, ensure_ascii=False), encoding="utf-8")
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    soundfile.write(partial, samples, workload.rate_hz, format="WAV", subtype="PCM_16")
    partial.replace(path)


def _parts(workload: Workload, spoken: Sequence[Recording], texts: list[str]) -> Iterator[Samples]:
    """Whole recordings with pauses while they fit, then silence; what was said is added to `texts`."""
    pause = np.zeros(round(PAUSE_S * workload.rate_hz), np.float32)
    left = round(workload.seconds * workload.rate_hz)
    skipped = 0
    turn = workload.first % len(spoken)
    for one in cycle([*spoken[turn:], *spoken[:turn]]):
        samples = _at_rate(one.path, workload.rate_hz)
        if len(samples) + len(pause) > left:
            skipped += 1
            if skipped > min(MAX_SKIPPED, len(spoken)):
                break
            continue
        skipped = 0
        left -= len(samples) + len(pause)
        texts.append(one.text)
        yield samples
        yield pause
    yield np.zeros(left, np.float32)


def _at_rate(path: Path, rate_hz: int) -> Samples:
    import soundfile
    import soxr

    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return np.asarray(soxr.resample(samples.mean(axis=1), rate, rate_hz), np.float32)


def _digest(workload: Workload, human: Sequence[Recording]) -> str:
    """Changes when what is said, or how it is joined, does."""
    said = [(one.path.name, one.text, one.seconds) for one in human] or SENTENCES[workload.language]
    return hashlib.sha256(repr((said, PAUSE_S)).encode()).hexdigest()[:8]
