"""A run as one HTML page that needs nothing else: pictures, tables, and what they were measured with.

No scripts, no fonts, nothing from anywhere; light or dark as the reader's system is. Whatever comes from a result file
is escaped. Knows nothing of how anything was measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files

from talkie.bench import charts
from talkie.bench.face_report import face_pictures
from talkie.bench.live_report import live_pictures
from talkie.bench.metrics import (
    METRICS,
    Figure,
    Rounds,
    best_of,
    clients_name,
    compared,
    figures,
    peer_of,
    summarise,
)
from talkie.bench.results import Result
from talkie.bench.sections import contender_table, facts, sections, verdict_table, warning
from talkie.bench.statistics import Ratio
from talkie.bench.tables import Table
from talkie.bench.tts_report import tts_pictures
from talkie.bench.verdicts import OURS

PICTURED = ("audio_per_cpu_s", "rtfx", "peak_mb", "ready_s", "first_segment_s", "wer")
RATIOS = ("audio_per_cpu_s", "peak_mb", "ready_cpu_s")
MAX_CLOUD_CLIENTS = 16


def html(result: Result) -> str:
    style = files("talkie.bench").joinpath("report.css").read_text(encoding="utf-8")
    body = "\n".join(_body(result))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Talkie: benchmarks</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>\n{style}</style></head>\n<body><main>\n{body}\n</main></body></html>\n"
    )


def _body(result: Result) -> Iterator[str]:
    found = figures(result)
    yield "<h1>Talkie beside its peers</h1>"
    if said := warning(result):
        yield f'<p class="warning">{escape(said)}</p>'
    yield (
        "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts(result)) + "</dl>"
    )
    if result.hears:
        yield _verdicts(verdict_table(result))
    for model, workload in dict.fromkeys((case.model, case.workload) for case in result.cases):
        yield f"<h2>{escape(model)}, {escape(workload)}{_mark(result, model)}</h2>"
        yield from _file_pictures(found, model, workload)
    for model in dict.fromkeys(crowd.model for crowd in result.crowds):
        yield f"<h2>{escape(model)}: many clients at once{_mark(result, model)}</h2>"
        yield from _crowd_pictures(result, found, model)
    if result.live:
        yield "<h2>Live sessions</h2>"
        yield from (_figure(*picture) for picture in live_pictures(result.live))
    if result.speech:
        yield "<h2>Speech</h2>"
        yield from (_figure(*picture) for picture in tts_pictures(result.speech))
    if result.faces:
        yield "<h2>Faces</h2>"
        yield from (_figure(*picture) for picture in face_pictures(result.faces))
    yield "<h2>All figures</h2>"
    for table in [*sections(result)[:-1], contender_table(result)]:
        yield _table(table)


def _mark(result: Result, model: str) -> str:
    """Said again at every picture, for pictures travel alone."""
    shape_true = any(card.shape_true for card in result.models if card.name == model)
    return ' <span class="only">SPEED ONLY</span>' if shape_true else ""


def _verdicts(table: Table) -> str:
    rows = []
    for goal, where, measured, word in table.rows:
        kind = {"met": "met", "MISSED": "missed"}.get(word, "open")
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in (goal, where, measured))
        rows.append(f'<tr><td class="{kind}">{escape(word)}</td>{cells}</tr>')
    return f'<h2>{escape(table.title)}</h2><div class="wide"><table class="goals">{"".join(rows)}</table></div>'


def _file_pictures(found: Mapping[Figure, Rounds], model: str, workload: str) -> Iterator[str]:
    for name in RATIOS:
        ours = Figure(name, OURS, model, workload)
        rows = list(_ratio_bars(found, ours))
        if rows:
            better = "right of the line is better" if METRICS[name].higher else "left of the line is better"
            title = f"{METRICS[name].title}: Talkie divided by its peers"
            said = f"Each peer at its fastest, round by round: median and 95 % interval; {better}."
            yield _figure(title, said, charts.ratios(title, rows))
    for name in PICTURED:
        rows = [_bar(found, figure) for figure in found if (figure[0], *figure[2:]) == (name, model, workload)]
        if rows:
            rows.sort(key=lambda row: row.value, reverse=METRICS[name].higher)
            yield _figure(*_titled(name), charts.bars(METRICS[name].title, rows))


def _ratio_bars(found: Mapping[Figure, Rounds], ours: Figure) -> Iterator[charts.Bar]:
    for peer in dict.fromkeys(peer_of(figure.contender) for figure in found):
        other = best_of(found, peer, ours._replace(metric="audio_per_cpu_s"))
        ratio: Ratio | None = compared(found, ours, other) if other and peer != OURS else None
        if ratio is not None:
            yield charts.Bar(other or peer, ratio.median, ratio.low, ratio.high, f"{ratio.median:.2f}")


def _bar(found: Mapping[Figure, Rounds], figure: Figure) -> charts.Bar:
    values, metric = summarise(found[figure]), METRICS[figure.metric]
    said = f"{metric.text(values.median)} {metric.unit}"
    ours = peer_of(figure.contender) == OURS
    return charts.Bar(figure.contender, values.median, values.low, values.high, said, ours)


def _titled(name: str) -> tuple[str, str]:
    metric = METRICS[name]
    better = "more is better" if metric.higher else "less is better"
    explained = f"{metric.explained[:1].upper()}{metric.explained[1:]}; " if metric.explained else ""
    return metric.title, f"{explained}{better}. Median, with the quarter marks of the rounds."


def _crowd_pictures(result: Result, found: Mapping[Figure, Rounds], model: str) -> Iterator[str]:
    sizes = sorted({crowd.clients for crowd in result.crowds if crowd.model == model})
    names = list(dict.fromkeys(crowd.contender for crowd in result.crowds if crowd.model == model))
    for metric in ("crowd_rtfx", "crowd_p95_s"):
        rows = [_line(found, metric, name, model, sizes) for name in names]
        title, said = _titled(metric)
        ticks = [clients_name(size) for size in sizes]
        said = said.replace("Median, with the quarter marks of the rounds.", "Median of the rounds.")
        yield _figure(title, said, charts.lines(title, ticks, [row for row in rows if row.points]))
    largest = max((size for size in sizes if size <= MAX_CLOUD_CLIENTS), default=0)
    clouds = [
        charts.Cloud(crowd.contender, tuple(v for one in crowd.rounds for v in one.latencies_s), crowd.peer == OURS)
        for crowd in result.crowds
        if (crowd.model, crowd.clients) == (model, largest) and crowd.rounds
    ]
    title = f"Latency of every clip, {clients_name(largest)}"
    yield _figure(title, "Each dot is a clip; less is better.", charts.clouds(title, "s", clouds))


def _line(found: Mapping[Figure, Rounds], metric: str, name: str, model: str, sizes: Sequence[int]) -> charts.Line:
    rows = [(place, found.get(Figure(metric, name, model, clients_name(size)))) for place, size in enumerate(sizes)]
    points = tuple((place, summarise(rounds).median) for place, rounds in rows if rounds)
    return charts.Line(name, points, peer_of(name) == OURS)


def _figure(title: str, said: str, picture: str) -> str:
    caption = f"<b>{escape(title[:1].upper() + title[1:])}</b> {escape(said)}"
    return f"<figure><figcaption>{caption}</figcaption>{picture}</figure>"


def _table(table: Table) -> str:
    if not table.rows:
        return ""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.head)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    note = f"<p>{escape(table.note)}</p>" if table.note else ""
    return f'<h3>{escape(table.title)}</h3><div class="wide"><table><tr>{head}</tr>{rows}</table></div>{note}'
