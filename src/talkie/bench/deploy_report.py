"""A run of the deployment bench as tables, pictures, a Markdown page and an HTML page.

Figures are medians over rounds; behind them stands the range. Knows nothing of how anything was measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape as quoted

from talkie.bench import charts
from talkie.bench.deploy_advice import advice
from talkie.bench.deploy_figures import (
    ENOUGH,
    GPU,
    MEMORY,
    METRICS,
    RATIOS,
    REST,
    START,
    measured,
    median,
    same_text,
    tls_ratio,
    to_native,
)
from talkie.bench.deploy_published import published
from talkie.bench.deploy_results import NATIVE, DeployResult, FormRun
from talkie.bench.deploy_verdicts import verdicts
from talkie.bench.markdown_report import escape
from talkie.bench.page import figure, page, table_html
from talkie.bench.shape_true import SPEED_ONLY
from talkie.bench.statistics import Ratio
from talkie.bench.tables import MISSING, Table

TITLE = "Native or container"
GENERATED = "<!-- Written by `talkie bench deploy`; do not edit. -->"
PICTURED = ("ready_s", "p50_ms", "together_mb", "idle_percent", "upload_mb_s")
MEMORY_NOTE = (
    "RAM is resident memory (RSS) of the server and its workers with the model in memory, shared pages counted in each "
    "process; PSS divides them among all who share them. What the form adds are processes that live for it alone: who "
    "watches over a container, who forwards its ports, the services of a system."
)
START_NOTE = (
    "From the start of the first process (the command that starts a container, the boot of an LXC system) until the "
    "model is there to work; what is compiled once for a model was there already. Not resident: the first answer "
    "after the model had been put out."
)
REST_NOTE = (
    "Uploads are noise, sent to a model that is not there. TLS on and off are two servers asked in turns; TLS on "
    "divided by off."
)
RATIO_NOTE = "Medians of the ratios, and their 95 % intervals; of one or two rounds the interval is the range."


def facts(result: DeployResult) -> list[tuple[str, str]]:
    machine = result.machine
    where = f"{machine.get('processor')}, {machine.get('cores')} cores, {machine.get('memory_gb')} GB"
    loads = [turn.load_average for run in result.forms for turn in run.turns]
    load = f"load average {min(loads):.1f} to {max(loads):.1f} while it ran" if loads else ""
    model = f"{result.model} (speed only: its weights are random)" if result.shape_true else result.model
    told = [("measured", result.created), ("machine", f"{where}, {machine.get('system')}, {load}"), ("model", model)]
    told += [("file", f"{result.audio_s:.1f} s"), *((name, str(value)) for name, value in result.options.items())]
    return [(name, value) for name, value in told if value]


def warnings(result: DeployResult) -> Iterator[str]:
    if result.shape_true:
        yield SPEED_ONLY
    if not same_text(result):
        yield "The forms heard different texts: their times are not of the same work."
    if any(len(run.turns) < ENOUGH for run in measured(result)):
        yield f"Fewer than {ENOUGH} rounds: the figures show no more than that it runs."


def tables(result: DeployResult) -> list[Table]:
    runs = measured(result)
    gpu = any(turn.gpu for run in runs for turn in run.turns)
    found = [
        _verdicts(result),
        _figures("Starting and answering", START, result.forms, START_NOTE),
        _figures("Memory", MEMORY, result.forms, MEMORY_NOTE),
        _figures("Processor, uploads, TLS", REST, result.forms, REST_NOTE),
        _figures("GPU", GPU, result.forms, "") if gpu else Table("GPU", (), (), ""),
        _disk(result),
        _ratios(result),
        published(result),
        Table("Which for whom", ("who", "advice"), tuple((one.who, one.text) for one in advice(result))),
    ]
    return [table for table in found if table.rows]


def _verdicts(result: DeployResult) -> Table:
    rows = tuple(
        (one.goal, one.where or MISSING, one.measured, "too few rounds" if one.met is None and one.where else one.word)
        for one in verdicts(result)
    )
    return Table("Aims", ("aim", "where", "measured", ""), rows, RATIO_NOTE)


def _figures(title: str, names: Sequence[str], runs: Sequence[FormRun], note: str) -> Table:
    head = ("form", *(f"{METRICS[name].title}, {METRICS[name].unit}" for name in names))
    rows = [(run.title, *(_cell(run, name) for name in names)) for run in runs if run.turns]
    absent = " ".join(f"{run.title}: not measured, {run.absent.rstrip('.')}." for run in runs if run.absent)
    return Table(title, head, tuple(rows), " ".join(part for part in (note, absent) if part))


def _cell(run: FormRun, name: str) -> str:
    found, metric = median(run, name), METRICS[name]
    if found is None:
        return MISSING
    spread = f" ({metric.text(found.least)} to {metric.text(found.most)})" if found.count > 1 else ""
    return metric.text(found.median) + spread


def _disk(result: DeployResult) -> Table:
    rows = [
        (run.title, ", ".join(f"{part} {size / 1e6:.0f} MB" for part, size in run.disk.items()), _mb(run.disk_bytes))
        for run in result.forms
        if run.disk
    ]
    return Table("Disk", ("form", "parts", "together"), tuple(rows), "Without models, which are the same in each.")


def _ratios(result: DeployResult) -> Table:
    rows = []
    for run in measured(result):
        found = [to_native(result, run, name) for name in RATIOS]
        if run.name != NATIVE and any(found):
            rows.append((run.title, *(str(one) if one else MISSING for one in found)))
    head = ("divided by native", *(METRICS[name].title for name in RATIOS))
    return Table("Beside native, round by round", head, tuple(rows), RATIO_NOTE)


def pictures(result: DeployResult) -> Iterator[tuple[str, str, str]]:
    """`(title, words, SVG)` of each."""
    rows = [charts.Bar(run.title, r.median, r.low, r.high, str(r)) for run, r in _pairs(result, "ready_s")]
    if rows:
        yield "Start to ready, beside native", "Left of the line is faster.", charts.ratios("start to ready", rows)
    rows = [charts.Bar(run.title, r.median, r.low, r.high, str(r)) for run, r in _pairs(result, "together_mb")]
    if rows:
        yield "RAM, beside native", "Left of the line is less.", charts.ratios("RAM", rows)
    rows = [charts.Bar(run.title, r.median, r.low, r.high, str(r)) for run in measured(result) if (r := tls_ratio(run))]
    if rows:
        yield "An answer with TLS, beside one without", "At the line it costs nothing.", charts.ratios("TLS", rows)
    for name in PICTURED:
        metric = METRICS[name]
        found = [(run, one) for run in measured(result) if (one := median(run, name))]
        bars = [
            charts.Bar(run.title, one.median, one.least, one.most, f"{metric.text(one.median)} {metric.unit}")
            for run, one in found
        ]
        better = "More is better." if metric.higher else "Less is better."
        yield metric.title, f"{metric.unit}; median, least and most. {better}", charts.bars(metric.title, bars)


def _pairs(result: DeployResult, metric: str) -> Iterator[tuple[FormRun, Ratio]]:
    for run in measured(result):
        ratio = to_native(result, run, metric)
        if ratio and run.name != NATIVE:
            yield run, ratio


def markdown(result: DeployResult) -> str:
    lines = [GENERATED, f"# {TITLE}", ""]
    lines += [f"**{escape(said)}**\n" for said in warnings(result)]
    lines += [f"- {escape(name)}: {escape(value)}" for name, value in facts(result)]
    for table in tables(result):
        lines += ["", f"## {escape(table.title)}", "", "| " + " | ".join(map(escape, table.head)) + " |"]
        lines += ["|" + "---|" * len(table.head)]
        lines += ["| " + " | ".join(map(escape, row)) + " |" for row in table.rows]
        lines += ["", escape(table.note)] if table.note else []
    return "\n".join(lines) + "\n"


def html(result: DeployResult) -> str:
    parts = [f'<p class="warning">{quoted(said)}</p>' for said in warnings(result)]
    listed = "".join(f"<dt>{quoted(name)}</dt><dd>{quoted(value)}</dd>" for name, value in facts(result))
    parts += [f"<dl>{listed}</dl>", *(figure(*one) for one in pictures(result)), *map(table_html, tables(result))]
    return page(TITLE, parts)


def _mb(size: int) -> str:
    return f"{size / 1e6:.0f} MB"
