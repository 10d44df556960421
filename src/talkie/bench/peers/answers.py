"""What runners answer, as records. Figures are seconds; a missing or impossible figure is an error, never a zero.

Pure: knows nothing of processes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Loaded:
    """What it cost to be ready. `settings` are those that were really set."""

    import_s: float
    import_cpu_s: float
    load_s: float
    load_cpu_s: float
    versions: dict[str, str]
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """One file. `words` are those of the text, `timed_words` those that came with times."""

    text: str
    segments: int
    words: int
    timed_words: int
    wall_s: float
    cpu_s: float
    first_segment_s: float


@dataclass(frozen=True, slots=True)
class Clips:
    """Many clients at once. `latencies_s` and `texts` are in the order of clients, then of their clips; `per_client` is
    how long each client waited in all; `audio_s` is all the sound that was heard."""

    latencies_s: tuple[float, ...]
    per_client: tuple[float, ...]
    texts: tuple[str, ...]
    wall_s: float
    cpu_s: float
    audio_s: float


def loaded_of(answer: dict[str, Any]) -> Loaded:
    """Raises `KeyError`, `TypeError`, `ValueError`, as the others do."""
    return Loaded(
        import_s=_seconds(answer["import_s"]),
        import_cpu_s=_seconds(answer["import_cpu_s"]),
        load_s=_seconds(answer["load_s"]),
        load_cpu_s=_seconds(answer["load_cpu_s"]),
        versions={str(name): str(version) for name, version in answer["versions"].items()},
        settings=dict(answer["settings"]),
    )


def heard_of(answer: dict[str, Any]) -> Heard:
    return Heard(
        text=str(answer["text"]),
        segments=int(answer["segments"]),
        words=int(answer["words"]),
        timed_words=int(answer.get("timed_words", 0)),
        wall_s=_seconds(answer["wall_s"]),
        cpu_s=_seconds(answer["cpu_s"]),
        first_segment_s=_seconds(answer["first_segment_s"]),
    )


def clips_of(answer: dict[str, Any]) -> Clips:
    found = Clips(
        latencies_s=tuple(map(_seconds, answer["latencies_s"])),
        per_client=tuple(map(_seconds, answer["per_client"])),
        texts=tuple(map(str, answer["texts"])),
        wall_s=_seconds(answer["wall_s"]),
        cpu_s=_seconds(answer["cpu_s"]),
        audio_s=_seconds(answer["audio_s"]),
    )
    if len(found.latencies_s) != len(found.texts):
        raise ValueError("as many latencies as texts")
    return found


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"{seconds} is not a time")
    return seconds
