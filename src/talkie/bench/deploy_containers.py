"""Talkie in a container: Podman, on the host's network or behind a bridge, locked up as the published units lock it.

Read-only root, no capabilities, a user without rights, a volume for `/data`, the model mounted from the host. Podman's
own settings come from its environment. Knows nothing of what the server is asked.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from talkie.bench.deploy_forms import KEPT_BYTES, STOP_S, FormAbsent, Running, StartWish, free_port, told
from talkie.bench.deploy_results import BRIDGE, HOST
from talkie.bench.machine import family
from talkie.errors import EngineFailed

PORT = 8000
LOCKED = ("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", "--user=10001:10001")
TITLES = {HOST: "container, host network", BRIDGE: "container, bridge"}
WHERE = {"home": "/data", "models": "/models", "tls": "/tls"}


@dataclass(frozen=True, slots=True)
class ContainerForm:
    """`volume` is this run's own and goes with it; `more` is environment that is no setting of Talkie's."""

    name: str
    podman: tuple[str, ...]
    image: str
    volume: str
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return TITLES[self.name]

    def disk(self) -> dict[str, int]:
        return {"image": int(told([*self.podman, "image", "inspect", "--format", "{{.Size}}", self.image], "podman"))}

    @contextlib.contextmanager
    def start(self, wish: StartWish) -> Iterator[Running]:
        port, name = free_port(), f"{self.volume}-{secrets.token_hex(4)}"
        began = time.monotonic()
        told(self.command(wish, name, port), "podman")
        try:
            yield Running(
                wish.url(port),
                began,
                pids=lambda: family(self._pids(name)[0]),
                around=lambda: around(*self._pids(name)),
                alive=lambda: self._asked(name, "{{.State.Running}}") == "true",
                words=lambda: self._log(name),
            )
        finally:
            with contextlib.suppress(EngineFailed):
                told([*self.podman, "rm", "--force", f"--time={STOP_S:.0f}", name], "podman")

    def close(self) -> None:
        with contextlib.suppress(EngineFailed):
            told([*self.podman, "volume", "rm", "--force", self.volume], "podman")

    def command(self, wish: StartWish, name: str, port: int) -> list[str]:
        """`podman run` for this server, in the background."""
        inside = PORT if self.name == BRIDGE else port
        network = [f"--publish=127.0.0.1:{port}:{PORT}"] if self.name == BRIDGE else ["--network=host"]
        host = "0.0.0.0" if self.name == BRIDGE else "127.0.0.1"
        model = Path(wish.model)
        seen = f"{WHERE['models']}/{model.name}" if model.is_dir() else wish.model
        mounts = [f"--volume={self.volume}:{WHERE['home']}"]
        mounts += [f"--volume={model.resolve()}:{seen}:ro"] if model.is_dir() else []
        mounts += [f"--volume={wish.tls.resolve()}:{WHERE['tls']}:ro"] if wish.tls else []
        values = wish.environment(WHERE["home"], seen, WHERE["tls"], inside, host)
        settings = [f"--env={setting}={value}" for setting, value in {**values, **self.more}.items()]
        return [*self.podman, "run", "--detach", f"--name={name}", *LOCKED, *network, *mounts, *settings, self.image]

    def _pids(self, name: str) -> tuple[int, int]:
        """Of the server, and of the process that watches over the container."""
        server, watcher = self._asked(name, "{{.State.Pid}} {{.State.ConmonPid}}").split()
        return int(server), int(watcher)

    def _asked(self, name: str, what: str) -> str:
        return told([*self.podman, "container", "inspect", "--format", what, name], "podman")

    def _log(self, name: str) -> str:
        try:
            return told([*self.podman, "logs", "--tail=30", name], "podman")[-KEPT_BYTES:]
        except EngineFailed as error:
            return error.message


def around(server: int, watcher: int) -> Sequence[int]:
    """What lives for the container and is not in it: the watcher, and who forwards its ports."""
    ours = set(family(server))
    return [pid for pid in family(watcher) if pid not in ours]


def containers(image: str, names: Sequence[str] = (HOST, BRIDGE), podman: str = "podman") -> list[ContainerForm]:
    """Raises `FormAbsent` when Podman or the image is not there."""
    if shutil.which(podman) is None:
        raise FormAbsent(f"there is no program {podman}")
    try:
        told([podman, "image", "exists", image], "podman")
    except EngineFailed as error:
        raise FormAbsent(f"there is no image {image}") from error
    return [ContainerForm(name, (podman,), image, f"talkie-bench-{secrets.token_hex(4)}") for name in names]
