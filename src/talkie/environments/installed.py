"""Which environments are here: found, told apart from stale ones, removed.

They lie under `<home>/engines/NAME`; the models that they run lie under `<home>/models`.
Knows nothing of how one is made (`install.py`).
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from talkie.environments.sizes import tree_bytes
from talkie.environments.table import Recipe
from talkie.environments.uv import python_of
from talkie.errors import EngineUnavailable

MARKER = "talkie-engine.json"
FOLDER, STORE = "engines", "models"


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment that is whole. Not `current`: it was made for another version of Talkie's list."""

    name: str
    python: Path
    size_bytes: int
    packages: tuple[str, ...]
    current: bool


def directory_of(recipe: Recipe, home: Path) -> Path:
    return Path(home).expanduser().absolute() / FOLDER / recipe.name


def find(recipe: Recipe, home: Path) -> Installed | None:
    """None where there is none, or only what is left of one."""
    directory = directory_of(recipe, home)
    try:
        made = json.loads((directory / MARKER).read_text(encoding="utf-8"))
        current = made["fingerprint"] == recipe.fingerprint
        packages, size_bytes = tuple(map(str, made["packages"])), int(made["size_bytes"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    python = python_of(directory)
    return Installed(recipe.name, python, size_bytes, packages, current) if python.exists() else None


def interpreter(recipe: Recipe, model: Path) -> Path:
    """The Python that can run a model, from the home in whose store the model lies. Raises `EngineUnavailable`."""
    home = home_of(model)
    if home is None:
        raise EngineUnavailable(
            recipe.name,
            "it runs models of the store only, with the environment that lies beside it",
            hint="`talkie import DIRECTORY` brings a model into the store.",
        )
    hint = f"`talkie engines install {recipe.name}` makes it."
    installed = find(recipe, home)
    if installed is None:
        raise EngineUnavailable(recipe.name, "its environment is not installed", hint=hint)
    if not installed.current:
        raise EngineUnavailable(recipe.name, "its environment is one of another version of Talkie", hint=hint)
    return installed.python


def home_of(model: Path) -> Path | None:
    """The home of a model in the store; no other directory is looked into, for what lies in it is run."""
    above = Path(model).expanduser().absolute().parent
    return above.parent if above.name == STORE else None


def remove(recipe: Recipe, home: Path) -> int:
    """Take it away, with what is left of unfinished ones; the bytes set free, 0 where there was nothing."""
    directory = directory_of(recipe, home)
    leftovers = [directory, part_of(directory)]
    size_bytes = tree_bytes(*leftovers)
    (directory / MARKER).unlink(missing_ok=True)  # first: what is half gone is not found
    for one in leftovers:
        shutil.rmtree(one, ignore_errors=True)
    return size_bytes


def part_of(directory: Path) -> Path:
    """Where one is made before it has its name; what was fetched for it stays there until it is whole."""
    return directory.with_name(f".{directory.name}.part")
