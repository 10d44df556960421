"""Environments of the peers: one directory each, made once by uv, and what each takes on the disk.

Two who make the same one wait for each other; one that was left half made, or was made for other pins or another
Python, is made anew. Knows nothing of models, of runners, or of how a peer is asked.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from talkie.bench.peers.installed import distribution_bytes
from talkie.bench.peers.table import TORCH, Peer
from talkie.environments.sizes import tree_bytes
from talkie.environments.uv import Step, find_uv, python_of, run_step
from talkie.errors import EngineFailed, EngineUnavailable

MARKER = "talkie-peer.json"
LOCK_WAIT_S = 3600.0

Report = Callable[[str, int, int], None]
"""What is being done, which step that is, and of how many."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a peer lives. `packages` are all that it installed, `name==version`."""

    peer: str
    python: Path
    size_bytes: int
    packages: tuple[str, ...] = ()


def _nobody(_what: str, _step: int, _of: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Environments:
    """The environments below `root`. `torch_index` is where to find a torch without CUDA, where the usual index has
    one with it: for most that is https://download.pytorch.org/whl/cpu."""

    root: Path
    uv: Path | None = None
    torch_index: str = ""

    def prepare(self, peer: Peer, report: Report = _nobody) -> Environment:
        """The environment of a peer, made when it is not there. Raises `EngineUnavailable` and `EngineFailed`."""
        from filelock import FileLock, Timeout

        if peer.unavailable:
            raise EngineUnavailable(peer.name, peer.unavailable, hint="The report lists it with this reason.")
        if peer.own:
            return Environment(peer.name, Path(sys.executable), distribution_bytes("talkie"))
        self.root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.root / f"{peer.name}.lock")
        try:
            with lock.acquire(timeout=LOCK_WAIT_S, poll_interval=0.2):
                return self.find(peer) or self._make(peer, report)
        except Timeout:
            raise EngineFailed(peer.name, "somebody else has been making its environment for an hour") from None

    def find(self, peer: Peer) -> Environment | None:
        """The environment of a peer when it is there, whole, and made for these pins."""
        directory = self.root.absolute() / peer.name
        try:
            made = json.loads((directory / MARKER).read_text(encoding="utf-8"))
            if made["fingerprint"] != _fingerprint(peer):
                return None
            return Environment(peer.name, python_of(directory), int(made["size_bytes"]), tuple(made["packages"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _make(self, peer: Peer, report: Report) -> Environment:
        directory, uv = self.root.absolute() / peer.name, find_uv(self.uv)
        shutil.rmtree(directory, ignore_errors=True)
        steps = list(self._steps(peer, directory, str(uv)))
        for number, step in enumerate(steps):
            report(f"{peer.title}: {step.what}", number, len(steps))
            run_step(peer.name, step)
        if peer.ffmpeg:
            _link_ffmpeg(peer, directory)
        listed = run_step(
            peer.name, Step("what is in it", (str(uv), "pip", "freeze", "-q", "--python", str(python_of(directory))))
        )
        packages = [line for line in listed.splitlines() if "==" in line or " @ " in line]
        size_bytes = tree_bytes(directory)
        marker = {"fingerprint": _fingerprint(peer), "size_bytes": size_bytes, "packages": packages}
        partial = directory / (MARKER + ".part")
        partial.write_text(json.dumps(marker, indent=1), encoding="utf-8")
        partial.rename(directory / MARKER)
        report(peer.title, len(steps), len(steps))
        return Environment(peer.name, python_of(directory), size_bytes, tuple(packages))

    def _steps(self, peer: Peer, directory: Path, uv: str) -> Iterator[Step]:
        python = str(python_of(directory))
        install = (uv, "pip", "install", "-q", "--python", python)
        seed = ("--seed",) if peer.torch else ()
        yield Step("a bare environment", (uv, "venv", "-q", *seed, "--python", sys.executable, str(directory)))
        if peer.torch:
            # pip, not uv: it also looks where the machine's own pip settings say that wheels lie
            index = ("--index-url", self.torch_index) if self.torch_index else ()
            yield Step("torch", (python, "-m", "pip", "install", "-q", "--no-compile", *index, TORCH))
        torch = (TORCH,) if peer.torch else ()
        yield Step("packages", (*install, *peer.requirements, *torch))
        if peer.alone:
            yield Step("the peer itself", (*install, "--no-deps", *peer.alone))
        omit = (*peer.omit, *(("pip",) if peer.torch else ()))
        if omit:
            yield Step("tidying", (uv, "pip", "uninstall", "-q", "--python", python, *omit))


def _fingerprint(peer: Peer) -> str:
    """Changes with whatever would make another environment."""
    torch = TORCH if peer.torch else ""
    parts = (sys.version, peer.requirements, peer.alone, peer.omit, peer.ffmpeg, torch)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _link_ffmpeg(peer: Peer, directory: Path) -> None:
    """The program that imageio-ffmpeg carries, under the name that everybody calls it by."""
    found = sorted(directory.glob("lib/python*/site-packages/imageio_ffmpeg/binaries/ffmpeg-*"))
    if not found:
        raise EngineFailed(peer.name, "imageio-ffmpeg carries no ffmpeg program for this machine")
    (directory / "bin" / "ffmpeg").symlink_to(found[0])
