"""How an environment is made: beside its place, from a list of exact versions and hashes, and named when it is whole.

One that was broken off goes on from what it had fetched. Knows nothing of engines, and asks nobody anything.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from talkie.environments.installed import MARKER, Installed, directory_of, find, part_of
from talkie.environments.sizes import tree_bytes
from talkie.environments.table import Recipe
from talkie.environments.uv import Step, find_uv, python_of, run_step
from talkie.errors import EngineFailed, EngineUnavailable, StoreFull

INSTALL_S = 4 * 3600.0
LOCK_WAIT_S = 3600.0
SPARE_BYTES = 500_000_000
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
_KEPT_PREFIXES = ("http", "no_proxy", "all_proxy", "uv_", "xdg_", "nvidia_", "cuda_")

Progress = Callable[[int, int, str], None]
"""Bytes done, bytes in all, and what is being done."""


def _nobody(_done_bytes: int, _total_bytes: int, _what: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Wish:
    """Where to make it, and with which uv (None: find one). `offline`: the network must not be touched."""

    home: Path
    uv: Path | None = None
    offline: bool = False


def install(recipe: Recipe, wish: Wish, progress: Progress = _nobody) -> Installed:
    """The environment, made where it is not there or is a stale one. Two makers wait for each other.

    Raises `StoreFull`, `EngineUnavailable` (offline, or no uv), `EngineFailed`.
    """
    from filelock import FileLock, Timeout

    directory = directory_of(recipe, wish.home)
    directory.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(directory.with_name(f".{recipe.name}.lock")).acquire(timeout=LOCK_WAIT_S, poll_interval=0.2):
            found = find(recipe, wish.home)
            return found if found is not None and found.current else _make(recipe, wish, directory, progress)
    except Timeout:
        raise EngineFailed(recipe.name, "somebody else has been making its environment for an hour") from None


def check_space(recipe: Recipe, home: Path) -> None:
    """Raises `StoreFull` where what is still to come will not fit."""
    directory = directory_of(recipe, home)
    there = next(one for one in (directory, *directory.parents) if one.is_dir())
    needed = recipe.disk_bytes + SPARE_BYTES - tree_bytes(part_of(directory))
    free = shutil.disk_usage(there).free
    if free < needed:
        raise StoreFull(needed, free, str(there))


def _make(recipe: Recipe, wish: Wish, directory: Path, progress: Progress) -> Installed:
    if wish.offline:
        raise EngineUnavailable(
            recipe.name,
            "its environment must be fetched, and offline mode is on",
            hint="Turn it off (TALKIE_OFFLINE, HF_HUB_OFFLINE), or copy `engines` from the home of a like machine.",
        )
    uv = find_uv(wish.uv)
    check_space(recipe, wish.home)
    part = part_of(directory)
    made, fetched = part / "environment", part / "fetched"
    fetched.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(made, ignore_errors=True)
    env = _environment(fetched)
    for step in _steps(recipe, made, str(uv)):

        def looking(what: str = step.what) -> None:
            progress(min(tree_bytes(made, fetched), recipe.disk_bytes), recipe.disk_bytes, what)

        looking()
        run_step(recipe.name, step, env=env, looking=looking)
    listed = run_step(recipe.name, Step("what is in it", _pip(str(uv), "freeze", made)), env=env)
    packages = [line for line in listed.splitlines() if "==" in line]
    size_bytes = tree_bytes(made)
    marker = {"fingerprint": recipe.fingerprint, "size_bytes": size_bytes, "packages": packages}
    (made / MARKER).write_text(json.dumps(marker, indent=1), encoding="utf-8")
    shutil.rmtree(directory, ignore_errors=True)
    made.rename(directory)
    shutil.rmtree(part, ignore_errors=True)
    progress(recipe.disk_bytes, recipe.disk_bytes, "")
    return Installed(recipe.name, python_of(directory), size_bytes, tuple(packages), True)


def _steps(recipe: Recipe, made: Path, uv: str) -> tuple[Step, ...]:
    # Wheels and hashes only: nothing that is fetched may run while it is installed.
    locked = ("--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(recipe.lock))
    bare = (uv, "venv", "-q", "--no-config", "--relocatable", "--python", _python_for(recipe), str(made))
    return (
        Step("a bare environment", bare),
        Step("packages", (*_pip(uv, "install", made), *locked), INSTALL_S),
        Step("a first start", (str(python_of(made)), "-I", "-c", recipe.check)),
    )


def _pip(uv: str, command: str, made: Path) -> tuple[str, ...]:
    return (uv, "pip", command, "-q", "--no-config", "--python", str(python_of(made)))


def _python_for(recipe: Recipe) -> str:
    """Our own Python where the list was made for its version; else uv looks for one that fits, or fetches it."""
    ours = f"{sys.version_info.major}.{sys.version_info.minor}"
    return sys.executable if ours in recipe.pythons else recipe.pythons[-1]


def _environment(fetched: Path) -> dict[str, str]:
    """What the programs may see of ours: ways to the network, and no keys of ours. What they fetch stays beside."""
    kept = {
        name: value for name, value in os.environ.items() if name in _KEPT or name.lower().startswith(_KEPT_PREFIXES)
    }
    return {**kept, "UV_CACHE_DIR": str(fetched)}
