"""The models of a run by name: shape-true ones that were made, a path, or one of the store. Knows nothing of runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from talkie.bench.models import FORMATS, read_made
from talkie.bench.shape_true import SHAPES
from talkie.errors import ModelNotFound


@dataclass(frozen=True, slots=True)
class ModelDirectory:
    """A model in one directory, or in one a form below it. `told` is the text of a shape-true one."""

    name: str
    directory: Path
    told: str = ""
    sha256: str = ""


def find(name: str, made: Path, stored: Callable[[str], Path]) -> ModelDirectory:
    """`name` is a size below `made`, a path, or what `stored` finds in the store. Raises `ModelNotFound`."""
    for directory in (made / name, Path(name)):
        if (found := shape_true(directory, name)) is not None:
            return found
    if name in SHAPES:
        raise ModelNotFound(name, hint=f"`talkie bench models --sizes {name} --out {made}` makes it.")
    if Path(name).is_dir():
        return ModelDirectory(Path(name).name, Path(name))
    return ModelDirectory(name, stored(name))


def shape_true(directory: Path, name: str) -> ModelDirectory | None:
    """A directory that holds forms of one shape-true model, or is one of them."""
    for place in (directory, *(directory / form for form in FORMATS)):
        if (made := read_made(place)) is not None:
            return ModelDirectory(made.size, directory, made.text, made.sha256)
    return None
