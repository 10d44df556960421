"""What the service commands say: what will be done and whether it may, how it went, and how the service is.

Data goes to stdout, everything else to stderr. Knows nothing of how anything is done.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import typer

from talkie.cli.output import say, size
from talkie.cli.ps import address
from talkie.cli.service_doing import Ready, probe
from talkie.cli.service_plan import Places, Wish
from talkie.cli.service_wish import in_force
from talkie.errors import InvalidValue


def agree(title: str, lines: Iterable[str], yes: bool, more: str = "") -> None:
    """What will be done, and whether it may. Raises `InvalidValue` where nobody can be asked."""
    say(f"{title} will:")
    for line in lines:
        say(f"  {line}")
    if yes:
        return
    if more:
        say(more)
    if not sys.stdin.isatty():
        raise InvalidValue("yes", "Nobody is here to say yes to that.", hint="Say it with --yes.")
    typer.confirm("Go on?", abort=True, err=True)


def report(ready: Ready, places: Places, wish: Wish) -> None:
    """How the start went, and what somebody who installed it must know."""
    if ready.ready:
        say("The service runs and is ready.")
    else:
        say("The service runs and is not ready yet:")
        for name, part in ready.parts.items():
            say(f"  {name}: {part}")
    if "api_key" in wish.settings:
        say(f"Whoever calls it needs the key TALKIE_API_KEY in {places.environment}.")
    if not places.system and not wish.linger:
        say("It ends when you log out; `loginctl enable-linger` lets it go on.")


def facts_of(places: Places, state: dict[str, str]) -> dict[str, Any]:
    """For eyes and programs alike; the address is None where its file may not be read."""
    try:
        url = address(in_force(places))
    except PermissionError:
        url = None
    found = probe(url) if url and state.get("ActiveState") == "active" else None
    memory = state.get("MemoryCurrent", "")
    return {
        "form": "system" if places.system else "user",
        "state": state.get("ActiveState", ""),
        "since": state.get("ActiveEnterTimestamp", ""),
        "at_boot": state.get("UnitFileState", ""),
        "address": url,
        "ready": found.ready if found else False if url else None,
        "not_ready": found.parts if found and not found.ready else {},
        "process": state.get("MainPID", ""),
        "memory": size(int(memory)) if memory.isdigit() else "",
        "restarts": state.get("NRestarts", ""),
        "unit": str(places.unit),
        "settings": str(places.environment),
        "home": str(places.home),
    }


def show(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)
