"""Word error rate and speed over recordings with known text, through the same service that every door uses.

What is measured: the share of words that are wrong, missing or invented (Levenshtein over normalised words, see
`talkie.text.normalize`), summed over the words of a set; RTFx, seconds of sound heard in a second of time, one
recording after the other; and processor seconds, worker processes included. Loading the model is not counted.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkie.bench.machine import processor_seconds
from talkie.bench.recordings import Recording
from talkie.bench.report import percent, table
from talkie.runtime.requests import TranscribeRequest
from talkie.runtime.service import Service
from talkie.text.wer import Wer, word_error_rate
from talkie.types import Transcript


@dataclass(frozen=True, slots=True)
class Heard:
    """One recording, what was heard in it, and how long that took."""

    recording: Recording
    text: str
    wer: Wer
    wall_s: float


@dataclass(frozen=True, slots=True)
class WerResult:
    """All that was heard with one model."""

    model: str
    heard: tuple[Heard, ...]
    processor_s: float
    wall_s: float

    @property
    def sound_s(self) -> float:
        return sum(one.recording.seconds for one in self.heard)

    @property
    def total(self) -> Wer:
        return add(one.wer for one in self.heard)

    def groups(self) -> dict[str, list[Heard]]:
        """By set, in the order of first appearance, `long` last."""
        found: dict[str, list[Heard]] = {}
        for one in self.heard:
            found.setdefault(one.recording.group, []).append(one)
        return dict(sorted(found.items(), key=lambda pair: pair[0] == "long"))

    def as_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "wer": round(self.total.rate, 4),
            "words": self.total.words,
            "sets": {name: round(add(one.wer for one in group).rate, 4) for name, group in self.groups().items()},
            "recordings": len(self.heard),
            "sound_s": round(self.sound_s, 1),
            "wall_s": round(self.wall_s, 2),
            "processor_s": round(self.processor_s, 2),
            "rtfx": round(self.sound_s / max(self.wall_s, 1e-9), 2),
        }


def measure(
    service: Service,
    recordings: Sequence[Recording],
    request: TranscribeRequest,
    progress: Callable[[int], None] = lambda _: None,
) -> WerResult:
    """Hear each recording once, the first one twice: the first time the model is loaded. Raises `talkie.errors`."""
    for recording in recordings[:1]:
        _hear(service, recording, request)
    cpu, began = processor_seconds(os.getpid()), time.monotonic()
    heard = []
    model = ""
    for number, recording in enumerate(recordings):
        start = time.monotonic()
        transcript = _hear(service, recording, request)
        wall_s = time.monotonic() - start
        model = transcript.model
        wer = word_error_rate(recording.text, transcript.text, recording.language)
        heard.append(Heard(recording, transcript.text, wer, wall_s))
        progress(number + 1)
    wall_s = time.monotonic() - began
    return WerResult(model, tuple(heard), processor_seconds(os.getpid()) - cpu, wall_s)


def as_table(result: WerResult) -> str:
    """One line a set, and the total."""
    rows = [_row(name, group) for name, group in result.groups().items()]
    short = [one for one in result.heard if one.recording.group != "long"]
    if len(result.groups()) > 2 and len(short) < len(result.heard):
        rows.append(_row("all but long", short))
    rows.append(_row("all", result.heard))
    return table(("set", "files", "sound", "words", "WER", "wrong", "missing", "extra", "RTFx"), rows)


def write_predictions(path: Path, results: Iterable[WerResult]) -> None:
    """What was heard as the JSON lines of the Open ASR leaderboard, so that anyone can score it with their script."""
    with path.open("w", encoding="utf-8") as file:
        for result in results:
            for one in result.heard:
                line = {
                    "audio_filepath": str(one.recording.path),
                    "duration": one.recording.seconds,
                    "time": round(one.wall_s, 4),
                    "text": one.recording.text,
                    "pred_text": one.text,
                }
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


def add(rates: Iterable[Wer]) -> Wer:
    return sum(rates, Wer())


def _hear(service: Service, recording: Recording, request: TranscribeRequest) -> Transcript:
    *_, last = service.transcribe(recording.path, request)
    assert isinstance(last, Transcript)
    return last


def _row(name: str, group: Sequence[Heard]) -> tuple[str, ...]:
    wer = add(one.wer for one in group)
    sound_s, wall_s = sum(one.recording.seconds for one in group), sum(one.wall_s for one in group)
    counts = (wer.words, percent(wer.rate), wer.substitutions, wer.deletions, wer.insertions)
    return (name, str(len(group)), f"{sound_s:.0f} s", *map(str, counts), f"{sound_s / max(wall_s, 1e-9):.1f}")
