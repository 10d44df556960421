"""When each token was said, from what the alignment heads of the decoder look at while they read the text.

The method is that of openai/whisper `timing.py` (`find_alignment`) as CTranslate2's `align` applies it: weights in
units of their spread over the tokens, smoothed, averaged over the heads, and the cheapest path through them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from talkie.engines.asr.whisper.search.scores import log_sum_exp
from talkie.engines.asr.whisper.search.steps import Floats, Ids, Layout
from talkie.engines.asr.whisper.words import Alignment

_WIDTH = 7
_REACH = _WIDTH // 2
_MEDIAN_OF_SEVEN = (
    (0, 5),
    (0, 3),
    (1, 6),
    (2, 4),
    (0, 1),
    (3, 5),
    (2, 6),
    (2, 3),
    (3, 6),
    (4, 5),
    (1, 4),
    (1, 3),
    (3, 4),
)
"""Pairs to put in order, one after the other; then the fourth of seven is the median."""
_DIAGONAL, _NEXT_TOKEN, _NEXT_STEP = 0, 1, 2


def alignment(attention: Floats, logits: Floats, tokens: Sequence[int], layout: Layout, first: int = 0) -> Alignment:
    """Where `tokens` lie in the sound.

    `attention`: `(heads, tokens fed, steps)`, cut to the steps that hold sound; its row `first` is that of the token
    before the text. All tokens fed count as what is usual for a step, as do the start and end of a text.
    `logits`: one row for each text token, those that it was chosen by.
    """
    weights = _normalised(attention)[:, first : first + len(tokens) + 1]
    smooth = np.mean([median_filter(head) for head in weights], axis=0)
    rows, steps = cheapest_path(smooth)
    pairs = list(zip(rows.tolist(), steps.tolist(), strict=True))
    return Alignment(pairs, _probabilities(logits[:, : layout.end], tokens))


def _probabilities(logits: Floats, tokens: Sequence[int]) -> list[float]:
    """Among text tokens only."""
    own = logits[np.arange(len(tokens)), list(tokens)]
    found: list[float] = np.exp(own - log_sum_exp(logits, logits.max(axis=1))).tolist()
    return found


def _normalised(attention: Floats) -> Floats:
    weights = attention / np.maximum(attention.sum(axis=2, keepdims=True), np.float32(1e-30))
    weights -= weights.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.mean(weights * weights, axis=1, keepdims=True))
    found: Floats = np.divide(weights, spread, out=np.zeros_like(weights), where=spread > 0)
    return found


def median_filter(rows: Floats) -> Floats:
    """The median of seven neighbours on the last axis, mirrored at the edges; rows too short for that stay as they are.

    A sorting network over shifted views: a handful of passes over all numbers, where sorting would take each alone.
    """
    if rows.shape[1] <= _REACH:
        return rows
    padded = np.pad(rows, ((0, 0), (_REACH, _REACH)), mode="reflect")
    parts = [padded[:, shift : shift + rows.shape[1]] for shift in range(_WIDTH)]
    for low, high in _MEDIAN_OF_SEVEN:
        parts[low], parts[high] = np.minimum(parts[low], parts[high]), np.maximum(parts[low], parts[high])
    return parts[_REACH]


def cheapest_path(weights: Floats) -> tuple[Ids, Ids]:
    """Dynamic time warping over the negative of `weights`, `(tokens, steps)`: the rows and the columns of the path.

    The cost of reaching a cell is its own and the least of three before it. Along a row that is a running minimum of
    what comes from above, less the running sum of the row: so whole rows are worked out at once.
    """
    rows, columns = weights.shape
    moves = np.empty((rows, columns), np.int8)
    above = np.full(columns + 1, np.inf)
    above[0] = 0.0
    cost = np.empty(columns + 1)
    for row in range(rows):
        running = np.cumsum(-weights[row], dtype=np.float64)
        diagonal, up = above[:-1], above[1:]
        entered = np.minimum(diagonal, up)
        entered[1:] -= running[:-1]
        cost[0] = np.inf
        cost[1:] = running + np.minimum.accumulate(entered)
        left = cost[:-1]
        moves[row] = _NEXT_STEP
        moves[row][(up < diagonal) & (up < left)] = _NEXT_TOKEN
        moves[row][(diagonal < up) & (diagonal < left)] = _DIAGONAL
        above, cost = cost, above
    return _trace(moves)


def _trace(moves: NDArray[np.int8]) -> tuple[Ids, Ids]:
    """Backwards from the last cell, a row at a time: a row is left where it was last entered from above."""
    rows, columns = moves.shape
    moves[:, 0] = _NEXT_TOKEN
    moves[0] = _NEXT_STEP
    places = np.arange(columns)
    column = columns - 1
    found: list[tuple[int, int, int]] = []
    for row in range(rows - 1, 0, -1):
        here = moves[row, : column + 1]
        entered = int(places[: column + 1][here != _NEXT_STEP][-1])
        found.append((row, entered, column))
        column = entered - (here[entered] == _DIAGONAL)
    found.append((0, 0, int(column)))
    found.reverse()
    return (
        np.concatenate([np.full(last - first + 1, row) for row, first, last in found]),
        np.concatenate([np.arange(first, last + 1) for _, first, last in found]),
    )
