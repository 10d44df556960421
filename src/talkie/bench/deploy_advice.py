"""Which form for whom: each kind of user has a rule that reads the figures of the run and says a sentence.

A rule says nothing that was not measured. Bounds are here, in one place; what lies within them nobody notices. Knows
nothing of how a report looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from talkie.bench.deploy_figures import ENOUGH, METRICS, by_round, form, measured, median, tls_ratio, to_native
from talkie.bench.deploy_results import BRIDGE, BUNDLE, CONTAINERS, HOST, LXC, NATIVE, DeployResult, FormRun
from talkie.bench.deploy_verdicts import CONTAINER_RAM, CONTAINER_READY, TLS_COST
from talkie.bench.statistics import pairs, ratio

SLOWER_UPLOAD, SLOWER_ANSWER = 0.8, 1.1
LEAST_MB = 50.0
"""Less than this is not worth waiting for a model to come back."""
OPEN = "Not measured in this run."
TOO_FEW = f"Fewer than {ENOUGH} rounds: no advice."


@dataclass(frozen=True, slots=True)
class Advice:
    who: str
    text: str


Rule = Callable[[DeployResult], str]


def advice(result: DeployResult) -> list[Advice]:
    if any(len(run.turns) < ENOUGH for run in measured(result)):
        return [Advice(who, TOO_FEW) for who in RULES]
    return [Advice(who, rule(result) or OPEN) for who, rule in RULES.items()]


def _one_person(result: DeployResult) -> str:
    found = _container_costs(result)
    if found is None:
        return ""
    run, ready, ram = found
    costs = f"{run.title} is ready in {ready:.2f} times native's time and takes {ram:.2f} times its RAM"
    if ready <= CONTAINER_READY and ram <= CONTAINER_RAM:
        return (
            f"Whichever is easier to update: {costs}, which nobody notices. Native reaches microphones and GPUs as is."
        )
    return f"Native: {costs}."


def _among_services(result: DeployResult) -> str:
    found = _container_costs(result)
    if found is None:
        return ""
    run, ready, ram = found
    adds = median(run, "around_mb")
    beside = f", {adds.median:.1f} MB of it beside the process" if adds else ""
    price = f"{ready:.2f} times the start and {ram:.2f} times the RAM of native{beside}"
    if ram <= CONTAINER_RAM:
        return f"A container: locked in, and all it costs is {price}."
    return f"A container where isolation is worth its price: {price}. Else the native service, which systemd locks in."


def _network(result: DeployResult) -> str:
    """Host network or bridge, by the same rounds."""
    host, bridge = form(result, HOST), form(result, BRIDGE)
    answers = _between(bridge, host, "p50_ms")
    uploads = _between(bridge, host, "upload_mb_s")
    if answers is None or uploads is None:
        return ""
    figures = f"a bridge has {uploads:.2f} of the upload rate and {answers:.2f} times the latency of the host's network"
    if uploads < SLOWER_UPLOAD or answers > SLOWER_ANSWER:
        return f"The host's network where large files or many short ones come in: {figures}."
    return f"A bridge: {figures}, so nothing speaks for giving up its separation."


def _fleet(result: DeployResult) -> str:
    run = form(result, BUNDLE)
    ready = median(run, "ready_s") if run else None
    if run is None or ready is None:
        return ""
    times = to_native(result, run, "ready_s")
    beside = f" ({times.median:.2f} times native)" if times else ""
    return (
        f"One folder: {run.disk_bytes / 1e6:.0f} MB to copy, nothing to install, ready in {ready.median:.2f} s{beside}."
    )


def _proxmox(result: DeployResult) -> str:
    run = form(result, LXC)
    times = to_native(result, run, "ready_s") if run else None
    adds = median(run, "around_mb") if run else None
    if times is None or adds is None:
        return ""
    costs = f"{adds.median:.0f} MB of services around Talkie and {times.median:.2f} times native's start"
    return f"LXC costs {costs}, the boot of its system included: right where machines are handed out whole."


def _little_memory(result: DeployResult) -> str:
    run = form(result, NATIVE) or next(iter(measured(result)), None)
    found = {name: median(run, name) for name in ("given_back_mb", "reload_s", "p50_ms")} if run else {}
    back, reload_s, p50 = (found.get(name) for name in ("given_back_mb", "reload_s", "p50_ms"))
    if run is None or back is None or reload_s is None or p50 is None:
        return ""
    figures = f"putting the model out gives back {back.median:.0f} MB"
    later = f"the next answer takes {reload_s.median:.2f} s instead of {p50.median / 1000:.2f} s"
    if back.median < LEAST_MB:
        return f"Keep the model resident: {figures} only, and {later}."
    return f"A short idle_unload_s: {figures}, and {later}."


def _over_a_network(result: DeployResult) -> str:
    found = [(run, cost) for run in measured(result) if (cost := tls_ratio(run))]
    if not found:
        return ""
    run, cost = max(found, key=lambda pair: pair[1].median)
    figures = f"{100 * (cost.median - 1):+.1f} % latency at most ({run.title})"
    return (
        f"TLS on: {figures}." if cost.median <= TLS_COST else f"TLS at a proxy that keeps connections: {figures} here."
    )


def _small_disk(result: DeployResult) -> str:
    sizes = {run.title: run.disk_bytes for run in measured(result) if run.disk_bytes}
    if len(sizes) < 2:
        return ""
    least = min(sizes, key=lambda title: sizes[title])
    others = ", ".join(f"{title} {size / 1e6:.0f} MB" for title, size in sizes.items() if title != least)
    return f"{least[:1].upper()}{least[1:]}: {sizes[least] / 1e6:.0f} MB; {others}. Models come on top in each."


def _gpu(result: DeployResult) -> str:
    container = next((found for name in CONTAINERS if (found := form(result, name))), None)
    ours, theirs = form(result, NATIVE), container
    memory = _between(theirs, ours, "gpu_mb")
    if memory is None or ours is None:
        return ""
    idle = median(ours, "gpu_idle_percent")
    busy = f"; idle it is {METRICS['gpu_idle_percent'].text(idle.median)} % busy" if idle else ""
    return f"Either: a container holds {memory:.2f} times native's GPU memory{busy}."


RULES: Mapping[str, Rule] = {
    "One person, one machine": _one_person,
    "A server beside others": _among_services,
    "Many clients over a network": _network,
    "Many machines, or none with Python": _fleet,
    "A Proxmox host": _proxmox,
    "Little memory": _little_memory,
    "Callers beyond this machine": _over_a_network,
    "A small disk": _small_disk,
    "A GPU": _gpu,
}


def _container_costs(result: DeployResult) -> tuple[FormRun, float, float] | None:
    """The cheapest container there is, its start and its RAM, both divided by native's."""
    for name in CONTAINERS:
        run = form(result, name)
        ready = to_native(result, run, "ready_s") if run else None
        ram = to_native(result, run, "together_mb") if run else None
        if run and ready and ram:
            return run, ready.median, ram.median
    return None


def _between(run: FormRun | None, other: FormRun | None, metric: str) -> float | None:
    """One form's figure divided by another's, by rounds."""
    found = ratio(pairs(by_round(run, metric), by_round(other, metric))) if run and other else None
    return found.median if found else None
