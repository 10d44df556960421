"""systemd as the service commands need it: is it there, is the unit up, what did it say last.

Everything that is run goes through one function, so that tests can be systemd. Knows nothing of plans and files.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from talkie.cli.service_unit import UNIT
from talkie.errors import TalkieError

BOOTED = Path("/run/systemd/system")
"""Is there where systemd runs the machine (sd_booted(3))."""
COMMAND_S = 180.0
"""A restart waits until the old server has finished what it accepted."""
PROPERTIES = (
    "ActiveState,SubState,Result,NRestarts,MainPID,MemoryCurrent,ExecMainStatus,UnitFileState,ActiveEnterTimestamp"
)
LAST_LINES = 15


@dataclass(frozen=True, slots=True)
class Answer:
    """Of a command that was run; `output` is both of its streams."""

    status: int
    output: str


Runner: TypeAlias = Callable[[Sequence[str]], Answer]


def run_command(words: Sequence[str]) -> Answer:
    """Raises `TalkieError` for a program that is not there or does not end."""
    try:
        done = subprocess.run(
            words,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=COMMAND_S,
        )
    except FileNotFoundError:
        raise TalkieError(f"The program {words[0]} is not here.", hint="It comes with systemd.") from None
    except subprocess.TimeoutExpired:
        raise TalkieError(f"`{' '.join(words)}` did not end in {COMMAND_S:g} s.") from None
    return Answer(done.returncode, done.stdout.decode(errors="replace").strip())


class Systemd:
    """The machine's manager, or that of the user who asks."""

    def __init__(self, *, system: bool, run: Runner = run_command, booted: Path = BOOTED) -> None:
        self.system, self._run, self._booted = system, run, booted

    def check(self) -> None:
        """Raises `TalkieError` where there is no such manager."""
        if not self._booted.is_dir():
            raise TalkieError(
                "This machine is not run by systemd.",
                hint="Let what starts things here run `talkie serve`; it stops cleanly at SIGTERM.",
            )
        if not self.system and self._run(("systemctl", "--user", "show-environment")).status:
            raise TalkieError(
                "There is no systemd for this user here.",
                hint="Log in as the user itself (not with su or sudo), or install for the machine: "
                "sudo talkie service install --system",
            )

    def run(self, words: Sequence[str]) -> str:
        """What it said. Raises `TalkieError` when it failed."""
        answer = self._run(words)
        if answer.status:
            raise TalkieError(f"`{' '.join(words)}` failed: {answer.output or f'status {answer.status}'}")
        return answer.output

    def attempt(self, words: Sequence[str]) -> bool:
        return self._run(words).status == 0

    def control(self, *words: str) -> tuple[str, ...]:
        return ("systemctl", *(() if self.system else ("--user",)), *words)

    def state(self) -> dict[str, str]:
        """The properties of the unit; empty values where there is none."""
        answer = self._run(self.control("show", UNIT, f"--property={PROPERTIES}"))
        pairs = (line.partition("=") for line in answer.output.splitlines())
        return {name: value for name, _, value in pairs}

    def can(self, properties: Sequence[str]) -> bool:
        """Whether a process can be started with these lines of a unit."""
        told = [word for line in properties for word in ("--property", line)]
        where = () if self.system else ("--user",)
        return self.attempt(("systemd-run", *where, "--quiet", "--wait", "--collect", *told, "true"))

    def log_command(self, *words: str) -> tuple[str, ...]:
        return ("journalctl", "--unit" if self.system else "--user-unit", UNIT, *words)

    def last_words(self, since: str) -> list[str]:
        """What the unit wrote since a time like @1700000000."""
        wish = self.log_command("--no-pager", "--output=cat", f"--lines={LAST_LINES}", f"--since={since}")
        answer = self._run(wish)
        return answer.output.splitlines() if answer.status == 0 else []


def is_active(state: dict[str, str]) -> bool:
    return state.get("ActiveState") in ("active", "reloading")


def has_failed(state: dict[str, str]) -> bool:
    """It ended, or is about to be started once more because it did."""
    again = state.get("SubState") == "auto-restart" or state.get("NRestarts", "0") not in ("", "0")
    return again or state.get("ActiveState") in ("failed", "inactive")
