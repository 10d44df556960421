"""NumPy's matrix products kept in the thread that asks for them: their own threads cost four times the work they share.

Knows the library that NumPy's wheels carry (OpenBLAS) and leaves others as they are.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np

_FUNCTIONS = ("scipy_openblas_set_num_threads64_", "scipy_openblas_set_num_threads")


@cache
def use_one_thread() -> bool:
    """For the whole process, from now on; whether that could be done. Sums come out the same but for their last bit."""
    places = Path(np.__file__).parent
    for directory in (places.parent / "numpy.libs", places / ".dylibs"):
        for path in sorted(directory.glob("libscipy_openblas*")):
            with suppress(OSError):
                library = ctypes.CDLL(str(path))  # loaded already: this is a handle to it
                for name in _FUNCTIONS:
                    if hasattr(library, name):
                        getattr(library, name)(1)
                        return True
    return False
