"""A run as tables: rows of words for the terminal, Markdown and HTML alike, so that all three say the same.

Figures are medians over rounds; what stands behind ± is half the distance between the quarter marks. Knows nothing of
how a table is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from talkie.bench.face_report import face_tables
from talkie.bench.limits import Rates, window_s
from talkie.bench.live_report import live_tables
from talkie.bench.metrics import METRICS, Figure, Rounds, best_of, clients_name, compared, figures, peer_of, summarise
from talkie.bench.results import Case, Crowd, Result
from talkie.bench.shape_true import SHAPES, SPEED_ONLY
from talkie.bench.tables import MISSING, Table
from talkie.bench.texts import WINDOW_S
from talkie.bench.tts_report import tts_tables
from talkie.bench.verdicts import OURS, verdicts

FILE_COLUMNS = {
    "audio_per_cpu_s": "audio s per CPU s",
    "rtfx": "RTFx",
    "ready_s": "load s",
    "ready_cpu_s": "load CPU s",
    "first_segment_s": "first segment s",
    "peak_mb": "peak MB",
    "wer": "WER %",
}
CROWD_COLUMNS = {
    "crowd_rtfx": "throughput",
    "crowd_per_cpu_s": "audio s per CPU s",
    "crowd_p50_s": "p50 s",
    "crowd_p95_s": "p95 s",
    "crowd_fairness": "slowest / median",
}
RATIO_COLUMNS = ("audio_per_cpu_s", "rtfx", "ready_s", "ready_cpu_s", "first_segment_s", "peak_mb")
RATIO_NOTE = (
    "Medians of the ratios within rounds, and their 95 % intervals. Above 1 is better in the first two columns, below 1"
    " in the others. Of one or two rounds the interval is the range."
)
MAX_ERROR_CHARS = 300


def facts(result: Result) -> list[tuple[str, str]]:
    """What every report names: the machine, the models, how it was measured."""
    machine, options = result.machine, result.options
    models = "; ".join(_marked(name, result) for name in dict.fromkeys(one.name for one in result.models))
    told = [("measured", result.created), ("machine", _machine(machine)), ("models", models)]
    told += [(name.replace("_", " "), str(value)) for name, value in options.items() if value not in ("", None)]
    return [(name, value) for name, value in told if value]


def file_tables(result: Result) -> list[Table]:
    """One for each model and file, the best contender first."""
    found = figures(result)
    places = dict.fromkeys((case.model, case.workload) for case in result.cases)
    return [
        _file_table(result, found, [case for case in result.cases if (case.model, case.workload) == place])
        for place in places
    ]


def ratio_tables(result: Result) -> list[Table]:
    """Talkie's figure divided by that of each peer's fastest variant, round by round, with its 95 % interval."""
    found = figures(result)
    tables = []
    for model, workload in dict.fromkeys((case.model, case.workload) for case in result.cases):
        ours = Figure("audio_per_cpu_s", OURS, model, workload)
        if rows := list(_ratio_rows(found, ours)):
            head = ("Talkie divided by", *(FILE_COLUMNS[name] for name in RATIO_COLUMNS))
            tables.append(Table(f"{_marked(model, result)}, {workload}: pair by pair", head, tuple(rows), RATIO_NOTE))
    return tables


def crowd_tables(result: Result) -> list[Table]:
    """One for each model and number of clients."""
    found = figures(result)
    places = dict.fromkeys((crowd.model, crowd.clients) for crowd in result.crowds)
    return [
        _crowd_table(result, found, [one for one in result.crowds if (one.model, one.clients) == place])
        for place in places
    ]


def limit_table(result: Result) -> Table | None:
    """How near each model's fastest contenders come to what the machine could do."""
    try:
        rates = Rates(**result.limits)
    except TypeError:
        return None
    found = figures(result)
    rows = [row for figure in found if figure.metric == "audio_per_cpu_s" for row in _limit_rows(figure, found, rates)]
    note = (
        f"One thread reaches {rates.fp32_gops:.0f} GFLOP/s in FP32, {rates.bf16_gops:.0f} in BF16, "
        f"{rates.int8_gops:.0f} GOP/s in INT8 and {rates.memory_gb_s:.0f} GB/s of memory (by {rates.measured_by}). "
        "The limit is the model's operations at the fastest of these rates, and nothing for all else: voice activity, "
        "features, the file."
    )
    head = ("contender", "limit, CPU ms a window", "measured", "of the limit")
    return Table(f"Beside the machine's limit{_only(result)}", head, tuple(rows), note) if rows else None


def verdict_table(result: Result) -> Table:
    rows = tuple((one.goal, one.where or MISSING, one.measured, one.word) for one in verdicts(result))
    return Table(f"Goals{_only(result)}", ("goal", "where", "measured", "verdict"), rows)


def contender_table(result: Result) -> Table:
    """Who took part: versions, precision, batch, threads, size on the disk."""
    first: dict[str, Case | Crowd] = {}
    for case in result.cases:
        if case.samples or case.contender not in first:
            first.setdefault(case.contender, case)
    rows = tuple(_contender_row(name, case) for name, case in first.items() if isinstance(case, Case))
    head = ("contender", "versions", "settings", "installed MB")
    note = " ".join(f"{name} did not take part: {why}" for name, why in result.absent.items())
    return Table("Who took part", head, rows, note)


def sections(result: Result) -> list[Table]:
    """All of them, in the order of a report."""
    limit = limit_table(result)
    return [
        *file_tables(result),
        *ratio_tables(result),
        *([limit] if limit else []),
        *crowd_tables(result),
        *live_tables(result.live),
        *tts_tables(result.speech),
        *face_tables(result.faces),
        *([verdict_table(result)] if result.hears else []),
    ]


