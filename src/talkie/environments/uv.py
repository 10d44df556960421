"""The uv program: where it is, and one command of it at a time.

Knows nothing of what is installed or why.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from talkie.errors import EngineFailed, EngineUnavailable

STEP_S = 1800.0
KEPT_CHARS = 1500
_LOOK_S = 0.5
_END_S = 10.0


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the making. It has `limit_s` seconds."""

    what: str
    command: tuple[str, ...]
    limit_s: float = STEP_S


def find_uv(given: Path | None = None) -> Path:
    """The one given, the checkout's own, the one beside our Python (where `pip install uv` puts it) or on the path.

    Raises `EngineUnavailable`.
    """
    near = [Path(".tools/bin/uv").absolute(), Path(sys.executable).parent / "uv"]
    found = given or next((one for one in near if one.is_file()), None) or shutil.which("uv")
    if not found or not Path(found).is_file():
        raise EngineUnavailable("uv", "there is no uv program", hint="`pip install uv`, or name one with --uv.")
    return Path(found).absolute()


def python_of(directory: Path) -> Path:
    """The interpreter of an environment."""
    return directory / "bin" / "python"


def run_step(
    maker: str, step: Step, *, env: Mapping[str, str] | None = None, looking: Callable[[], None] | None = None
) -> str:
    """What it said on stdout. `looking` is called now and then while it runs.

    Raises `EngineFailed` with the end of what it complained of; whatever ends the wait ends the program too.
    """
    failed = f"its environment could not be made ({step.what})"
    try:
        process = subprocess.Popen(
            step.command,
            cwd="/",  # not a checkout, whose own constraints uv would apply
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise EngineFailed(maker, f"{failed}: {error}") from error
    with process:
        try:
            out, said = _wait(process, step.limit_s, looking)
        except BaseException as error:
            process.terminate()  # uv ends what it has begun
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
            if isinstance(error, subprocess.TimeoutExpired):
                raise EngineFailed(maker, f"{failed}: {error}") from error
            raise
    if process.returncode:
        raise EngineFailed(maker, f"{failed}. It said:\n{(said or out).strip()[-KEPT_CHARS:]}")
    return out


def _wait(process: subprocess.Popen[str], limit_s: float, looking: Callable[[], None] | None) -> tuple[str, str]:
    deadline_s = time.monotonic() + limit_s
    while True:
        try:
            return process.communicate(timeout=_LOOK_S)
        except subprocess.TimeoutExpired:
            if time.monotonic() >= deadline_s:
                raise
            if looking is not None:
                looking()
