"""What a handful of rounds can and cannot say: medians, spread, ratios pair by pair, and how sure one may be.

Two contenders of one round ran within minutes of each other on the same machine, so their ratio holds where their times
do not; everything about "faster" is said of such ratios. Numbers drawn at random come from a fixed seed: the same
rounds give the same answer. Knows nothing of speech, peers or files. See docs/decisions/0076.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

DRAWS = 2000
MAX_ARRANGEMENTS = 20_000
"""Up to so many arrangements are all tried; of more, as many are drawn."""
CONFIDENCE = 0.95
_SEED = 20_260


@dataclass(frozen=True, slots=True)
class Summary:
    """The middle of some values, the quarter marks around it, and the extremes."""

    median: float
    low: float
    high: float
    least: float
    most: float
    count: int

    @property
    def spread(self) -> float:
        """The distance between the quarter marks as a share of the median."""
        return (self.high - self.low) / abs(self.median) if self.median else 0.0


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as much: the median over rounds, and the interval that holds it with 95 % confidence.

    Of one or two rounds nothing can be said but the median; the interval is then the range.
    """

    median: float
    low: float
    high: float
    rounds: int

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


def summary(values: Sequence[float]) -> Summary:
    """Raises `ValueError` when there is nothing to sum up."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return Summary(
        statistics.median(ordered),
        percentile(ordered, 25),
        percentile(ordered, 75),
        ordered[0],
        ordered[-1],
        len(ordered),
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """Linear between the two nearest ranks, as NumPy does it."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def pairs(ours: Mapping[int, float], theirs: Mapping[int, float]) -> list[float]:
    """Ours divided by theirs, in each round that both took part in."""
    return [
        ours[number] / theirs[number]
        for number in sorted(ours.keys() & theirs.keys())
        if ours[number] > 0 and theirs[number] > 0
    ]


def ratio(quotients: Sequence[float]) -> Ratio | None:
    """What the quotients of single rounds say together; None when there are none."""
    if not quotients:
        return None
    low, high = bootstrap([math.log(value) for value in quotients])
    return Ratio(statistics.median(quotients), math.exp(low), math.exp(high), len(quotients))


def bootstrap(values: Sequence[float], confidence: float = CONFIDENCE) -> tuple[float, float]:
    """An interval for the median, by drawing the values anew (Efron 1979, percentile method)."""
    if len(values) < 3:
        return min(values), max(values)
    rng = random.Random(_SEED)
    medians = sorted(statistics.median(rng.choices(values, k=len(values))) for _ in range(DRAWS))
    tail = 100 * (1 - confidence) / 2
    return percentile(medians, tail), percentile(medians, 100 - tail)


def permutation_p(before: Sequence[float], after: Sequence[float]) -> float:
    """How often chance alone would put the mean of `after` so far above that of `before` (one-sided, exact if small).

    Fisher's test: were there no difference, any split of all values would have been as likely as the one seen.
    """
    everything = [*before, *after]
    seen = sum(after)
    size, total = len(after), math.comb(len(everything), len(after))
    slack = 1e-9 * (1 + abs(seen))
    if total <= MAX_ARRANGEMENTS:
        hits = sum(sum(chosen) >= seen - slack for chosen in combinations(everything, size))
        return hits / total
    rng = random.Random(_SEED)
    hits = sum(sum(rng.sample(everything, size)) >= seen - slack for _ in range(MAX_ARRANGEMENTS))
    return (hits + 1) / (MAX_ARRANGEMENTS + 1)


def least_p(before: int, after: int) -> float:
    """The smallest answer `permutation_p` can give for so many values: with too few rounds nothing can be shown."""
    return 1 / math.comb(before + after, after) if before and after else 1.0
