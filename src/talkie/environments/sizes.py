"""What lies below a directory, in bytes. What Python compiles for itself is left out, links are not followed."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def tree_bytes(*directories: Path) -> int:
    """All files below, each once, however many names it has. What goes away meanwhile is not counted."""
    total, seen = 0, set[tuple[int, int]]()
    for directory in directories:
        for here, folders, files in os.walk(directory):
            folders[:] = [name for name in folders if name != "__pycache__"]
            for name in files:
                with suppress(OSError):
                    status = (Path(here) / name).lstat()
                    if status.st_nlink > 1:
                        if (status.st_dev, status.st_ino) in seen:
                            continue
                        seen.add((status.st_dev, status.st_ino))
                    total += status.st_size
    return total
