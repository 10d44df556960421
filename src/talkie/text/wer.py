"""Word error rate: how many words must change to turn what was heard into what was said.

The edit distance of Levenshtein over normalised words, one row at a time: memory grows with the length of one text,
not with the product of both. Knows nothing of audio, engines or tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from talkie.text.normalize import normalize


@dataclass(frozen=True, slots=True)
class Wer:
    """Counts of wrong, missing and extra words against `words` words of reference. Sums with `+` over recordings."""

    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    words: int = 0

    @property
    def errors(self) -> int:
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """Errors a reference word, 0.0 and up; above 1.0 when more was invented than was said.

        Without a reference word each extra word counts as one whole error, so that noise turned into text shows.
        """
        return self.errors / max(self.words, 1)

    def __add__(self, other: Wer) -> Wer:
        return Wer(
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
            self.words + other.words,
        )


def word_error_rate(reference: str, hypothesis: str, language: str = "en") -> Wer:
    """Compare two texts after `talkie.text.normalize`; `language` is an ISO 639-1 code."""
    return align_words(normalize(reference, language).split(), normalize(hypothesis, language).split())


def align_words(reference: Sequence[str], hypothesis: Sequence[str]) -> Wer:
    """The fewest edits between two word lists and, among equals, the fewest substitutions.

    Time grows with the product of the lengths (vectorised over the reference), memory with their sum.
    """
    identity: dict[str, int] = {}
    ours = np.array([identity.setdefault(word, len(identity)) for word in reference], dtype=np.int64)
    theirs = [identity.setdefault(word, len(identity)) for word in hypothesis]
    # One number carries both counts: edits times `edit`, plus substitutions, which are always fewer than `edit`.
    edit = np.int64(len(ours) + len(theirs) + 1)
    deletions = edit * np.arange(len(ours) + 1, dtype=np.int64)
    row = deletions.copy()
    for word in theirs:
        step = row + edit
        np.minimum(step[1:], row[:-1] + np.where(ours == word, 0, edit + 1), out=step[1:])
        # Deletions run along the row: the best of every cell to the left plus its distance.
        row = np.minimum.accumulate(step - deletions) + deletions
    errors, substitutions = divmod(int(row[-1]), int(edit))
    surplus = len(ours) - len(theirs)  # deletions minus insertions
    unpaired = errors - substitutions
    return Wer(substitutions, (unpaired + surplus) // 2, (unpaired - surplus) // 2, len(ours))
