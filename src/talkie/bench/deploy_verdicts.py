"""The aims of each form, each with what was measured: met, missed, or not measured. Never a guess.

Ratios are medians over rounds, pair by pair, with their interval. Knows nothing of how they are shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from talkie.bench.deploy_figures import ENOUGH, METRICS, form, measured, median, tls_ratio, to_native
from talkie.bench.deploy_results import BUNDLE, CONTAINERS, DeployResult, FormRun
from talkie.bench.statistics import Ratio
from talkie.bench.verdicts import Verdict

CONTAINER_READY, CONTAINER_RAM, TLS_COST = 1.15, 1.10, 1.10
RESTART_S = 2.0
IMAGE_MB, FOLDER_MB = 400.0, 350.0


@dataclass(frozen=True, slots=True)
class Bound:
    """A form's figure divided by native's may be so much at most."""

    metric: str
    text: str
    most: float


BOUNDS = (
    Bound("ready_s", "container: start to ready at most 1.15 of native", CONTAINER_READY),
    Bound("together_mb", "container: RAM at most 1.1 of native", CONTAINER_RAM),
)


def verdicts(result: DeployResult) -> list[Verdict]:
    containers = [run for run in measured(result) if run.name in CONTAINERS]
    return [
        *(verdict for bound in BOUNDS for verdict in _ratios(result, bound, containers)),
        *_tls(measured(result)),
        *_restart(containers),
        *_sizes(result),
    ]


def _ratios(result: DeployResult, bound: Bound, containers: list[FormRun]) -> Iterator[Verdict]:
    found = [(run, to_native(result, run, bound.metric)) for run in containers]
    if not any(ratio for _, ratio in found):
        yield Verdict(bound.text, "not measured: it takes a container and native in one run", None)
    for run, ratio in found:
        if ratio:
            yield Verdict(bound.text, _said(ratio), _met(ratio.median <= bound.most, run), run.title)


def _tls(runs: list[FormRun]) -> Iterator[Verdict]:
    goal = "TLS costs at most 10 % latency"
    found = [(run, tls_ratio(run)) for run in runs]
    if not any(ratio for _, ratio in found):
        yield Verdict(goal, "not measured", None)
    for run, ratio in found:
        if ratio:
            yield Verdict(goal, _said(ratio), _met(ratio.median <= TLS_COST, run), run.title)


def _restart(containers: list[FormRun]) -> Iterator[Verdict]:
    goal = f"restart with weights on the volume: ready in {RESTART_S:g} s"
    for run in containers:
        if ready := median(run, "ready_s"):
            said = f"{METRICS['ready_s'].text(ready.median)} s ({ready.least:.2f} to {ready.most:.2f})"
            yield Verdict(goal, said, _met(ready.median <= RESTART_S, run), run.title)
    if not containers:
        yield Verdict(goal, "not measured", None)


def _sizes(result: DeployResult) -> Iterator[Verdict]:
    for names, what, most_mb in ((CONTAINERS[:1], "image", IMAGE_MB), ((BUNDLE,), "folder", FOLDER_MB)):
        goal = f"{what} at most {most_mb:g} MB unpacked"
        run = next((found for name in names if (found := form(result, name))), None)
        if run is None:
            yield Verdict(goal, "not measured", None)
        else:
            yield Verdict(goal, f"{run.disk_bytes / 1e6:.0f} MB", run.disk_bytes <= most_mb * 1e6, run.title)


def _met(is_met: bool, run: FormRun) -> bool | None:
    """None where too few rounds say it."""
    return is_met if len(run.turns) >= ENOUGH else None


def _said(ratio: Ratio) -> str:
    return f"{ratio.median:.3f} ({ratio.low:.3f} to {ratio.high:.3f})"
