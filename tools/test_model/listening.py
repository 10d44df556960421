"""What the test model is tried on, and how its answers are counted. Needs no PyTorch."""

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
import soxr

from test_model.speech import SAMPLE_RATE_HZ, Floats, Speaker
from test_model.words import WORDS, random_digits, random_sentence, random_words


def word_errors(heard: list[str], said: list[str]) -> int:
    """Levenshtein's distance in words."""
    row = list(range(len(said) + 1))
    for i, word in enumerate(heard, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(said, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]


@dataclass
class Heard:
    """A held-out window: sound, its words and the times of its segments in seconds."""

    samples: Floats
    words: list[str]
    times: list[tuple[float, float]]
    word_times: list[tuple[float, float]] = field(default_factory=list)


def held_out(count: int, seed: int) -> list[Heard]:
    """Texts and voices that training never met, said as espeak-ng says them, one to three segments a window."""
    speaker = Speaker(held_out=True, seed=seed)
    rng = random.Random(seed)
    tests: list[Heard] = []
    while len(tests) < count:
        parts = [np.zeros(int(rng.uniform(0, 0.8) * SAMPLE_RATE_HZ), np.float32)]
        words: list[str] = []
        times: list[tuple[float, float]] = []
        places: list[tuple[float, float]] = []
        at = len(parts[0]) / SAMPLE_RATE_HZ
        for _ in range(rng.choice((1, 1, 2, 3))):
            kind = rng.random()
            size = rng.randint(3, 8)
            text = random_digits(rng, size) if kind < 0.5 else random_words(rng, size) if kind < 0.65 else None
            try:
                samples, spoken = speaker.say(text or random_sentence(rng), plain=True)
            except (ValueError, RuntimeError):
                continue
            parts += [samples, np.zeros(int(0.5 * SAMPLE_RATE_HZ), np.float32)]
            words += [WORDS[i] for i, _, _ in spoken]
            places += [(at + a, at + b) for _, a, b in spoken]
            times.append((at + spoken[0][1], at + spoken[-1][2]))
            at += (len(samples) + len(parts[-1])) / SAMPLE_RATE_HZ
        if words:
            tests.append(Heard(np.concatenate(parts), words, times, places))
    return tests


def human_digits(manifest: Path, count: int, seed: int) -> Iterator[Heard]:
    """Strings of three to eight digits, each of one speaker, made from recordings of single digits.

    `manifest` is a table with the columns path, text and kind; kind is "digit", and the file names are those of the
    Free Spoken Digit Dataset: number, speaker, take. For trial only: nothing of it goes into training.
    """
    rng = random.Random(seed)
    speakers: dict[str, list[tuple[str, str]]] = {}
    with manifest.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["kind"] == "digit":
                speakers.setdefault(Path(row["path"]).stem.split("_")[1], []).append((row["path"], row["text"]))
    for number in range(count):
        takes = rng.choices(speakers[sorted(speakers)[number % len(speakers)]], k=rng.randint(3, 8))
        parts = [np.zeros(int(rng.uniform(0.1, 0.6) * SAMPLE_RATE_HZ), np.float32)]
        for path, _ in takes:
            samples, rate = soundfile.read(manifest.parent / path, dtype="float32")
            parts.append(soxr.resample(samples, rate, SAMPLE_RATE_HZ).astype(np.float32))
            parts.append(np.zeros(int(rng.uniform(0.05, 0.25) * SAMPLE_RATE_HZ), np.float32))
        yield Heard(np.concatenate(parts), [text for _, text in takes], [])
