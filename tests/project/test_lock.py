"""The lock file: every file by hash, nothing undeclared, and a list of what is inside that can be trusted."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import packages_distributions
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sources import ROOT, imports, modules

HASHED = re.compile(r"^sha256:[0-9a-f]{64}$")


def toml(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / name).read_text(encoding="utf-8"))


def locked() -> list[dict[str, Any]]:
    packages: list[dict[str, Any]] = toml("uv.lock")["package"]
    return [package for package in packages if package["name"] != "talkie"]


def declared() -> set[str]:
    """Of the base and of its extras."""
    project = toml("pyproject.toml")["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    return {canonicalize_name(Requirement(line).name) for line in lines}


def files_of(package: dict[str, Any]) -> list[dict[str, Any]]:
    return [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]


def test_every_file_is_locked_by_hash() -> None:
    packages = locked()
    assert not [package["name"] for package in packages if not files_of(package)]
    files = [(package["name"], file) for package in packages for file in files_of(package)]
    assert not [(name, file) for name, file in files if not HASHED.match(file.get("hash", ""))]
    elsewhere = [package["name"] for package in packages if set(package["source"]) != {"registry"}]
    assert not elsewhere, "a source other than the registry has no review and no hash"


def test_every_declared_dependency_is_locked() -> None:
    assert declared() <= {package["name"] for package in locked()}


def test_what_is_imported_is_declared() -> None:
    imported = {name.split(".")[0] for tree in modules().values() for name in imports(tree)}
    owners = {top: names for top, names in packages_distributions().items() if top in imported and top != "talkie"}
    undeclared = {top: names for top, names in owners.items() if not {canonicalize_name(n) for n in names} & declared()}
    assert not undeclared, "declare what the sources import, even when another dependency brings it"


@pytest.mark.parametrize("name", ["scripts/uv.txt", "scripts/build.txt"])
def test_the_tools_are_pinned_by_hash(name: str) -> None:
    entries = [e for e in re.split(r"\n(?=\w)", (ROOT / name).read_text()) if not e.startswith("#")]
    assert entries
    assert all(re.match(r"[\w.-]+==\S+ ", entry) and "--hash=sha256:" in entry for entry in entries)
