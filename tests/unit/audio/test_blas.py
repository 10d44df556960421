"""Matrix products in one thread: the library then has one, and the numbers stay."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

CODE = """
import ctypes
from pathlib import Path
import numpy as np
from talkie.audio.blas import use_one_thread
rng = np.random.default_rng(0)
first, second = rng.normal(size=(80, 201)).astype(np.float32), rng.normal(size=(3000, 201)).astype(np.float32)
before = first @ second.T
print(use_one_thread(), np.allclose(first @ second.T, before, rtol=1e-5, atol=1e-4))
(path,) = (Path(np.__file__).parent.parent / "numpy.libs").glob("libscipy_openblas*")
print(ctypes.CDLL(str(path)).scipy_openblas_get_num_threads64_())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another build of NumPy")
def test_one_thread_does_it_and_the_numbers_stay() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == "True True\n1\n"
