"""Two runs held against each other: is Talkie slower, larger or later than it was, or is that chance?

Every figure is first divided by that of a reference contender in the same round, so that what is compared does not
depend on the machine or on who else was busy there. The test is `statistics.permutation_p` on the logarithms. A
baseline is such ratios in a file, and can stand in for the older run. Knows nothing of tables.
"""

from __future__ import annotations

import json
import math
import statistics as numbers
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from talkie.bench.metrics import METRICS, Figure, clients_name, figures, peer_of
from talkie.bench.results import Result, parse_result, read_json
from talkie.bench.statistics import least_p, pairs, permutation_p
from talkie.errors import InvalidValue

OURS = "talkie"
REFERENCE = "faster-whisper:one-by-one"
BASELINE, SCHEMA = "baseline", 1
SKIPPED = frozenset({"wer", "crowd_fairness"})
"""No ratio of two contenders makes sense of these."""

Finding: TypeAlias = Literal["worse", "better", "same", "too few rounds", "broken", "not measured"]
FAILING: tuple[Finding, ...] = ("worse", "broken")


@dataclass(frozen=True, slots=True)
class Ratios:
    """Talkie's figures as shares of the reference's, a value a round. `broken` could not be measured any more."""

    reference: str
    values: Mapping[Figure, tuple[float, ...]]
    broken: frozenset[Figure] = frozenset()
    processor: str = ""

    def as_json(self) -> dict[str, Any]:
        """What is kept as a baseline: no times, only ratios."""
        rows = [
            {**figure._asdict(), "ratios": [round(one, 4) for one in ratios]} for figure, ratios in self.values.items()
        ]
        return {
            "bench": BASELINE,
            "schema": SCHEMA,
            "reference": self.reference,
            "processor": self.processor,
            "figures": rows,
        }


@dataclass(frozen=True, slots=True)
class Strictness:
    """A change counts when it is larger than `tolerance` and chance would do it less often than `alpha`."""

    alpha: float = 0.01
    tolerance: float = 0.03


@dataclass(frozen=True, slots=True)
class Change:
    """One figure, old and new. `change` is new divided by old, `p` how often chance alone would look that bad."""

    figure: Figure
    finding: Finding
    old: float | None = None
    new: float | None = None
    p: float | None = None

    @property
    def change(self) -> float | None:
        return self.new / self.old if self.new and self.old else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`same_processor` False: ratios carry over between machines, but not from one kind of processor to all others."""

    changes: tuple[Change, ...]
    same_processor: bool = True
    strictness: Strictness = field(default_factory=Strictness)

    @property
    def failed(self) -> bool:
        return any(change.finding in FAILING for change in self.changes)

    def as_json(self) -> dict[str, Any]:
        rows = [
            {**one.figure._asdict(), "finding": one.finding, "old": one.old, "new": one.new, "p": one.p}
            for one in self.changes
        ]
        return {"failed": self.failed, "same_processor": self.same_processor, "changes": rows}


def ratios(result: Result, reference: str = REFERENCE) -> Ratios:
    """Raises `InvalidValue` when the reference did not take part."""
    found = figures(result)
    if not any(figure.contender == reference for figure in found):
        known = sorted({figure.contender for figure in found if peer_of(figure.contender) != OURS})
        hint = f"Measured there: {', '.join(known) or 'nobody but Talkie'}."
        raise InvalidValue("reference", f"There is no figure of {reference!r} in the run.", hint=hint)
    values = {}
    for figure, rounds in found.items():
        quotients = pairs(rounds, found.get(figure._replace(contender=reference), {}))
        if peer_of(figure.contender) == OURS and figure.metric not in SKIPPED and quotients:
            values[figure] = tuple(quotients)
    processor = str(result.machine.get("processor", ""))
    return Ratios(reference, values, frozenset(_broken(result)), processor)


def compare(old: Ratios, new: Ratios, strictness: Strictness | None = None) -> Comparison:
    """Raises `InvalidValue` when the two are ratios to different references, or have nothing in common."""
    strictness = strictness or Strictness()
    if old.reference != new.reference:
        raise InvalidValue("reference", f"Ratios to {old.reference!r} and to {new.reference!r} cannot be compared.")
    changes = [_change(figure, before, new, strictness) for figure, before in old.values.items()]
    if all(change.finding == "not measured" for change in changes):
        raise InvalidValue("result", "The two runs have no figure in common.", hint="Same models, files and peers?")
    return Comparison(tuple(changes), old.processor == new.processor, strictness)


def read_ratios(path: Path, reference: str = REFERENCE) -> Ratios:
    """Of a result file, of what `talkie bench speed` printed, or of a baseline. Raises `InvalidValue`."""
    values = read_json(path)
    if values.get("bench") != BASELINE:
        return ratios(parse_result(values, path.name), reference)
    if values.get("schema") != SCHEMA:
        raise InvalidValue("result", f"{path.name} is a baseline of a schema that is not known here.")
    try:
        rows = {
            Figure(row["metric"], row["contender"], row["model"], row["workload"]): tuple(map(float, row["ratios"]))
            for row in values["figures"]
        }
        if not all(0 < one < math.inf for values_of in rows.values() for one in values_of):
            raise ValueError("a ratio is not above 0")
        return Ratios(str(values["reference"]), rows, processor=str(values.get("processor", "")))
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidValue("result", f"{path.name} is not as expected: {error!r}") from error


def write_baseline(path: Path, kept: Ratios) -> None:
    path.write_text(json.dumps(kept.as_json(), indent=1) + "\n", encoding="utf-8")


def _change(figure: Figure, before: tuple[float, ...], new: Ratios, strictness: Strictness) -> Change:
    after = new.values.get(figure)
    if not after or not before or figure.metric not in METRICS:
        finding: Finding = "broken" if figure in new.broken else "not measured"
        return Change(figure, finding, numbers.median(before) if before else None)
    sign = -1 if METRICS[figure.metric].higher else 1
    old_logs, new_logs = ([sign * math.log(value) for value in values] for values in (before, after))
    p_worse, p_better = permutation_p(old_logs, new_logs), permutation_p(new_logs, old_logs)
    middle = numbers.median(before), numbers.median(after)
    moved = sign * math.log(middle[1] / middle[0])
    large = abs(moved) > math.log1p(strictness.tolerance)
    finding = "same"
    if large and least_p(len(before), len(after)) >= strictness.alpha:
        finding = "too few rounds"
    elif large and moved > 0 and p_worse < strictness.alpha:
        finding = "worse"
    elif large and moved < 0 and p_better < strictness.alpha:
        finding = "better"
    return Change(figure, finding, *middle, p_worse)


def _broken(result: Result) -> list[Figure]:
    """Figures of ours that a run wanted to take and could not: it failed, or wrote another text."""
    gone = [(case.contender, case.model, case.workload) for case in result.cases if case.error or not case.text_ok] + [
        (crowd.contender, crowd.model, clients_name(crowd.clients))
        for crowd in result.crowds
        if crowd.error or any(one.text_ok is False for one in crowd.rounds)
    ]
    return [Figure(metric, *place) for place in gone if peer_of(place[0]) == OURS for metric in METRICS]
