"""A plan carried out: all of it, or nothing; and waiting until the server that it started answers.

Knows nothing of what is in a plan, nor of the command line.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from talkie.cli.service_plan import NewFile, Places, Plan
from talkie.cli.service_systemd import Systemd, has_failed, is_active
from talkie.cli.service_unit import NAME, UNIT, USER
from talkie.errors import TalkieError

POLL_S = 0.1
DIRECTORY_MODE = 0o755
OWN_DIRECTORIES = (f"{UNIT}.d", NAME)


@dataclass(frozen=True, slots=True)
class Ready:
    """What `/readyz` said: `parts` tells what is not ready yet."""

    ready: bool
    parts: dict[str, Any] = field(default_factory=dict)


def probe(url: str) -> Ready | None:
    """None where nobody answers. Sends no key, so that it may ask a server whose certificate names another machine."""
    import httpx

    try:
        with httpx.Client(verify=False, trust_env=False, timeout=5.0) as client:  # noqa: S501
            body = client.get(f"{url}/readyz").json()
    except (httpx.HTTPError, ValueError):
        return None
    if not isinstance(body, dict):
        return None
    parts = body.get("parts")
    return Ready(bool(body.get("ready")), parts if isinstance(parts, dict) else {})


class Changes:
    """Files written and removed, with what was there before."""

    def __init__(self) -> None:
        self._before: list[tuple[Path, bytes | None, int]] = []
        self._made: list[Path] = []

    def make_directory(self, path: Path) -> None:
        missing = [one for one in (path, *path.parents) if not one.exists()]
        for one in reversed(missing):
            one.mkdir(DIRECTORY_MODE)
            self._made.append(one)

    def write(self, file: NewFile) -> None:
        """Whole or not at all, and never readable by others for a moment."""
        self.make_directory(file.path.parent)
        self._remember(file.path)
        _write(file.path, file.text.encode(), file.mode)

    def remove(self, path: Path) -> None:
        self._remember(path)
        path.unlink(missing_ok=True)
        if path.parent.name in OWN_DIRECTORIES:
            with contextlib.suppress(OSError):  # not empty: others' drop-ins and settings may lie there
                path.parent.rmdir()

    def undo(self) -> None:
        for path, data, mode in reversed(self._before):
            if data is None:
                path.unlink(missing_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(path, data, mode)
        for path in reversed(self._made):
            with contextlib.suppress(OSError):  # not empty: somebody uses it
                path.rmdir()

    def _remember(self, path: Path) -> None:
        if path.exists():
            self._before.append((path, path.read_bytes(), path.stat().st_mode & 0o777))
        else:
            self._before.append((path, None, 0))


def install(
    plan: Plan, places: Places, systemd: Systemd, wait: Callable[[], Ready], *, had_user: bool = False
) -> Ready:
    """Carries it out and waits. Whatever goes wrong, Ctrl-C too, everything is as it was before.

    `had_user`: the user of the machine's service was there. Raises `TalkieError`, with what the server wrote last.
    """
    before, had_home, since = systemd.state(), places.home.exists(), f"@{int(time.time())}"
    changes = Changes()
    try:
        _do(plan, changes, systemd)
        return wait()
    except BaseException as error:
        words = systemd.last_words(since) if isinstance(error, TalkieError) else []
        _undo(changes, systemd, before)
        if places.system and not had_home:
            shutil.rmtree(places.home, ignore_errors=True)
        if places.system and not had_user:
            systemd.attempt(("userdel", USER))
        if isinstance(error, TalkieError):
            raise _explained(error, words) from None
        raise


def uninstall(plan: Plan, systemd: Systemd) -> None:
    """What was stopped and taken away stays so, also when something later fails: it can be run again."""
    _do(plan, Changes(), systemd)
    systemd.attempt(systemd.control("reset-failed", UNIT))


def wait_until_ready(
    systemd: Systemd,
    url: str,
    limit_s: float,
    *,
    ask: Callable[[str], Ready | None] = probe,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Ready:
    """Not ready when the time is over and it answers: it fetches models, say. Raises `TalkieError` when it ended, or
    never answered."""
    began = clock()
    while True:
        # First how the unit is: what answers at that address may be another program while ours fails to get it.
        if has_failed(systemd.state()):
            raise TalkieError("The service did not start.")
        found = ask(url)
        if found and found.ready:
            return found
        if clock() - began > limit_s:
            if found:
                return found
            raise TalkieError(f"The service runs and nobody answers at {url}.")
        pause(POLL_S)


def _do(plan: Plan, changes: Changes, systemd: Systemd) -> None:
    for command in plan.before:
        systemd.run(command)
    for directory in plan.directories:
        changes.make_directory(directory)
    for file in plan.files:
        changes.write(file)
    for path in plan.gone:
        changes.remove(path)
    for tree in plan.trees:
        shutil.rmtree(tree)
    for command in plan.after:
        systemd.run(command)


def _undo(changes: Changes, systemd: Systemd, before: dict[str, str]) -> None:
    if before.get("UnitFileState") != "enabled":
        systemd.attempt(systemd.control("disable", UNIT))
    if not is_active(before):
        systemd.attempt(systemd.control("stop", UNIT))
    changes.undo()
    systemd.attempt(systemd.control("daemon-reload"))
    systemd.attempt(systemd.control("reset-failed", UNIT))
    if is_active(before):
        systemd.attempt(systemd.control("restart", UNIT))


def _explained(error: TalkieError, words: list[str]) -> TalkieError:
    hidden = any("NAMESPACE" in line for line in words)
    hint = "Nothing was left behind; everything is as it was."
    if hidden:
        hint += " This machine does not let systemd hide things: an LXC container needs the feature nesting."
    return TalkieError("\n".join([error.message, *(f"    {line}" for line in words)]), hint=hint)


def _write(path: Path, data: bytes, mode: int) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # 0600
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        part.chmod(mode)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
