"""Which language is spoken, from the scores of what may come after the start token."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from talkie.engines.asr.whisper.search.rules import sums
from talkie.engines.asr.whisper.search.steps import Scores


def languages(scores: Scores, known: Sequence[tuple[str, int]]) -> list[list[tuple[str, float]]]:
    """For each window the tokens in `known` (text and id) and their probabilities among themselves, likeliest first."""
    if not known:
        return [[] for _ in scores.all()]
    logits = scores.all()[:, 0, [number for _, number in known]]
    probabilities = np.exp(logits - sums(logits)[:, None])
    order = np.argsort(-probabilities, axis=1, kind="stable")
    return [
        [(known[at][0], float(row[at])) for at in places]
        for row, places in zip(probabilities, order.tolist(), strict=True)
    ]
