"""`talkie --version`, and with `--json` what a fleet is checked by: which Talkie this is, its form and its engines.

Looks at files and at what is installed; imports no engine and reads no settings, so that it answers where those are
wrong.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

BUILD_FILE = "build.json"
"""Beside the package, written by whoever builds a form of it: `{"commit": "...", "form": "..."}`, both optional."""
NATIVE, CONTAINER, BUNDLE = "native", "container", "bundle"
_CONTAINERS = (Path("/run/.containerenv"), Path("/.dockerenv"), Path("/var/run/secrets/kubernetes.io"))
_PACKAGE = Path(__file__).parent.parent
_MAX_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Version:
    """`form` is `native`, `container` or `bundle`; `commit` None where it is not known; `engines` those that can be
    used, each with its kind and the libraries that it is made of."""

    version: str
    form: str
    commit: str | None
    python: str
    platform: str
    engines: dict[str, dict[str, Any]]


def lines(*, as_json: bool) -> str:
    from talkie import __version__

    return json.dumps(asdict(version()), indent=2) if as_json else f"talkie {__version__}"


def version() -> Version:
    from talkie import __version__

    built = read_build(_PACKAGE / BUILD_FILE)
    return Version(
        version=__version__,
        form=built.get("form") or form(frozen=bool(getattr(sys, "frozen", False))),
        commit=built.get("commit") or commit_of(_PACKAGE.parent.parent),
        python=platform.python_version(),
        platform=f"{sys.platform} {platform.machine()} {' '.join(platform.libc_ver())}".strip(),
        engines=dict(sorted(_engines().items())),
    )


def form(*, frozen: bool, containers: Iterable[Path] = _CONTAINERS) -> str:
    """As far as it can be seen: the one folder in a container is still the one folder."""
    if frozen:
        return BUNDLE
    return CONTAINER if any(place.exists() for place in containers) else NATIVE


def read_build(path: Path) -> dict[str, str]:
    """What a build left behind; nothing where there is no such file or it is damaged."""
    try:
        found = json.loads(path.read_bytes()[:_MAX_BYTES])
    except (OSError, ValueError):
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}


def commit_of(checkout: Path) -> str | None:
    """The commit that a checkout is at, read from its files: git need not be here."""
    with suppress(OSError, ValueError):
        git = checkout / ".git"
        head = git.joinpath("HEAD").read_text(encoding="ascii").strip()
        name = head.removeprefix("ref: ")
        if name == head:
            return head
        loose = git / name
        if loose.is_file():
            return loose.read_text(encoding="ascii").strip()
        packed = git.joinpath("packed-refs").read_text(encoding="utf-8").splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {name}")), None)
    return None


def _engines() -> dict[str, dict[str, Any]]:
    """Those of an environment of their own belong to the store and not to this program: they are left out."""
    from importlib.metadata import packages_distributions

    from talkie.engines import registry
    from talkie.environments.table import RECIPES

    apart = {recipe.name for recipe in RECIPES}
    packages = packages_distributions()
    return {
        name: {"kind": entry.kind, "libraries": _libraries((*entry.needs, *entry.needs_one), packages)}
        for name, entry in registry.entries().items()
        if name not in apart and not registry.missing(name)
    }


def _libraries(imported: Iterable[str], packages: Mapping[str, list[str]]) -> dict[str, str]:
    """Versions by import name, of those that are here."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in imported:
        for package in packages.get(name, ())[:1]:
            with suppress(PackageNotFoundError):
                found[name] = version(package)
    return found
