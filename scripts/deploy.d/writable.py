"""Every directory in which this process can make a file, a line each, but for those within one that was named.

Tries it, since rights, owners and mounts all have a say. Leaves out what the kernel makes: /proc, /sys and /dev.
"""

from __future__ import annotations

import os
import tempfile

KERNEL = ("/proc", "/sys", "/dev")


def writable(top: str = "/") -> list[str]:
    found = []
    for directory, below, _ in os.walk(top):
        if directory in KERNEL or can_write(directory):
            below.clear()
            found += [directory] if directory not in KERNEL else []
    return found


def can_write(directory: str) -> bool:
    try:
        with tempfile.NamedTemporaryFile(dir=directory):
            return True
    except OSError:
        return False


if __name__ == "__main__":
    print("\n".join(writable()))
