"""Recorded runs of the deployment and restart benches, made by hand, for tests of what is read from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from talkie.bench.deploy_results import BRIDGE, BUNDLE, HOST, NATIVE, DeployResult, FormRun, Memory, Turn
from talkie.bench.restart_results import BAKED, VOLUME, RestartResult, Way

MACHINE = {"processor": "a processor", "cores": 2, "memory_gb": 8.0, "system": "Linux 6", "load": 0.3}
MB = 1_000_000


def turn(number: int = 0, ready_s: float = 1.0, rss_mb: int = 300, **changed: object) -> Turn:
    values: dict[str, object] = {
        "round": number,
        "ready_s": ready_s,
        "first_s": 0.5,
        "answers_s": (0.2, 0.2, 0.3),
        "resident": Memory(rss_mb * MB, (rss_mb - 20) * MB, 0, 0),
        "unloaded": Memory((rss_mb - 180) * MB, (rss_mb - 200) * MB, 0, 0),
        "reload_s": 0.6,
        "idle_share": 0.004,
        "uploads_mb_s": (200.0, 210.0),
        "text": "abc",
        "plain_s": (0.2, 0.2, 0.2),
        "tls_s": (0.204, 0.204, 0.204),
        "plain_new_s": (0.2, 0.2, 0.2),
        "tls_new_s": (0.212, 0.212, 0.212),
        "load_average": 0.4,
    }
    return Turn(**{**values, **changed})  # type: ignore[arg-type]


def form(name: str, ready_s: Sequence[float], rss_mb: int = 300, around_mb: int = 0, **changed: object) -> FormRun:
    """A turn of each round; the machine gets slower from round to round, for all alike."""
    resident = Memory(rss_mb * MB, rss_mb * MB, around_mb * MB, around_mb * MB)
    made: Callable[[int, float], Turn] = lambda number, ready: turn(number, ready, rss_mb, resident=resident, **changed)  # noqa: E731
    turns = tuple(made(number, ready) for number, ready in enumerate(ready_s))
    return FormRun(name, f"the {name}", {"image": 398 * MB}, turns)


def result(*forms: FormRun) -> DeployResult:
    return DeployResult(MACHINE, "2026-11-01T12:00:00+00:00", "base", True, 2.5, {"rounds": 3}, forms)


RUN = result(
    form(NATIVE, (1.0, 2.0, 3.0)),
    form(HOST, (1.1, 2.2, 3.3), around_mb=3),
    form(BRIDGE, (1.3, 2.6, 3.9), around_mb=45, uploads_mb_s=(100.0, 100.0)),
    form(BUNDLE, (1.2, 2.4, 3.6)),
    FormRun("lxc", "LXC", absent="no container was named"),
)


def way(name: str, model_mb: int, image_mb: int, **changed: object) -> Way:
    values: dict[str, object] = {
        "build_s": 8.0 if name == BAKED else 0.0,
        "pack_s": 12.0,
        "image_bytes": image_mb * MB,
        "packed_bytes": image_mb * MB // 2,
        "image_pull_s": image_mb / 200,
        "first_ready_s": 1.5 if name == BAKED else 1.5 + model_mb / 100,
        "restarts_s": (1.4, 1.6, 1.5),
        "model_pulled_bytes": 0 if name == BAKED else model_mb * MB,
    }
    return Way(name, model_mb, **{**values, **changed})  # type: ignore[arg-type]


RESTARTS = RestartResult(
    MACHINE,
    "2026-11-01T12:00:00+00:00",
    "localhost/talkie:cpu",
    100.0,
    (way(BAKED, 500, 900), way(VOLUME, 500, 400)),
    {"3000": "it needs 17 GB of disk, 3 are free"},
)
