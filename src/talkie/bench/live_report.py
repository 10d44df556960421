"""Live runs as tables and pictures: what people wait for with more and more of them at once, and what that costs.

Knows nothing of how anything was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from talkie.bench import charts
from talkie.bench.live_results import LIMIT_S, LiveRound, LiveRun, Spread
from talkie.bench.tables import MISSING, Table

HEAD = (
    "sessions", "first partial s", "word s", "final s", "WER", "lag s", "CPU s / audio s", "MB", "utterances", "held",
)  # fmt: skip
NOTE = (
    "Delays are p50 / p95 / p99: to the first text of an utterance from the start of speech; to each word from its end;"
    " to the final from the end of speech, the pause that ends an utterance included. Lag is p95 / most, as the server "
    "tells it. Processor time and memory are the server's, all processes."
)
OURS = "talkie"
_Value: TypeAlias = Callable[[LiveRound], float | None]


def live_tables(runs: Sequence[LiveRun]) -> list[Table]:
    """One a run."""
    return [live_table(run) for run in runs]


def live_table(run: LiveRun) -> Table:
    marked = f"{run.model} (SPEED ONLY)" if run.shape_true else run.model
    title = f"Live: {run.contender}, {marked}"
    return Table(title, HEAD, tuple(_row(one) for one in run.rounds), f"{NOTE} {_last(run)}")


def live_pictures(runs: Sequence[LiveRun]) -> Iterator[tuple[str, str, str]]:
    """`(title, words, SVG)` of each."""
    for title, said, value in (
        ("time to final, 95th percentile", f"Seconds from the end of speech; the goal is {LIMIT_S:g}.", _final_p95),
        ("time to first partial, median", "Seconds from the start of speech.", _partial_p50),
        ("emission of words, median", "Seconds from the end of a word to the first text that has it.", _word_p50),
        ("processor time", "Seconds of the server's processors for each second of a session.", _cpu),
    ):
        ticks = sorted({one.sessions for run in runs for one in run.rounds})
        rows = [_line(run, ticks, value) for run in runs]
        if any(row.points for row in rows):
            names = [f"{count} at once" if place == 0 else str(count) for place, count in enumerate(ticks)]
            drawn = charts.lines(title, names, [row for row in rows if row.points])
            yield title, f"{said} Less is better.{_only(runs)}", drawn


def _line(run: LiveRun, ticks: Sequence[int], value: _Value) -> charts.Line:
    found = ((ticks.index(one.sessions), value(one)) for one in run.rounds)
    points = tuple((place, known) for place, known in found if known is not None)
    return charts.Line(f"{run.contender}, {run.model}", points, run.contender == OURS)


def _row(one: LiveRound) -> tuple[str, ...]:
    wer = MISSING if one.wer is None else f"{100 * one.wer:.1f} %"
    lag = MISSING if one.lag is None else f"{one.lag.p95:.1f} / {one.lag_most_s or 0:.1f}"
    cpu = MISSING if one.cpu_per_audio_s is None else f"{one.cpu_per_audio_s:.3f}"
    memory = MISSING if one.resident_mb is None else f"{one.resident_mb:.0f}"
    delays = (_three(one.first_partial), _three(one.emission), _three(one.final))
    return (str(one.sessions), *delays, wer, lag, cpu, memory, str(one.utterances), _held(one))


def _three(spread: Spread | None) -> str:
    return MISSING if spread is None else f"{spread.p50:.2f} / {spread.p95:.2f} / {spread.p99:.2f}"


def _held(one: LiveRound) -> str:
    if one.held:
        return "yes"
    why = [f"{count} failed: {reason}" for reason, count in one.failed.items()]
    why += [f"{one.unanswered} unanswered"] if one.unanswered else []
    return f"NO ({'; '.join(why)})" if why else "NO"


def _last(run: LiveRun) -> str:
    tried = max((one.sessions for one in run.rounds), default=0)
    more = " (more were not tried)" if run.capacity == tried else ""
    return f"Most sessions with 95 % of finals under {LIMIT_S:g} s: {run.capacity}{more}."


def _only(runs: Sequence[LiveRun]) -> str:
    return " SPEED ONLY: shape-true weights." if any(run.shape_true for run in runs) else ""


def _final_p95(one: LiveRound) -> float | None:
    return one.final.p95 if one.final else None


def _partial_p50(one: LiveRound) -> float | None:
    return one.first_partial.p50 if one.first_partial else None


def _word_p50(one: LiveRound) -> float | None:
    return one.emission.p50 if one.emission else None


def _cpu(one: LiveRound) -> float | None:
    return one.cpu_per_audio_s
