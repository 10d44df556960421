"""Where the forms of a model that engines make for a machine are kept: beside the models, not among them.

On a volume that cannot be written to, what is there is read and what is missing is made in a directory of this
process. Knows nothing of what the forms are.
"""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from talkie.models.files import can_write
from talkie.models.store import StoredModel
from talkie.runtime.config import ServiceConfig

COMPILED = "compiled"
"""The directory, at home, of what was made for this machine and can be made again."""


def kept_in(model: StoredModel, config: ServiceConfig) -> Path:
    """The directory of one model. One of the store has the same wherever its volume is mounted."""
    path, home = model.path.resolve(), config.home.resolve()
    place = path.relative_to(home) if path.is_relative_to(home) else path
    digest = hashlib.sha256(str(place).encode()).hexdigest()[:12]
    name = model.path.name if model.source == "path" else model.name.replace(":", "-")
    usual = config.home / COMPILED / f"{name}-{digest}"
    return usual if can_write(usual) else _stand_in(usual)


@cache
def _stand_in(usual: Path) -> Path:
    """A directory that can be written to, with what the usual one holds; that itself where there is no other."""
    try:
        place = _own_directory() / usual.name
        place.mkdir()
    except OSError:
        return usual
    with suppress(OSError):  # there may be nothing yet
        for item in usual.iterdir():
            if item.is_dir():
                (place / item.name).symlink_to(item.resolve(), target_is_directory=True)
            else:
                shutil.copyfile(item, place / item.name)
    return place


@cache
def _own_directory() -> Path:
    """Gone with this process. Nobody else can have put anything there. Raises `OSError`."""
    place = tempfile.mkdtemp(prefix="talkie-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return Path(place)
