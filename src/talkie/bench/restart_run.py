"""What each start costs when weights lie in the image, and when they lie on a volume beside a slim image.

A machine that has nothing is a container storage of its own, empty; images come into it as a packed archive through a
line of limited speed, models from a hub on loopback through the same. The server starts with a built-in model: the
weights are random bytes, which are carried, checked and kept, and never run. Knows nothing of how it is shown.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from talkie.bench.deploy_containers import ContainerForm
from talkie.bench.deploy_forms import StartWish, told
from talkie.bench.deploy_results import HOST
from talkie.bench.deploy_turn import wait_ready
from talkie.bench.restart_hub import hub, repository
from talkie.bench.restart_model import make_model
from talkie.bench.restart_rate import Line
from talkie.bench.restart_results import BAKED, VOLUME, Way
from talkie.client import Client
from talkie.errors import EngineFailed

BUILT_IN = "sphinx-en"
MB = 1_000_000
SPARE_BYTES, COPIES = 2_000 * MB, 5
"""Of a model there are at most so many copies at once: the file, two archives, two storages."""
CONTAINERFILE = "FROM {image}\nCOPY --chown=10001:10001 model /opt/model\n"
REPOSITORY = "bench/weights"


@dataclass(frozen=True, slots=True)
class RestartTask:
    """`work` is an empty directory with room; `rate_mb_s` the speed of the line, 0 as fast as it goes."""

    image: str
    work: Path
    rate_mb_s: float = 100.0
    restarts: int = 3
    podman: str = "podman"
    progress: Callable[[str], None] = lambda _: None

    @property
    def line(self) -> Line:
        return Line(self.rate_mb_s * MB)


@dataclass(frozen=True, slots=True)
class Image:
    """A made image and its archive, as a registry would keep it."""

    name: str
    archive: Path
    build_s: float
    pack_s: float
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How the server is started: further settings and environment, and the line to the hub where it pulls from one."""

    way: str
    model_mb: int
    settings: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    line: Line | None = None


@dataclass(frozen=True, slots=True)
class Launches:
    """`pulled_bytes` came from the hub in the first of them."""

    first_s: float
    later_s: tuple[float, ...]
    pulled_bytes: int


@dataclass(slots=True)
class Ways:
    """What was found, and why a size could not be tried."""

    found: list[Way] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)


def run(task: RestartTask, sizes_mb: Sequence[int]) -> Ways:
    """Raises `EngineFailed` when Podman does not do what it is told."""
    ways = Ways()
    with _packed(task, task.image, 0.0) as slim:
        for size_mb in sizes_mb:
            needs, free = SPARE_BYTES + COPIES * size_mb * MB, shutil.disk_usage(task.work).free
            if needs > free:
                ways.absent[str(size_mb)] = f"it needs {needs / 1e9:.0f} GB of disk, {free / 1e9:.0f} are free"
                continue
            task.progress(f"a model of {size_mb} MB")
            directory = make_model(task.work / "context" / "model", size_mb * MB)
            ways.found.append(_baked(task, size_mb))
            ways.found.append(_volume(task, size_mb, slim, directory))
            shutil.rmtree(task.work / "context")
    return ways


def _baked(task: RestartTask, size_mb: int) -> Way:
    task.progress(f"{size_mb} MB: weights in the image")
    context, name = task.work / "context", f"localhost/talkie-bench-baked:{secrets.token_hex(4)}"
    (context / "Containerfile").write_text(CONTAINERFILE.format(image=task.image), encoding="utf-8")
    began = time.monotonic()
    told([task.podman, "build", "--quiet", "--tag", name, str(context)], "podman", 3600)
    build_s = time.monotonic() - began
    try:
        with _packed(task, name, build_s) as image:
            told([task.podman, "rmi", "--force", name], "podman")  # this machine need not hold it any longer
            return _launched(task, image, Plan(BAKED, size_mb))
    finally:
        with contextlib.suppress(EngineFailed):
            told([task.podman, "rmi", "--force", name], "podman")


