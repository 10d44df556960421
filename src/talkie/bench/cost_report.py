"""What the planner found, as text, as values for JSON, and as a picture. Knows nothing of the formula."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from talkie.bench import charts
from talkie.bench.cost import BAKED, VOLUME, Way, break_even, decides, least
from talkie.bench.cost_inputs import Plan
from talkie.bench.report import table

TICKS = 10
HEAD = 30
"""Pixels above a picture, for what it says."""
SAID_TERMS = {"pulls": "pulls", "gpu": "the machine's minutes", "storage": "storage", "losses": "lost volumes"}
STYLE = (
    "svg{background:#fff}text{font:13px system-ui,sans-serif;fill:#5d6675}.legend{fill:#1d2430}"
    ".grid{stroke:#dfe2e8;fill:none}.line{fill:none;stroke-width:2}"
    ".line.c0{stroke:#4c6ef5}rect.c0,circle.c0{fill:#4c6ef5}.line.c2{stroke:#9c36b5}rect.c2,circle.c2{fill:#9c36b5}"
    ".line.c2{stroke-dasharray:7 6}"
    ".line.ours{stroke:#d9480f;stroke-width:3.5}rect.ours,circle.ours{fill:#d9480f}"
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A plan and what came of it. `source` says whose prices they are."""

    plan: Plan
    ways: tuple[Way, ...]
    source: str

    def way(self, name: str) -> Way:
        return next(way for way in self.ways if way.name == name)

    @property
    def break_even(self) -> float | None:
        return break_even(self.way(BAKED), self.way(VOLUME))

    @property
    def cheapest(self) -> tuple[str, ...]:
        return least(self.ways, lambda way: way.month_usd(self.plan.restarts))

    @property
    def quickest(self) -> tuple[str, ...]:
        return least(self.ways, lambda way: way.month_minutes(self.plan.restarts))


def values(outcome: Outcome) -> dict[str, Any]:
    """For JSON. Money and minutes are not rounded."""
    restarts = outcome.plan.restarts
    decided = decides(outcome.way(BAKED), outcome.way(VOLUME), restarts)
    return {
        "prices": outcome.source,
        "plan": asdict(outcome.plan),
        "ways": {way.name: _way_values(way, restarts) for way in outcome.ways},
        "break_even_restarts": outcome.break_even,
        "cheapest": list(outcome.cheapest),
        "quickest": list(outcome.quickest),
        "decides": decided and {"term": decided[0], "baked_dearer_by_usd": decided[1]},
    }


def _way_values(way: Way, restarts: float) -> dict[str, Any]:
    return {
        "month_usd": way.month_usd(restarts),
        "month_minutes": way.month_minutes(restarts),
        "first_month_usd": way.first_month_usd(restarts),
        "first_month_minutes": way.first_month_minutes(restarts),
        "month_usd_by_term": way.terms(restarts),
        "once_usd": {"push": way.push_usd, "first_pull": way.first_usd},
    }


def text(outcome: Outcome) -> str:
    """A table and what it says."""
    restarts, plan = outcome.plan.restarts, outcome.plan
    starts = f"{restarts:g} {'start' if restarts == 1 else 'starts'} a month"
    title = f"{starts}, {plan.pulled_weights_gb:g} GB of weights; prices: {outcome.source}"
    head = ("", "a month", "waiting", "first month", "waiting", "pulls", "machine", "storage", "losses")
    rows = [_row(way, restarts) for way in outcome.ways]
    return "\n".join([title, "", table(head, rows), "", *_sentences(outcome)])


def _row(way: Way, restarts: float) -> tuple[str, ...]:
    month = (money(way.month_usd(restarts)), f"{way.month_minutes(restarts):.0f} min")
    first = (money(way.first_month_usd(restarts)), f"{way.first_month_minutes(restarts):.0f} min")
    return way.name, *month, *first, *(money(value) for value in way.terms(restarts).values())


def _sentences(outcome: Outcome) -> Iterator[str]:
    yield f"cheapest: {' and '.join(outcome.cheapest)}; quickest: {' and '.join(outcome.quickest)}"
    yield f"break-even: {break_even_text(outcome.break_even)}"
    decided = decides(outcome.way(BAKED), outcome.way(VOLUME), outcome.plan.restarts)
    if decided is None:
        yield "what decides: nothing costs anything here but your time"
    else:
        term, usd = decided
        whom = "the volume" if usd > 0 else "the baked image"
        yield f"what decides: {SAID_TERMS[term]}, {money(abs(usd))} a month in favour of {whom}"


def break_even_text(restarts: float | None) -> str:
    if restarts is None:
        return "none; a volume never becomes cheaper than the baked image at these prices"
    if restarts == 0:
        return "a volume is cheaper from the first start"
    said = f"{restarts:.1f}" if restarts < 9.95 else f"{restarts:,.0f}"
    return f"a volume is cheaper than the baked image from {said} starts a month"


def money(usd: float) -> str:
    return f"{usd:,.2f} $"


def svg(outcome: Outcome) -> str:
    """A picture that stands alone: an ordinary month's cost over its starts."""
    step = _step(max(outcome.plan.restarts, min(outcome.break_even or 0.0, 1e6)) * 1.5 / TICKS)
    starts = [step * number for number in range(TICKS + 1)]
    lines = [_line(way, starts) for way in outcome.ways]
    title = f"$ a month over starts a month. {break_even_text(outcome.break_even).capitalize()}"
    drawn = charts.lines(title, [f"{count:g}" for count in starts], lines)
    width, height = drawn.split('"', 2)[1].split()[2:]
    said = f'<text class="legend" x="20" y="{HEAD - 8}">{escape(title)}</text>'
    inner = drawn.replace("<svg ", f'<svg y="{HEAD}" width="{width}" height="{height}" ', 1)
    box = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {int(height) + HEAD}"'
    return f"<svg {box}><style>{STYLE}</style>{said}{inner}</svg>\n"


def _line(way: Way, starts: Sequence[float]) -> charts.Line:
    points = tuple((place, way.month_usd(count)) for place, count in enumerate(starts))
    return charts.Line(way.name, points, way.name == VOLUME)


def _step(rough: float) -> float:
    """The next round number that is not smaller; at least one start."""
    unit = 10.0 ** math.floor(math.log10(max(rough, 1.0)))
    return min(unit * part for part in (1, 2, 5, 10) if unit * part >= rough)
