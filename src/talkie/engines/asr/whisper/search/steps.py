"""A decoder at work, seen from a search: token ids in, scores of what may come next out.

Knows nothing of libraries. Windows and their beams are the first two axes of everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the kinds of ids lie: text below `end`, then `end` itself, special tokens, and timestamps to the last."""

    end: int
    timestamp_begin: int
    size: int


class Scores(Protocol):
    """What one step gives for each beam of each window: raw logits, and the sums that rules need, made on demand.

    A decoder may work these out in its own graph, so that no search need look at all of a vocabulary. "Text" are the
    ids below `Layout.end` without those that are suppressed for the whole call.
    """

    def best_text(self, count: int) -> tuple[Floats, Ids]:
        """The `count` likeliest text tokens, likeliest first: logits and ids, each `(windows, beams, count)`."""
        ...

    def text_lse(self) -> Floats:
        """Log of the sum of the exponentials of the logits of all text tokens: `(windows, beams)`."""
        ...

    def end(self) -> Floats:
        """Logit of the end of the text: `(windows, beams)`."""
        ...

    def timestamps(self) -> Floats:
        """Logits of all timestamps: `(windows, beams, timestamps)`."""
        ...

    def all(self) -> Floats:
        """Every logit, nothing suppressed: `(windows, beams, vocabulary)`. Dear: for rules that need it."""
        ...


class Steps(Protocol):
    """Some windows being decoded; each beam has its own past."""

    def feed(self, tokens: Ids, parents: Ids | None = None) -> Scores:
        """Append `tokens`, shape `(windows, beams, n)`, and score what may come after the last of them.

        `parents`, shape `(windows, beams)`, says which beam of its window each beam goes on from (None: itself). The
        number of beams may change with it. The arrays behind the scores are good until the next call.
        """
        ...

    def keep(self, windows: Sequence[int]) -> None:
        """Go on with these windows only, in this order; the others are done."""
        ...
