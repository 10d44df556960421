"""What this machine could do at best: its rates of arithmetic and of memory, and a window of a model at those rates.

Rates are of large matrix products in OpenVINO (FP32, BF16, INT8) where it is installed, else of NumPy's (FP32), and of
a copy larger than the caches. The limit of a model is its operations at the fastest of those rates: nothing reaches it,
and the distance to it is what is left to gain. Knows nothing of contenders.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from talkie.bench.operations import TOKENS, operations
from talkie.bench.shape_script import Shape

SIZE = 1536
LAYERS = 2
REPEATS = 3
COPY_BYTES = 256 << 20
BATCH = 8
"""Windows that share a step of the decoder in the limit."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Operations (1e9) and bytes (1e9) for each second of processor time; 0 where it was not measured."""

    fp32_gops: float
    bf16_gops: float
    int8_gops: float
    memory_gb_s: float
    measured_by: str

    def as_json(self) -> dict[str, Any]:
        return {name: round(value, 1) if isinstance(value, float) else value for name, value in asdict(self).items()}


def measure(size: int = SIZE, copy_bytes: int = COPY_BYTES) -> Rates:
    """Takes a few seconds of one processor; with smaller matrices and copies less, and says less."""
    by = "OpenVINO"
    try:
        rates = {precision: _openvino_gops(precision, size) for precision in ("FP32", "BF16", "INT8")}
    except (ImportError, RuntimeError):
        by, rates = "NumPy", {"FP32": _numpy_gops(size), "BF16": 0.0, "INT8": 0.0}
    return Rates(rates["FP32"], rates["BF16"], rates["INT8"], _memory_gb_s(copy_bytes), by)


def window_s(shape: Shape, rates: Rates) -> float:
    """Processor seconds of one 30 s window at the limit, without voice activity and features."""
    count = operations(shape)
    attention = max(rates.fp32_gops, rates.bf16_gops) * 1e9
    products = max(attention, rates.int8_gops * 1e9)
    traffic = TOKENS * (count.step_weights_bytes / BATCH + count.step_cache_bytes)
    decoder = max(count.decoder / products, traffic / (rates.memory_gb_s * 1e9))
    return (count.weights + count.keys) / products + count.attention / attention + decoder


def _best_s(work: Callable[[], object]) -> float:
    """Processor seconds, the fewest of a few runs: what the machine can do, not what it did while others were busy."""
    work()
    times = []
    for _ in range(REPEATS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return max(min(times), 1e-6)


def _memory_gb_s(copy_bytes: int) -> float:
    """Read and written bytes of a copy."""
    source = np.ones(copy_bytes // 4, np.float32)
    target = np.empty_like(source)
    return 2 * copy_bytes / 1e9 / _best_s(lambda: np.copyto(target, source))


def _numpy_gops(size: int) -> float:
    """FP32 by NumPy's BLAS, however many threads that takes."""
    one = np.ones((size, size), np.float32)
    return 2 * size**3 / 1e9 / _best_s(lambda: one @ one)


def _openvino_gops(precision: str, size: int) -> float:
    """A chain of square matrix products with constant weights."""
    import openvino as ov

    how: dict[str, Any] = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
    how["INFERENCE_PRECISION_HINT"] = "bf16" if precision == "BF16" else "f32"
    request = ov.Core().compile_model(_chain(size, precision == "INT8"), "CPU", how).create_infer_request()
    request.set_input_tensor(ov.Tensor(np.random.default_rng(0).standard_normal((size, size), np.float32)))
    return LAYERS * 2 * size**3 / 1e9 / _best_s(request.infer)


def _chain(size: int, eight_bit: bool) -> Any:
    import openvino as ov
    from openvino import opset13 as ops

    rng = np.random.default_rng(1)
    value = start = ops.parameter([size, size], np.float32)
    for _ in range(LAYERS):
        weights: NDArray[np.float32] = rng.standard_normal((size, size), np.float32) / np.float32(size**0.5)
        other = ops.constant(weights)
        if eight_bit:
            value = ops.fake_quantize(value, *_range(4.0, -1 / 128), levels=256)
            other = ops.fake_quantize(other, *_range(float(np.abs(weights).max()), 0.0), levels=255)
        value = ops.matmul(value, other, False, True)
    return ov.Model([ops.result(value)], [start], "chain")


def _range(most: float, below: float) -> list[Any]:
    """The four bounds of a quantisation, symmetric but for the one more step below zero of signed 8 bits."""
    from openvino import opset13 as ops

    low, high = (ops.constant(np.float32(bound)) for bound in (-most + most * below, most))
    return [low, high, low, high]
