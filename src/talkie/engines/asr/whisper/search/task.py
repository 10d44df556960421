"""What a search is to do, and what is common to all of them: fed tokens, barred tokens, how far, when to drop windows.

Knows nothing of how tokens are chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from talkie.engines.asr.whisper.decoding import Hypothesis
from talkie.engines.asr.whisper.search.penalties import Penalties
from talkie.engines.asr.whisper.search.rules import Flags, Rules
from talkie.engines.asr.whisper.search.steps import Ids, Scores, Steps


@dataclass(frozen=True, slots=True)
class Task:
    """Windows whose prompts have been fed. `most` tokens at most are written for each; `end` ends a text.

    `drop_share`: finished windows are taken out of `steps` once they are this share of all that are left, because
    taking them out copies the others.
    """

    steps: Steps
    rules: Rules
    penalties: Penalties
    most: int
    end: int
    length_penalty: float = 1.0
    drop_share: float = 0.25

    def scores(self, scores: Scores, written: Ids) -> Scores:
        return self.penalties.apply(scores, written)

    def left(self, finished: Flags) -> Ids | None:
        """The windows to go on with, when some are to be dropped now; None: all."""
        count = int(np.count_nonzero(finished))
        if not count or count < self.drop_share * len(finished):
            return None
        return np.flatnonzero(~finished)

    def hypothesis(self, tokens: Ids, total: float, no_speech_prob: float = 0.0) -> Hypothesis:
        """The text of a row that ended with `total` as its summed log-probability; an empty text has no length."""
        score = total / max(len(tokens), 1) ** self.length_penalty
        return Hypothesis(tuple(tokens.tolist()), score, no_speech_prob)


def best(hypotheses: Sequence[Hypothesis]) -> Hypothesis:
    """By score; one that says nothing only where there is no other."""
    return max(hypotheses, key=lambda one: (len(one.tokens) > 0, one.score))