def _volume(task: RestartTask, size_mb: int, slim: Image, directory: Path) -> Way:
    task.progress(f"{size_mb} MB: a slim image, weights on a volume")
    line = task.line
    with hub(repository(REPOSITORY, directory), line) as endpoint:
        plan = Plan(VOLUME, size_mb, {"pull": f"hf:{REPOSITORY}"}, {"HF_ENDPOINT": endpoint}, line)
        return _launched(task, slim, plan)


@contextlib.contextmanager
def _packed(task: RestartTask, name: str, build_s: float) -> Iterator[Image]:
    """The image as an archive of compressed layers, for as long as the block runs."""
    archive = task.work / f"{secrets.token_hex(4)}.tar"
    size = int(told([task.podman, "image", "inspect", "--format", "{{.Size}}", name], "podman"))
    began = time.monotonic()
    try:
        told([task.podman, "push", "--quiet", name, f"oci-archive:{archive}:localhost/bench:1"], "podman", 3600)
        yield Image(name, archive, build_s, time.monotonic() - began, size)
    finally:
        archive.unlink(missing_ok=True)


def _launched(task: RestartTask, image: Image, plan: Plan) -> Way:
    """All starts on a machine that has nothing at first."""
    load_average = os.getloadavg()[0]
    with _empty_machine(task) as podman:
        image_pull_s, name = _pull_image(task, podman, image)
        form = ContainerForm(HOST, podman, name, f"talkie-bench-{secrets.token_hex(4)}", plan.environment)
        try:
            launches = _starts(task, form, plan)
        finally:
            form.close()
    return Way(
        way=plan.way,
        model_mb=plan.model_mb,
        build_s=round(image.build_s, 2),
        pack_s=round(image.pack_s, 2),
        image_bytes=image.size_bytes,
        packed_bytes=image.archive.stat().st_size,
        image_pull_s=round(image_pull_s, 2),
        first_ready_s=round(launches.first_s, 2),
        restarts_s=tuple(round(one, 2) for one in launches.later_s),
        model_pulled_bytes=launches.pulled_bytes,
        load_average=round(load_average, 2),
    )


def _starts(task: RestartTask, form: ContainerForm, plan: Plan) -> Launches:
    wish = StartWish(task.work, BUILT_IN, secrets.token_urlsafe(32), plan.settings)
    first_s = _ready(form, wish)
    pulled = plan.line.sent if plan.line else 0
    later = tuple(_ready(form, wish) for _ in range(task.restarts))
    if plan.line and plan.line.sent - pulled > MB:
        raise EngineFailed("server", "a restart pulled the model again")
    return Launches(first_s, later, pulled)


def _ready(form: ContainerForm, wish: StartWish) -> float:
    with form.start(wish) as running, Client(running.url, wish.key) as client:
        return wait_ready(client, running)


@contextlib.contextmanager
def _empty_machine(task: RestartTask) -> Iterator[tuple[str, ...]]:
    """Podman with a storage of its own: nothing is cached, and all of it goes at the end."""
    place = task.work / "machine"
    podman = (task.podman, f"--root={place / 'storage'}", f"--runroot={place / 'run'}")
    try:
        yield podman
    finally:
        with contextlib.suppress(EngineFailed):
            told([*podman, "rm", "--all", "--force"], "podman")
            told([*podman, "rmi", "--all", "--force"], "podman")
        shutil.rmtree(place, ignore_errors=True)
        if place.exists():  # files of other users, where Podman runs without root
            with contextlib.suppress(EngineFailed):
                told([task.podman, "unshare", "rm", "-rf", str(place)], "podman")


def _pull_image(task: RestartTask, podman: Sequence[str], image: Image) -> tuple[float, str]:
    """Seconds until the machine has the image, and its name there."""
    began = time.monotonic()
    loading: subprocess.Popen[Any] = subprocess.Popen(
        [*podman, "load", "--quiet"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    with image.archive.open("rb") as archive, contextlib.suppress(BrokenPipeError):
        task.line.copy(archive, cast(BinaryIO, loading.stdin))
    said = (loading.communicate()[0] or b"").decode(errors="replace")
    if loading.returncode != 0:
        raise EngineFailed("podman", f"the image was not loaded: {said[-500:].strip()}")
    return time.monotonic() - began, said.strip().rpartition(" ")[2]
