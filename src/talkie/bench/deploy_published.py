"""Estimates that were published for another speech server, beside what was measured of ours.

The figures are of a personal service on a GPU: its native ones were measured there, its container's ones were guessed
and never measured. Machines, models and programs differ, so only the last two columns, and how the guess relates to
them, say something. Knows nothing of how anything was measured here.
"""

from __future__ import annotations

from dataclasses import dataclass

from talkie.bench.deploy_figures import METRICS, form, median, to_native
from talkie.bench.deploy_results import BRIDGE, HOST, NATIVE, DeployResult, FormRun
from talkie.bench.statistics import Ratio
from talkie.bench.tables import MISSING, Table

HEAD = ("figure", "published, native", "published, container (a guess)", "here, native", "here, container")
NOTE = (
    "Published for one person's server on a GPU; its container was never measured. Here: the same model and file in "
    "both, in one run. Compare within a pair of columns, not across."
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """`metric` is ours; the rest is as published."""

    title: str
    native: str
    container: str
    metric: str = ""


ESTIMATES = (
    Estimate("start to ready", "2.46 s", "4 to 7 s", "ready_s"),
    Estimate("RAM", "582 MB", "800 to 1200 MB", "together_mb"),
    Estimate("answer, model resident", "under 100 ms", "the same", "p50_ms"),
    Estimate("memory given back on unload", "344 MB", MISSING, "given_back_mb"),
    Estimate("GPU memory", "321 MB", "321 MB", "gpu_mb"),
    Estimate("GPU while idle", "12.8 %", "12.8 %", "gpu_idle_percent"),
)
TIMES = (("start to ready", "1.6 to 2.8 times", "ready_s"), ("RAM", "1.4 to 2.1 times", "together_mb"))
"""The guesses divided by the native figures beside them."""
DISK = ("disk", MISSING, "2 to 3 GB more")


def published(result: DeployResult) -> Table:
    native = form(result, NATIVE)
    container = form(result, HOST) or form(result, BRIDGE)
    rows = [
        (one.title, one.native, one.container, _text(native, one.metric), _text(container, one.metric))
        for one in ESTIMATES
    ]
    rows.append((*DISK, _size(native), _size(container)))
    for title, guess, metric in TIMES:
        ratio = to_native(result, container, metric) if container else None
        rows.append((f"{title}, container / native", MISSING, guess, MISSING, _times(ratio)))
    return Table("Beside published estimates", HEAD, tuple(rows), NOTE)


def _text(run: FormRun | None, metric: str) -> str:
    value = median(run, metric) if run else None
    return f"{METRICS[metric].text(value.median)} {METRICS[metric].unit}" if value else "not measured"


def _size(run: FormRun | None) -> str:
    return f"{run.disk_bytes / 1e6:.0f} MB" if run else "not measured"


def _times(ratio: Ratio | None) -> str:
    return f"{ratio} times" if ratio else "not measured"
