"""Speech made quicker or slower with its pitch kept, for voices that know one speed only: FFmpeg's `atempo`.

Knows nothing of engines.
"""

from __future__ import annotations

import av
import numpy as np
from av.filter import Graph

from talkie.types import Samples

_STEPS = (0.5, 2.0)
"""What one pass does well; more is done in several."""
_FEED = 16_384


def at_tempo(samples: Samples, sample_rate: int, factor: float) -> Samples:
    """`factor` 2.0 takes half the time. Whole stretches only: a window at each edge is shaped by what is beside it."""
    if factor == 1.0 or not len(samples):
        return samples
    graph = _graph(sample_rate, factor)
    for start in range(0, len(samples), _FEED):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + _FEED], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = sample_rate, start
        graph.push(frame)
    graph.push(None)
    pieces: list[Samples] = []
    while True:
        try:
            pieces.append(np.asarray(graph.pull().to_ndarray()[0], np.float32))
        except (av.EOFError, av.BlockingIOError):
            break
    return np.concatenate(pieces) if pieces else samples[:0]


def _graph(sample_rate: int, factor: float) -> Graph:
    graph = Graph()
    chain = [graph.add_abuffer(sample_rate=sample_rate, format="fltp", layout="mono")]
    while factor != 1.0:
        step = min(max(factor, _STEPS[0]), _STEPS[1])
        chain.append(graph.add("atempo", f"{step:.6f}"))
        factor = 1.0 if step == factor else factor / step
    graph.link_nodes(*chain, graph.add("abuffersink")).configure()
    return graph
