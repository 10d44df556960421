"""A run of the live bench as data: for each number of sessions what people waited and what it cost.

Knows nothing of how anything was measured, or of how it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

LIVE = "live"
LIMIT_S = 2.0
"""A final within so many seconds after the last word, for 95 of 100, and a number of sessions counts as held."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles of `count` delays in seconds."""

    p50: float
    p95: float
    p99: float
    count: int


@dataclass(frozen=True, slots=True)
class LiveRound:
    """`sessions` at once. `failed` are those that did not come to their end, by reason; `unanswered` recordings that no
    final touched. `wer` and `emission` are None for a shape-true model, whose text is nobody's words. The costs are
    None where they are not known; `late_s` is how late the bench itself ever was with a frame."""

    sessions: int
    audio_s: float
    wall_s: float
    utterances: int
    unanswered: int
    failed: Mapping[str, int] = field(default_factory=dict)
    without_partial: int = 0
    first_partial: Spread | None = None
    emission: Spread | None = None
    final: Spread | None = None
    wer: float | None = None
    lag: Spread | None = None
    lag_most_s: float | None = None
    cpu_per_audio_s: float | None = None
    resident_mb: float | None = None
    bench_cpu_s: float = 0.0
    late_s: float = 0.0
    load_average: float = 0.0

    @property
    def held(self) -> bool:
        """All were answered, and in time."""
        whole = not self.failed and not self.unanswered
        return whole and self.final is not None and self.final.p95 < LIMIT_S


@dataclass(frozen=True, slots=True)
class LiveRun:
    """One server with one model. `door` is the way in."""

    contender: str
    model: str
    shape_true: bool
    rounds: tuple[LiveRound, ...]
    door: str = "listen"
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def capacity(self) -> int:
        """The most sessions that are held, with all smaller numbers that were tried; 0 when not even the first."""
        held = 0
        for one in sorted(self.rounds, key=lambda one: one.sessions):
            if not one.held:
                break
            held = one.sessions
        return held

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "capacity": self.capacity, "limit_s": LIMIT_S}


def parse_run(values: Mapping[str, Any]) -> LiveRun:
    """What `LiveRun.as_json` gives. Raises `TypeError`, `ValueError`, `KeyError` for what is not."""
    known = ("contender", "model", "shape_true", "door", "options")
    return LiveRun(
        **{name: values[name] for name in known if name in values},
        rounds=tuple(_round(one) for one in values["rounds"]),
    )


def _round(values: Mapping[str, Any]) -> LiveRound:
    spreads = ("first_partial", "emission", "final", "lag")
    made = {name: Spread(**values[name]) if values.get(name) else None for name in spreads}
    return LiveRound(**{**values, **made})
