"""From what was asked for and what this machine is to what the service shall be: program, settings, key, card, sandbox.

Checks everything that can be checked before anything is written. Knows nothing of files to write and of commands.
"""

from __future__ import annotations

import grp
import pwd
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from talkie.cli.service_plan import Places, settings_of, text_of, user_places
from talkie.cli.service_unit import NAME, USER
from talkie.errors import SettingsError, TalkieError

if TYPE_CHECKING:
    from talkie.settings import Settings

HIDDEN = tuple(Path(path) for path in ("/home", "/root", "/run/user", "/tmp", "/var/tmp"))  # noqa: S108
"""What the system service cannot see: homes, and directories of which it gets its own."""
CARD_GROUPS = ("video", "render")
HOME_LINE = re.compile(r'^Environment="?TALKIE_HOME=(.*?)"?$', re.MULTILINE)


def program() -> tuple[str, ...]:
    """The command that starts this Talkie again, from whatever directory."""
    frozen = bool(getattr(sys, "frozen", False))
    found = Path(sys.executable) if frozen else Path(sys.executable).with_name(NAME)
    called = Path(sys.argv[0])
    if called.is_absolute() and called.name == found.name and same_file(called, found):
        return (str(called),)  # perhaps through a link that leads to whatever release is the current one
    # -P: a directory that happens to be the current one is no place to import from.
    return (str(found),) if found.is_file() else (sys.executable, "-P", "-m", NAME)


def same_file(called: Path, found: Path) -> bool:
    """Whether both names lead to the same file, which is there."""
    return called.exists() and found.exists() and called.samefile(found)


def parts_of_program() -> list[Path]:
    """What must be readable for the program to run."""
    return [Path(program()[0]), Path(sys.executable).resolve(), Path(__file__).resolve()]


def check_seen(paths: Iterable[Path], hidden: Iterable[Path] = HIDDEN) -> None:
    """Raises `TalkieError` when the system service, a user of its own, could not read its program."""
    for path in paths:
        behind = next((place for place in hidden if path.is_relative_to(place)), None)
        if behind is None:
            behind = next((place for place in path.parents if not place.stat().st_mode & 0o001), None)
        if behind is None and not path.stat().st_mode & 0o004:
            behind = path
        if behind is not None:
            raise TalkieError(
                f"The system service could not read its program {path}: {behind} is not for other users.",
                hint="Install Talkie for all: python3 -m venv /opt/talkie && /opt/talkie/bin/pip install talkie; or "
                "copy its folder to /opt/talkie. Or take the service of a user: talkie service install --user",
            )


def settings_given(flags: Mapping[str, object], pairs: Iterable[str]) -> dict[str, str]:
    """Those of the command line, as the environment file has them. Raises `SettingsError` for an unknown name."""
    from talkie.settings import Settings

    given = {name: str(value) for name, value in flags.items() if value is not None}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        name = name.strip().lower().removeprefix("talkie_").replace("-", "_")
        if not equals or name not in Settings.model_fields or name == "home":
            raise SettingsError(
                f"{pair.partition('=')[0][:80]!r} is no setting of the service.",
                hint="--set NAME=VALUE; `talkie config` lists the names. The home is that of the unit.",
            )
        given[name] = value
    return given


def in_force(places: Places, given: Mapping[str, str] | None = None) -> Settings:
    """The settings that the service has, with those that are given. Raises `SettingsError`."""
    from talkie.settings import load_settings

    return load_settings({**settings_of(places), **(given or {}), "home": places.home})[0]


def with_address_and_key(settings: Settings, given: Mapping[str, str]) -> dict[str, str]:
    """What is written: the address always, so that the file says it; a new key where one is needed and none there."""
    from talkie.transports.http.origins import is_loopback
    from talkie.transports.keys import KeyRing, new_key

    found = {"host": settings.host, "port": str(settings.port), **given}
    key = settings.api_key.get_secret_value() if settings.api_key else None
    if not is_loopback(settings.host) and not KeyRing(key, settings.keys_path).required:
        found["api_key"] = new_key("service", ())[0]
    return found


def has_user(places: Places, known: Callable[[str], pwd.struct_passwd] = pwd.getpwnam) -> bool:
    """Whether the user of the machine's service is there. Raises `TalkieError` where somebody else has its name."""
    try:
        found = known(USER)
    except KeyError:
        return False
    if places.system and found.pw_dir != str(places.home):
        raise TalkieError(
            f"The user {USER} of this machine is somebody else: its home is {found.pw_dir}.",
            hint="The service wants a user of its own. Or take the service of a user: talkie service install --user",
        )
    return True


def is_lonely(settings: Settings) -> bool:
    """Whether it neither is reached from beyond this machine nor reaches out."""
    from talkie.transports.http.origins import is_loopback

    return settings.offline and is_loopback(settings.host)


def card_groups(known: Callable[[str], object] = grp.getgrnam) -> tuple[str, ...]:
    """Groups of this machine that own graphics cards: a unit that names one that is not there cannot start."""

    def is_here(name: str) -> bool:
        try:
            known(name)
        except KeyError:
            return False
        return True

    return tuple(name for name in CARD_GROUPS if is_here(name))


def own_places() -> Places:
    """Those of the user's service: its home is the one its unit names, else that of the settings."""
    from platformdirs import user_config_path

    from talkie.settings import load_settings

    config = user_config_path(NAME, appauthor=False).parent
    unit = text_of(user_places(config, Path()).unit)
    found = HOME_LINE.search(unit)
    home = Path(found[1].replace("%%", "%")) if found else load_settings()[0].home.absolute()
    return user_places(config, home)
