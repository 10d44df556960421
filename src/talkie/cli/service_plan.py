"""What installing or removing the service does, before it is done: files with their text, and commands.

Pure but for reading what is there already: nothing is written and nothing is run here, so that all of it can be shown
first. Knows nothing of how systemd answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from talkie.cli.service_environment import changed, parse, shown
from talkie.cli.service_unit import MARK, NAME, UNIT, USER, Service, gpu_text, unit_text, user_text
from talkie.errors import InvalidValue, TalkieError

SECRET_MODE, PLAIN_MODE = 0o600, 0o644
Command: TypeAlias = tuple[str, ...]
MEMORY = re.compile(r"(\d+(\.\d+)?[KMGT]?|\d{1,3}%)")


@dataclass(frozen=True, slots=True)
class Places:
    """Where the files of the service lie; `users` is where the system service's user is said to be made."""

    system: bool
    units: Path
    environment: Path
    home: Path
    users: Path | None = None

    @property
    def unit(self) -> Path:
        return self.units / UNIT

    @property
    def gpu(self) -> Path:
        return self.units / f"{UNIT}.d" / "gpu.conf"


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for. None keeps what is there; `settings` are those that change."""

    command: tuple[str, ...]
    settings: Mapping[str, str]
    gpu: bool | None = None
    groups: tuple[str, ...] = ()
    memory_max: str | None = None
    grace_s: float = 30.0
    lonely: bool = False
    sandbox: bool = True
    linger: bool = False


@dataclass(frozen=True, slots=True)
class NewFile:
    path: Path
    text: str
    mode: int = PLAIN_MODE

    @property
    def for_eyes(self) -> str:
        return shown(self.text) if self.mode == SECRET_MODE else self.text


@dataclass(frozen=True, slots=True)
class Plan:
    """Carried out in this order. `trees` are directories that go with all that is in them."""

    before: tuple[Command, ...] = ()
    directories: tuple[Path, ...] = ()
    files: tuple[NewFile, ...] = ()
    gone: tuple[Path, ...] = ()
    trees: tuple[Path, ...] = ()
    after: tuple[Command, ...] = ()


def system_places(root: Path = Path("/")) -> Places:
    etc = root / "etc"
    users = etc / "sysusers.d" / f"{NAME}.conf"
    return Places(True, etc / "systemd/system", etc / NAME / f"{NAME}.env", root / "var/lib" / NAME, users)


def user_places(config: Path, home: Path) -> Places:
    """`config` is the user's directory of settings (`~/.config`), `home` that of Talkie."""
    return Places(False, config / "systemd/user", config / NAME / f"{NAME}.env", home)


def install_plan(places: Places, wish: Wish) -> Plan:
    """Raises `TalkieError` when a unit of that name is somebody else's, `InvalidValue` for what cannot be."""
    old = text_of(places.unit)
    if old and not old.startswith(MARK):
        raise TalkieError(
            f"{places.unit} was not written by Talkie.", hint="Move it away first: it would be lost otherwise."
        )
    service = service_of(places, wish, old)
    files = [
        NewFile(places.environment, changed(text_of(places.environment), wish.settings), SECRET_MODE),
        NewFile(places.unit, unit_text(service)),
    ]
    if places.users:
        files.insert(0, NewFile(places.users, user_text(places.home)))
    if wish.gpu or (wish.gpu is None and places.gpu.exists()):
        files.append(NewFile(places.gpu, gpu_text(service, wish.groups)))
    gone = (places.gpu,) if wish.gpu is False and places.gpu.exists() else ()
    own_home = () if places.system else (places.home,)  # systemd makes that of the system service
    return Plan(directories=own_home, files=tuple(files), gone=gone, after=tuple(_start(places, wish)))


def remove_plan(places: Places, *, purge: bool, has_user: bool = True) -> Plan:
    """Data, settings and the user stay, unless they are to go.

    Raises `TalkieError` for a home that cannot be only Talkie's.
    """
    gone = [path for path in (places.gpu, places.unit, places.users) if path and path.exists()]
    stop = ((*systemctl(places), "disable", "--now", UNIT),) if places.unit.exists() else ()
    reload = ((*systemctl(places), "daemon-reload"),)
    if not purge:
        return Plan(before=stop, gone=tuple(gone), after=reload)
    if places.home.name != NAME or places.home.is_symlink() or places.home.is_mount():
        raise TalkieError(
            f"The home {places.home} is not removed: other things may lie there.",
            hint="Uninstall without --purge, and remove by hand what is Talkie's.",
        )
    gone += [places.environment] if places.environment.exists() else []
    trees = (places.home,) if places.home.exists() else ()
    own_user = (("userdel", USER),) if places.system and has_user else ()
    return Plan(before=stop, gone=tuple(gone), trees=trees, after=(*reload, *own_user))


def service_of(places: Places, wish: Wish, old_unit: str = "") -> Service:
    """What the unit is made of; the memory that a unit allowed before is kept where nothing else is said."""
    found = re.search(r"^MemoryMax=(.+)$", old_unit, re.MULTILINE)
    memory = wish.memory_max if wish.memory_max is not None else found[1] if found else ""
    if memory and not MEMORY.fullmatch(memory):
        raise InvalidValue("memory-max", f"{memory!r} is no amount of memory.", hint="Like 6G, 900M or 50%.")
    return Service(
        command=wish.command,
        home=places.home,
        environment=places.environment,
        system=places.system,
        grace_s=wish.grace_s,
        memory_max=memory,
        lonely=wish.lonely,
        sandbox=wish.sandbox,
    )


def told(plan: Plan, *, contents: bool = False) -> Iterator[str]:
    """What the plan does, a line each; with `contents` the text of every file too, without its secrets."""
    yield from (f"run {' '.join(command)}" for command in plan.before)
    yield from (f"make {directory}" for directory in plan.directories if not directory.exists())
    for file in plan.files:
        yield f"{_verb(file)} {file.path} ({file.text.count(chr(10))} lines, mode {file.mode:o})"
        if contents:
            yield from (f"    {line}".rstrip() for line in file.for_eyes.splitlines())
    yield from (f"remove {path}" for path in plan.gone)
    yield from (f"remove {path} and everything in it" for path in plan.trees)
    yield from (f"run {' '.join(command)}" for command in plan.after)


def settings_of(places: Places) -> dict[str, str]:
    """The settings of an installed service, as they stand in its file. Raises `PermissionError`."""
    return parse(text_of(places.environment))


def systemctl(places: Places) -> tuple[str, ...]:
    return ("systemctl",) if places.system else ("systemctl", "--user")


def text_of(path: Path) -> str:
    """Empty where there is no such file."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _start(places: Places, wish: Wish) -> Iterator[tuple[str, ...]]:
    if places.users:
        yield "systemd-sysusers", str(places.users)
    if wish.linger:
        yield "loginctl", "enable-linger"
    for words in (("daemon-reload",), ("enable", UNIT), ("restart", UNIT)):
        yield *systemctl(places), *words


def _verb(file: NewFile) -> str:
    old = text_of(file.path) if file.path.exists() else None
    return "write" if old is None else "keep" if old == file.text else "change"
