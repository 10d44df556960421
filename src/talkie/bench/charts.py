"""Pictures of figures as SVG, drawn by hand: bars with their spread, lines over clients, clouds of latencies.

A chart is a string that stands in an HTML page; colours are CSS variables of that page, so that it is right by day and
by night. Numbers are written beside the shapes: nothing is told by colour alone. Knows nothing of results.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from talkie.bench.statistics import percentile

WIDTH, LABEL, VALUE = 760, 190, 180
ROW, BAR, PAD = 34, 16, 12
COLOURS = 7
MAX_DOTS = 400


@dataclass(frozen=True, slots=True)
class Bar:
    """One row. `low` and `high` are the spread around `value`; `ours` is the one that the report is about."""

    label: str
    value: float
    low: float
    high: float
    said: str
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One contender over the ticks of the axis: `(place, value)`."""

    label: str
    points: tuple[tuple[int, float], ...]
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Cloud:
    """All values of one row."""

    label: str
    values: tuple[float, ...]
    ours: bool = False


def bars(title: str, rows: Sequence[Bar]) -> str:
    """Horizontal bars from zero, each with whiskers for its spread and its figure in words."""
    most = max((row.high for row in rows), default=0.0) or 1.0
    width = WIDTH - LABEL - VALUE
    parts = []
    for number, row in enumerate(rows):
        top, scale = PAD + number * ROW, width / most
        middle, kind = top + ROW / 2, "ours" if row.ours else "theirs"
        low, high = LABEL + row.low * scale, LABEL + row.high * scale
        parts += [
            _text(LABEL - 10, middle, row.label, "end", kind),
            f'<rect class="{kind}" x="{LABEL}" y="{middle - BAR / 2:.1f}" width="{max(row.value * scale, 1):.1f}" '
            f'height="{BAR}" rx="3"/>',
            f'<path class="whisker" d="M{low:.1f} {middle - 5:.1f}v10M{low:.1f} {middle:.1f}H{high:.1f}M{high:.1f} '
            f'{middle - 5:.1f}v10"/>',
            _text(max(high, LABEL + row.value * scale) + 8, middle, row.said, "start", "figure"),
        ]
    return _svg(title, PAD * 2 + ROW * len(rows), parts)


def ratios(title: str, rows: Sequence[Bar]) -> str:
    """Dots with intervals on a logarithmic axis; the line at 1 is "as much as the other"."""
    values = [value for row in rows for value in (row.low, row.high) if value > 0]
    low, high = min([*values, 0.8]) / 1.1, max([*values, 1.25]) * 1.1
    span = math.log(high / low)
    width = WIDTH - LABEL - VALUE

    def at(value: float) -> float:
        return LABEL + width * math.log(max(value, low) / low) / span

    bottom = PAD + ROW * len(rows)
    parts = []
    for tick in _log_ticks(low, high):
        kind = "one" if tick == 1 else "grid"
        parts.append(f'<path class="{kind}" d="M{at(tick):.1f} {PAD}V{bottom}"/>')
        parts.append(_text(at(tick), bottom + 14, f"{tick:g}", "middle", "tick"))
    for number, row in enumerate(rows):
        middle = PAD + number * ROW + ROW / 2
        parts += [
            _text(LABEL - 10, middle, row.label, "end", "theirs"),
            f'<path class="interval" d="M{at(row.low):.1f} {middle:.1f}H{at(row.high):.1f}"/>',
            f'<circle class="ours" cx="{at(row.value):.1f}" cy="{middle:.1f}" r="6"/>',
            _text(WIDTH - VALUE + 8, middle, row.said, "start", "figure"),
        ]
    return _svg(title, bottom + 26, parts)


