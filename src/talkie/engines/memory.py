"""Memory that engines freed and the allocator kept: kept on purpose while there is work, given back after it."""

from __future__ import annotations

import ctypes
from contextlib import suppress


def give_back_free_memory() -> None:
    """Hand what was freed back to the operating system. glibc keeps it for later otherwise; elsewhere a no-op."""
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