def _marked(model: str, result: Result) -> str:
    """The name, and behind a shape-true model's what its figures are good for: tables travel alone."""
    return f"{model} (SPEED ONLY)" if any(one.shape_true for one in result.models if one.name == model) else model


def _only(result: Result) -> str:
    return " (SPEED ONLY)" if result.speed_only else ""


def warning(result: Result) -> str:
    """What must stand above every figure of shape-true models, else nothing."""
    return SPEED_ONLY[0].upper() + SPEED_ONLY[1:] + "." if result.speed_only else ""


def _machine(machine: Mapping[str, object]) -> str:
    parts = [machine.get("processor"), f"{machine.get('cores', '?')} cores", f"{machine.get('memory_gb', '?')} GB"]
    parts += [machine.get("system"), f"Python {machine.get('python', '?')}", f"Talkie {machine.get('talkie', '?')}"]
    return ", ".join(str(part) for part in parts if part) + f"; load {machine.get('load', '?')} at the start"


def _file_table(result: Result, found: Mapping[Figure, Rounds], cases: Sequence[Case]) -> Table:
    model, workload = cases[0].model, cases[0].workload
    shown = [name for name in FILE_COLUMNS if any((name, case.contender, model, workload) in found for case in cases)]
    rows = [_file_row(found, case, shown) for case in sorted(cases, key=lambda case: -_middle(found, case))]
    head = ("contender", *(FILE_COLUMNS[name] for name in shown), "windows", "text")
    return Table(f"{_marked(model, result)}, {workload}", head, tuple(rows), _failures(cases))


def _middle(found: Mapping[Figure, Rounds], case: Case) -> float:
    rounds = found.get(Figure("audio_per_cpu_s", case.contender, case.model, case.workload))
    return summarise(rounds).median if rounds else 0.0


def _file_row(found: Mapping[Figure, Rounds], case: Case, shown: Sequence[str]) -> tuple[str, ...]:
    cells = [_cell(found, Figure(name, case.contender, case.model, case.workload)) for name in shown]
    passes = sorted({one.passes for one in case.samples if one.passes is not None})
    windows = "/".join(map(str, passes)) or MISSING
    return (case.contender, *cells, windows, _text_word(case))


def _text_word(case: Case) -> str:
    if case.error:
        return "FAILED"
    if not case.text_ok:
        return "ANOTHER TEXT: not counted"
    told = [sample.whole for sample in case.samples if sample.whole is not None]
    return ("the same" if all(told) else "the same, ends cut") if told else MISSING


def _cell(found: Mapping[Figure, Rounds], figure: Figure) -> str:
    rounds = found.get(figure)
    if not rounds:
        return MISSING
    values, metric = summarise(rounds), METRICS[figure.metric]
    half = (values.high - values.low) / 2
    return metric.text(values.median) + (f" ±{metric.text(half)}" if values.count > 2 else "")


def _ratio_rows(found: Mapping[Figure, Rounds], ours: Figure) -> Iterator[tuple[str, ...]]:
    peers = dict.fromkeys(peer_of(figure.contender) for figure in found)
    for peer in peers:
        other = best_of(found, peer, ours)
        if peer == OURS or other is None or ours not in found:
            continue
        ratios = [compared(found, ours._replace(metric=name), other) for name in RATIO_COLUMNS]
        yield (other, *(str(ratio) if ratio else MISSING for ratio in ratios))


def _crowd_table(result: Result, found: Mapping[Figure, Rounds], crowds: Sequence[Crowd]) -> Table:
    model, workload = crowds[0].model, clients_name(crowds[0].clients)
    rows = []
    for one in crowds:
        places = [Figure(name, one.contender, model, workload) for name in CROWD_COLUMNS]
        rows.append((one.contender, *(_cell(found, place) for place in places), _crowd_word(one)))
    head = ("contender", *CROWD_COLUMNS.values(), "text")
    title = f"{_marked(model, result)}, {workload} with clips of {crowds[0].clip_s:g} s"
    return Table(title, head, tuple(rows), _failures(crowds))


def _crowd_word(one: Crowd) -> str:
    if one.error:
        return "FAILED"
    oks = {item.text_ok for item in one.rounds}
    return "ANOTHER TEXT: not counted" if False in oks else "the same" if oks == {True} else MISSING


def _failures(places: Sequence[Case] | Sequence[Crowd]) -> str:
    """Who failed and why, the first words of it."""
    said = (f"{one.contender}: {' '.join(one.error.split())[:MAX_ERROR_CHARS]}" for one in places if one.error)
    return " ".join(f"{line}." for line in said)


def _limit_rows(figure: Figure, found: Mapping[Figure, Rounds], rates: Rates) -> Iterator[tuple[str, ...]]:
    shape = SHAPES.get(figure.model)
    if shape is None:
        return
    limit_s, reached_s = window_s(shape, rates), WINDOW_S / summarise(found[figure]).median
    where = ", ".join(figure[1:])
    yield (where, f"{1000 * limit_s:.0f}", f"{1000 * reached_s:.0f}", f"{100 * limit_s / reached_s:.0f} %")


def _contender_row(name: str, case: Case) -> tuple[str, ...]:
    versions = ", ".join(f"{package} {version}" for package, version in case.versions.items())
    settings = ", ".join(f"{key} {value}" for key, value in case.settings.items())
    size = f"{case.install_bytes / 1e6:.0f}" if case.install_bytes else MISSING
    return (name, versions or MISSING, settings or MISSING, size)