def lines(title: str, ticks: Sequence[str], rows: Sequence[Line]) -> str:
    """One line a contender over evenly spaced ticks, from zero."""
    most = max((value for row in rows for _, value in row.points), default=0.0) or 1.0
    left, right, top, bottom = 60, WIDTH - 20, PAD + 6, 300
    step = (right - left - 40) / max(1, len(ticks) - 1)
    parts = []
    for mark in _ticks(most):
        y = bottom - (bottom - top) * mark / most
        parts.append(f'<path class="grid" d="M{left} {y:.1f}H{right}"/>')
        parts.append(_text(left - 8, y, f"{mark:g}", "end", "tick"))
    parts += [_text(left + 20 + step * place, bottom + 18, name, "middle", "tick") for place, name in enumerate(ticks)]
    height = bottom + 34
    for number, row in enumerate(rows):
        kind = "ours" if row.ours else f"c{number % COLOURS}"
        spots = [(left + 20 + step * place, bottom - (bottom - top) * value / most) for place, value in row.points]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in spots)
        parts.append(f'<path class="line {kind}" d="M{path}"/>' if path else "")
        parts += [f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in spots]
        x, y = left + 20 + (number % 2) * 320, height + 8 + (number // 2) * 22
        last = f" {row.points[-1][1]:.1f}" if row.points else ""
        parts += [f'<rect class="{kind}" x="{x}" y="{y - 5}" width="14" height="10" rx="2"/>']
        parts.append(_text(x + 20, y, row.label + last, "start", "legend"))
    return _svg(title, height + 22 * math.ceil(len(rows) / 2) + 8, parts)


def clouds(title: str, unit: str, rows: Sequence[Cloud]) -> str:
    """Every value as a dot, with marks at the median and the 95th percentile."""
    most = max((max(row.values) for row in rows if row.values), default=0.0) or 1.0
    width = WIDTH - LABEL - VALUE
    bottom = PAD + ROW * len(rows)
    parts = []
    for mark in _ticks(most):
        x = LABEL + width * mark / most
        parts.append(f'<path class="grid" d="M{x:.1f} {PAD}V{bottom}"/>')
        parts.append(_text(x, bottom + 14, f"{mark:g} {unit}", "middle", "tick"))
    for number, row in enumerate(rows):
        middle, kind = PAD + number * ROW + ROW / 2, "ours" if row.ours else "theirs"
        parts.append(_text(LABEL - 10, middle, row.label, "end", kind))
        parts += _dots(row, middle, width / most, kind)
        if row.values:
            p50, p95 = percentile(row.values, 50), percentile(row.values, 95)
            parts += [
                f'<path class="mark" d="M{LABEL + value * width / most:.1f} {middle - 11:.1f}v22"/>'
                for value in (p50, p95)
            ]
            parts.append(_text(WIDTH - VALUE + 8, middle, f"p50 {p50:.2f}  p95 {p95:.2f}", "start", "figure"))
    return _svg(title, bottom + 26, parts)


def _dots(row: Cloud, middle: float, scale: float, kind: str) -> Iterator[str]:
    """Spread up and down by their order, so that equal values do not hide each other."""
    step = max(1, math.ceil(len(row.values) / MAX_DOTS))
    for number, value in enumerate(row.values[::step]):
        y = middle + ((number * 7) % 15 - 7)
        yield f'<circle class="dot {kind}" cx="{LABEL + value * scale:.1f}" cy="{y:.1f}" r="2.5"/>'


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    body = "".join(parts)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{body}</svg>"
    )


def _text(x: float, y: float, said: str, anchor: str, kind: str) -> str:
    return f'<text x="{x:.1f}" y="{y + 4:.1f}" text-anchor="{anchor}" class="{kind}">{escape(said)}</text>'


def _ticks(most: float) -> list[float]:
    """Zero and round numbers up to `most`, four to eight of them."""
    rough = 10 ** math.floor(math.log10(most))
    step = next(rough * part for part in (0.1, 0.2, 0.5, 1, 2, 5) if most / (rough * part) <= 8)
    return [round(step * number, 10) for number in range(math.floor(most / step + 1e-9) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    marks = (0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 20, 50)
    return [mark for mark in marks if low <= mark <= high]
