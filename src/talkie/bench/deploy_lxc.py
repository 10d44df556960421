"""Talkie in an LXC container that is there already: the container is booted, and the server started inside it.

It must share the host's network (`lxc.net.0.type = none`), and have Talkie installed. Knows nothing of what the server
is asked.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from talkie.bench.deploy_forms import FormAbsent, Running, StartWish, bytes_below, free_port, started, told
from talkie.bench.deploy_processes import parent
from talkie.bench.deploy_results import LXC
from talkie.bench.machine import family
from talkie.errors import EngineFailed

TITLE = "LXC, booted with systemd"
TALKIE = "/opt/talkie/current/bin/talkie"
MODEL, TLS, HOME = "srv/talkie-model", "srv/talkie-tls", "/var/tmp"


@dataclass(frozen=True, slots=True)
class LxcForm:
    """`command` is Talkie's program inside."""

    container: str
    rootfs: Path
    command: str
    home: str
    name: str = LXC
    title: str = TITLE

    def disk(self) -> dict[str, int]:
        return {"root file system": bytes_below(self.rootfs)}

    @contextlib.contextmanager
    def start(self, wish: StartWish) -> Iterator[Running]:
        """The clock begins with the boot of the container. A second server is started beside the first."""
        began, port = time.monotonic(), free_port()
        first = not self._running()
        if first:
            told(self.boot(wish), LXC)
        try:
            attach = ["lxc-attach", "--name", self.container, "--clear-env"]
            model = f"/{MODEL}" if Path(wish.model).is_dir() else wish.model
            values = wish.environment(self.home, model, f"/{TLS}", port)
            inside = [f"--set-var={name}={value}" for name, value in values.items()]
            with started([*attach, *inside, "--", self.command, "serve"], wish.url(port), began) as running:
                yield replace(running, pids=lambda: running.pids()[1:], around=lambda: self._around(running))
        finally:
            if first:
                with contextlib.suppress(EngineFailed):
                    told(["lxc-stop", "--name", self.container, "--timeout", "20"], LXC)

    def boot(self, wish: StartWish) -> list[str]:
        """The certificate's directory is there even without TLS: mounts are made at the boot only."""
        mounts = {Path(wish.model): MODEL, wish.home.parent / "tls": TLS}
        entries = [
            f"lxc.mount.entry={source.resolve()} {target} none bind,ro,create=dir 0 0"
            for source, target in mounts.items()
            if source.is_dir()
        ]
        return ["lxc-start", "--name", self.container, "--daemon", *(f"--define={entry}" for entry in entries)]

    def close(self) -> None:
        shutil.rmtree(self.rootfs / self.home.lstrip("/"), ignore_errors=True)

    def _running(self) -> bool:
        return told(["lxc-info", "--name", self.container, "--state", "--no-humanize"], LXC) == "RUNNING"

    def _around(self, running: Running) -> list[int]:
        """The container's monitor, its own init with all services, and the program that brought us in."""
        init = int(told(["lxc-info", "--name", self.container, "--pid", "--no-humanize"], LXC))
        ours = set(running.pids())
        return [pid for pid in (*family(parent(init)), *running.pids()[:1]) if pid not in ours]


def lxc(container: str, command: str = TALKIE) -> LxcForm:
    """Raises `FormAbsent` when there is no such container, or none was named."""
    if not container:
        raise FormAbsent("no container was named")
    if shutil.which("lxc-start") is None:
        raise FormAbsent("there is no program lxc-start")
    try:
        rootfs = told(["lxc-info", "--name", container, "--config=lxc.rootfs.path", "--no-humanize"], LXC)
    except EngineFailed as error:
        raise FormAbsent(f"there is no container {container}") from error
    path = Path(rootfs.rpartition("=")[2].strip().removeprefix("dir:"))
    return LxcForm(container, path, command, f"{HOME}/talkie-bench-{secrets.token_hex(4)}")
