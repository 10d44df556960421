"""A run of the speech bench as data: how soon a voice is heard, how fast it is made, and whether it is understood.

Knows nothing of how anything was measured, or of how it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

TTS = "tts"


@dataclass(frozen=True, slots=True)
class TtsCase:
    """One kind of text in one language, spoken several times by one voice, one after the other.

    `first_audible_s` are the seconds until the first audible sample would be heard, of each time; `audio_s` is the
    length of the speech and `wall_s`, `cpu_s` what it took, of all times together. `wer` is what a recogniser made of
    it, None where none knows the language.
    """

    contender: str
    text: str
    language: str
    characters: int
    first_audible_s: tuple[float, ...]
    audio_s: float
    wall_s: float
    cpu_s: float
    wer: float | None = None

    @property
    def rtfx(self) -> float:
        """Seconds of speech made in a second."""
        return self.audio_s / max(self.wall_s, 1e-9)

    @property
    def per_cpu_s(self) -> float:
        return self.audio_s / max(self.cpu_s, 1e-9)


@dataclass(frozen=True, slots=True)
class TtsCrowd:
    """So many at once, each with a sentence at a time."""

    contender: str
    clients: int
    first_audible_s: tuple[float, ...]
    audio_s: float
    wall_s: float
    cpu_s: float

    @property
    def rtfx(self) -> float:
        return self.audio_s / max(self.wall_s, 1e-9)


@dataclass(frozen=True, slots=True)
class TtsRun:
    """One voice. `load_s` is how long the first word took with nothing loaded; `absent` says who could not take part
    and why."""

    voice: str
    engine: str
    recognizer: str
    load_s: float
    resident_mb: float
    cases: tuple[TtsCase, ...]
    crowds: tuple[TtsCrowd, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def parse_run(values: Mapping[str, Any]) -> TtsRun:
    """What `TtsRun.as_json` gives. Raises `TypeError`, `ValueError`, `KeyError` for what is not."""
    parts = {
        "cases": tuple(TtsCase(**_tupled(one)) for one in values["cases"]),
        "crowds": tuple(TtsCrowd(**_tupled(one)) for one in values.get("crowds", ())),
    }
    return TtsRun(**{**values, **parts})


def _tupled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {**values, "first_audible_s": tuple(float(one) for one in values["first_audible_s"])}
