"""Where a recording is cut before PocketSphinx hears it: in pauses and, where there is none, at the quietest moment.

Pure arithmetic on samples; knows nothing of decoders. The thresholds are relative to the recording's own loudness.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from talkie.types import SAMPLE_RATE_HZ, Samples

FRAME_SAMPLES = SAMPLE_RATE_HZ // 50


@dataclass(frozen=True, slots=True)
class PieceOptions:
    """A pause is `pause_s` or longer; pieces stay between the two lengths where the sound allows it."""

    pause_s: float = 0.3
    shortest_s: float = 2.0
    longest_s: float = 15.0


def pieces(samples: Samples, options: PieceOptions) -> list[tuple[int, int]]:
    """Sample ranges that cover all of `samples` without gap or overlap, in order."""
    loudness = _loudness(samples)
    least, most = (int(seconds * SAMPLE_RATE_HZ) for seconds in (options.shortest_s, options.longest_s))
    pause_frames = round(options.pause_s * SAMPLE_RATE_HZ / FRAME_SAMPLES)
    cuts = [0]
    for cut in (*_pauses(loudness, pause_frames), len(samples)):
        while cut - cuts[-1] > most:
            cuts.append(quietest(loudness, cuts[-1] + most // 2, cuts[-1] + most))
        if cut - cuts[-1] >= least or cut == len(samples):
            cuts.append(cut)
    if len(cuts) > 2 and cuts[-1] - cuts[-2] < least and cuts[-1] - cuts[-3] <= most:
        del cuts[-2]  # a short rest joins the piece before it
    return [(first, last) for first, last in pairwise(cuts) if first < last]


def quietest_sample(samples: Samples, first: int, last: int) -> int:
    """The sample between `first` and `last` at which a cut is heard least."""
    return quietest(_loudness(samples), first, last)


def quietest(loudness: NDArray[np.float32], first: int, last: int) -> int:
    low, high = first // FRAME_SAMPLES, max(last // FRAME_SAMPLES, first // FRAME_SAMPLES + 1)
    # The middle of the frame; never at `first` itself, so that every cut moves on.
    return (low + int(np.argmin(loudness[low:high]))) * FRAME_SAMPLES + FRAME_SAMPLES // 2


def _loudness(samples: Samples) -> NDArray[np.float32]:
    """Root mean square of each 20 ms, shape `(n // 320,)`."""
    whole = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
    frames = np.nan_to_num(samples[:whole]).reshape(-1, FRAME_SAMPLES)
    loudness: NDArray[np.float32] = np.sqrt(np.mean(np.square(frames), axis=1))
    return loudness


def _pauses(loudness: NDArray[np.float32], shortest: int) -> Sequence[int]:
    """The middle sample of each stretch of `shortest` or more quiet frames."""
    if not len(loudness):
        return ()
    floor, speech = np.percentile(loudness, (10, 95))
    # Relative to the background, within bounds: a hiss must not hide pauses, nor even sound be all pause.
    threshold = np.clip(1.5 * floor, 0.06 * speech, 0.15 * speech)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], loudness < threshold, [0]))))
    return [int(first + last) // 2 * FRAME_SAMPLES for first, last in edges.reshape(-1, 2) if last - first >= shortest]
