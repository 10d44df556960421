"""Runs of the speech bench as tables and pictures. Knows nothing of how anything was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from talkie.bench import charts
from talkie.bench.statistics import percentile
from talkie.bench.tables import MISSING, Table
from talkie.bench.tts_results import TtsCase, TtsCrowd, TtsRun

HEAD = ("text", "language", "characters", "first audible ms", "RTFx", "speech s / CPU s", "round trip WER")
CROWD_HEAD = ("at once", "first audible ms", "RTFx", "speech s / CPU s")
NOTE = (
    "First audible is p50 / p95: until the first sample that can be heard would be heard. RTFx is seconds of speech "
    "made in a second. The round trip is what a recogniser makes of it, so its own mistakes are in it."
)


def tts_tables(runs: Sequence[TtsRun]) -> list[Table]:
    """Two a run: texts, and crowds."""
    return [table for run in runs for table in (_texts(run), _crowds(run))]


def tts_pictures(runs: Sequence[TtsRun]) -> Iterator[tuple[str, str, str]]:
    """`(title, words, SVG)` of each."""
    for run in runs:
        name = f"{run.engine}, {run.voice}"
        cases = [_bar(one, one.per_cpu_s, one.per_cpu_s, one.per_cpu_s) for one in run.cases]
        title = f"{name}: speech made in a processor second"
        yield title, "Seconds. More is better.", charts.bars(title, cases)
        waits = [_bar(one, _ms(one, 50), min(one.first_audible_s) * 1000, _ms(one, 95)) for one in run.cases]
        title = f"{name}: first audible sample"
        yield title, "Milliseconds, median to p95. Less is better.", charts.bars(title, waits)
        ticks = [str(one.clients) for one in run.crowds]
        points = tuple((place, _ms(one, 95)) for place, one in enumerate(run.crowds))
        if points:
            drawn = charts.lines("first audible, 95th percentile", ticks, [charts.Line(name, points, True)])
            yield f"{name}: many at once", "Milliseconds to the first audible sample, p95. Less is better.", drawn


def _texts(run: TtsRun) -> Table:
    rows = tuple(
        (one.text, one.language, str(one.characters), _two(one), f"{one.rtfx:.0f}", f"{one.per_cpu_s:.0f}", _wer(one))
        for one in run.cases
    )
    absent = " ".join(f"{name}: not measured, {why}." for name, why in run.absent.items())
    facts = f"Loaded and spoke its first word in {run.load_s:.2f} s; {run.resident_mb:.0f} MB, all processes."
    heard = f"Heard by {run.recognizer}."
    title = f"Speech: {run.engine}, {run.voice}"
    return Table(title, HEAD, rows, " ".join(part for part in (NOTE, heard, facts, absent) if part))


def _crowds(run: TtsRun) -> Table:
    rows = tuple(
        (str(one.clients), _two(one), f"{one.rtfx:.0f}", f"{one.audio_s / max(one.cpu_s, 1e-9):.0f}")
        for one in run.crowds
    )
    return Table(f"Speech: {run.engine}, {run.voice}, many at once", CROWD_HEAD, rows)


def _bar(one: TtsCase, value: float, low: float, high: float) -> charts.Bar:
    return charts.Bar(_name(one), value, low, high, f"{value:.0f}", ours=True)


def _name(one: TtsCase) -> str:
    return f"{one.text}, {one.language}"


def _ms(one: TtsCase | TtsCrowd, percent: float) -> float:
    return 1000 * percentile(one.first_audible_s, percent)


def _two(one: TtsCase | TtsCrowd) -> str:
    return f"{_ms(one, 50):.0f} / {_ms(one, 95):.0f}"


def _wer(one: TtsCase) -> str:
    return MISSING if one.wer is None else f"{100 * one.wer:.0f} %"
