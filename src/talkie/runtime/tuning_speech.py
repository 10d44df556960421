"""Speech with known text as windows that a recogniser takes: short pieces packed together, long ones cut where it is
quiet. Knows nothing of recognisers, and of files only how a few arrays are kept in one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from talkie.text.wer import Wer, word_error_rate
from talkie.types import SAMPLE_RATE_HZ, Samples

WINDOW_S = 29.0
LATEST_S, EARLIEST_S = WINDOW_S, 20.0
"""A long piece is cut between these."""
PAUSE_S = 0.4
QUIET_S = 0.1
MAX_SECONDS = 1200.0
"""Enough to tell candidates apart; what is more is left out."""


@dataclass(frozen=True, slots=True)
class Said:
    """A recording at 16 kHz, what is said in it, and its language (ISO 639-1)."""

    samples: Samples
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Talk:
    """Windows that follow one another, and the text of all of them together."""

    windows: tuple[Samples, ...]
    text: str
    language: str

    @property
    def seconds(self) -> float:
        return sum(len(window) for window in self.windows) / SAMPLE_RATE_HZ


def pack(recordings: Iterable[Said]) -> list[Talk]:
    """By language, in the order they come; at most `MAX_SECONDS` in all."""
    talks: list[Talk] = []
    left_s = MAX_SECONDS
    for group in _groups(recordings):
        talk = (
            _joined(group) if len(group) > 1 else Talk(tuple(cut(group[0].samples)), group[0].text, group[0].language)
        )
        if talk.seconds > left_s:
            break
        left_s -= talk.seconds
        talks.append(talk)
    return talks


def alone(recordings: Iterable[Said]) -> list[Talk]:
    """Each recording by itself."""
    return [Talk(tuple(cut(one.samples)), one.text, one.language) for one in recordings]


def cut(samples: Samples) -> Iterator[Samples]:
    """At most `WINDOW_S` each, cut in the middle of the quietest tenth of a second."""
    latest, earliest = round(LATEST_S * SAMPLE_RATE_HZ), round(EARLIEST_S * SAMPLE_RATE_HZ)
    step = round(QUIET_S * SAMPLE_RATE_HZ)
    while len(samples) > latest:
        near = np.square(samples[earliest:latest])
        loudness = near[: len(near) // step * step].reshape(-1, step).sum(axis=1)
        place = earliest + int(loudness.argmin()) * step + step // 2
        yield samples[:place]
        samples = samples[place:]
    yield samples


def errors(talks: Sequence[Talk], heard: Sequence[Sequence[str]]) -> Wer:
    """Of the texts that were heard in the windows of each talk."""
    rates = (
        word_error_rate(talk.text, " ".join(texts), talk.language) for talk, texts in zip(talks, heard, strict=True)
    )
    return sum(rates, Wer())


def write(talks: Sequence[Talk], path: Path) -> None:
    """All windows in `path` (float32), their lengths, texts and languages beside it."""
    with path.open("wb") as file:
        for talk in talks:
            for window in talk.windows:
                file.write(np.ascontiguousarray(window, np.float32).tobytes())
    index = [
        {"windows": [len(one) for one in talk.windows], "text": talk.text, "language": talk.language} for talk in talks
    ]
    path.with_suffix(".json").write_text(json.dumps(index), encoding="utf-8")


def read(path: Path) -> list[Talk]:
    """As `write` left them."""
    samples = np.fromfile(path, np.float32)
    talks, at = [], 0
    for entry in json.loads(path.with_suffix(".json").read_text(encoding="utf-8")):
        ends = np.cumsum([at, *entry["windows"]])
        windows = tuple(samples[start:end] for start, end in pairwise(ends))
        talks.append(Talk(windows, entry["text"], entry["language"]))
        at = int(ends[-1])
    return talks


def _groups(recordings: Iterable[Said]) -> Iterator[list[Said]]:
    """Recordings of one language that fill a window together; a long one is alone."""
    open_groups: dict[str, list[Said]] = {}
    for one in recordings:
        group = open_groups.setdefault(one.language, [])
        if group and _seconds([*group, one]) > WINDOW_S:
            yield group
            group = open_groups[one.language] = []
        group.append(one)
    yield from (group for group in open_groups.values() if group)


def _seconds(group: Sequence[Said]) -> float:
    return sum(len(one.samples) / SAMPLE_RATE_HZ + PAUSE_S for one in group)


def _joined(group: Sequence[Said]) -> Talk:
    pause = np.zeros(round(PAUSE_S * SAMPLE_RATE_HZ), np.float32)
    samples = np.concatenate([part for one in group for part in (one.samples, pause)])
    return Talk((samples,), " ".join(one.text for one in group), group[0].language)
