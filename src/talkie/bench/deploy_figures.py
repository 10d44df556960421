"""What is read from a run: figures of each form by round, their medians, and ratios to native pair by pair.

Knows nothing of how they are shown, or of what is good.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from talkie.bench.deploy_results import NATIVE, DeployResult, FormRun, Turn
from talkie.bench.statistics import Ratio, Summary, pairs, percentile, ratio, summary


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of a turn. Less is better, unless `higher`."""

    title: str
    unit: str
    of: Callable[[Turn], float | None]
    places: int = 2
    higher: bool = False

    def text(self, value: float) -> str:
        return f"{value:.{self.places}f}"


def _mb(size: int) -> float:
    return size / 1e6


METRICS: Mapping[str, Metric] = {
    "ready_s": Metric("start to ready", "s", lambda one: one.ready_s),
    "first_s": Metric("first answer", "s", lambda one: one.first_s),
    "p50_ms": Metric("answer, model resident, p50", "ms", lambda one: 1000 * percentile(one.answers_s, 50), 0),
    "p95_ms": Metric("answer, model resident, p95", "ms", lambda one: 1000 * percentile(one.answers_s, 95), 0),
    "reload_s": Metric("answer, model not resident", "s", lambda one: one.reload_s),
    "rss_mb": Metric("RAM of the process", "MB", lambda one: _mb(one.resident.rss), 0),
    "pss_mb": Metric("its share (PSS)", "MB", lambda one: _mb(one.resident.pss), 0),
    "around_mb": Metric("RAM of what the form adds", "MB", lambda one: _mb(one.resident.around_rss), 1),
    "together_mb": Metric("RAM together", "MB", lambda one: _mb(one.resident.together), 0),
    "given_back_mb": Metric(
        "given back after unload", "MB", lambda one: _mb(one.resident.rss - one.unloaded.rss), 0, True
    ),
    "idle_percent": Metric("processor while idle", "% of one", lambda one: 100 * one.idle_share),
    "upload_mb_s": Metric("upload", "MB/s", lambda one: statistics.median(one.uploads_mb_s), 0, True),
    "tls": Metric("TLS on / off, kept connection", "times", lambda one: _quotient(one.tls_s, one.plain_s), 3),
    "tls_new": Metric(
        "TLS on / off, new connections", "times", lambda one: _quotient(one.tls_new_s, one.plain_new_s), 3
    ),
    "gpu_mb": Metric("GPU memory", "MB", lambda one: _mb(one.gpu.resident_bytes) if one.gpu else None, 0),
    "gpu_given_back_mb": Metric(
        "GPU memory given back",
        "MB",
        lambda one: _mb(one.gpu.resident_bytes - one.gpu.unloaded_bytes) if one.gpu else None,
        0,
        True,
    ),
    "gpu_idle_percent": Metric("GPU while idle", "%", lambda one: one.gpu.idle_percent if one.gpu else None, 1),
}
START = ("ready_s", "first_s", "p50_ms", "p95_ms", "reload_s")
MEMORY = ("rss_mb", "pss_mb", "around_mb", "together_mb", "given_back_mb")
REST = ("idle_percent", "upload_mb_s", "tls", "tls_new")
GPU = ("gpu_mb", "gpu_given_back_mb", "gpu_idle_percent")
RATIOS = ("ready_s", "p50_ms", "reload_s", "together_mb", "upload_mb_s")


ENOUGH = 3
"""Of fewer rounds no verdict is given and nothing is advised."""


def _quotient(ours: tuple[float, ...], theirs: tuple[float, ...]) -> float | None:
    return statistics.median(ours) / statistics.median(theirs) if ours and theirs else None


def measured(result: DeployResult) -> list[FormRun]:
    return [one for one in result.forms if one.turns]


def form(result: DeployResult, name: str) -> FormRun | None:
    """With at least one turn."""
    return next((one for one in measured(result) if one.name == name), None)


def by_round(run: FormRun, metric: str) -> dict[int, float]:
    found = {one.round: METRICS[metric].of(one) for one in run.turns}
    return {number: value for number, value in found.items() if value is not None}


def median(run: FormRun, metric: str) -> Summary | None:
    values = list(by_round(run, metric).values())
    return summary(values) if values else None


def to_native(result: DeployResult, run: FormRun, metric: str) -> Ratio | None:
    """The form's figure divided by native's, in each round that both had."""
    native = form(result, NATIVE)
    return ratio(pairs(by_round(run, metric), by_round(native, metric))) if native else None


def tls_ratio(run: FormRun, metric: str = "tls") -> Ratio | None:
    return ratio(list(by_round(run, metric).values()))


def same_text(result: DeployResult) -> bool:
    """Did all forms hear the same each time? Only then did they do the same work."""
    return len({turn.text for run in measured(result) for turn in run.turns}) <= 1
