"""A decoder whose logits are drawn from what was written before them: for tests of searches, with a plain reference.

The reference looks at every token of the vocabulary and knows no shortcut; what it shares with the searches is the
meaning of the options.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from talkie.engines.asr.whisper.backend import GenerateOptions
from talkie.engines.asr.whisper.search.scores import FullScores
from talkie.engines.asr.whisper.search.steps import Floats, Ids, Layout

LAYOUT = Layout(end=40, timestamp_begin=46, size=66)
_SPECIAL = range(LAYOUT.end + 1, LAYOUT.timestamp_begin)


@dataclass(frozen=True)
class Ids40:
    """A small vocabulary: text, the end, five special tokens, twenty timestamps."""

    layout: Layout = LAYOUT
    start: int = 41
    no_timestamps: int = 45
    no_speech: int = 42
    blank: tuple[int, ...] = (3, 40)


class TableSteps:
    """`Steps`; `kept` counts the times that windows were dropped."""

    def __init__(self, seed: int, windows: Sequence[int], suppressed: Sequence[int] = (), spread: float = 2.0) -> None:
        self._seed = seed
        self._spread = spread
        self._suppressed = suppressed
        self._windows = list(windows)
        self._past: list[list[tuple[int, ...]]] = [[()] for _ in windows]
        self.kept = 0

    def feed(self, tokens: Ids, parents: Ids | None = None) -> FullScores:
        assert len(tokens) == len(self._windows)
        self._past = [
            [
                (*self._past[row][beam if parents is None else int(parents[row, beam])], *new)
                for beam, new in enumerate(beams)
            ]
            for row, beams in enumerate(tokens.tolist())
        ]
        logits = [
            [self.logits(window, past) for past in beams]
            for window, beams in zip(self._windows, self._past, strict=True)
        ]
        return FullScores(np.array(logits, np.float32), LAYOUT, self._suppressed)

    def keep(self, windows: Sequence[int]) -> None:
        self.kept += 1
        self._windows = [self._windows[row] for row in windows]
        self._past = [self._past[row] for row in windows]

    def logits(self, window: int, past: Sequence[int]) -> Floats:
        """Special tokens are as good as impossible: what a search gives to them is not of interest here."""
        found = np.random.default_rng([self._seed, window, *past]).normal(0, self._spread, LAYOUT.size)
        found[list(_SPECIAL)] = -1e4
        return found.astype(np.float32)


@dataclass(frozen=True)
class Reference:
    """Searches one window the slow way; gives all texts that ended, with their scores, the best first."""

    steps: TableSteps
    window: int
    prompt: tuple[int, ...]
    options: GenerateOptions
    most: int

    def log_probabilities(self, written: tuple[int, ...]) -> list[float]:
        logits = [float(x) for x in self.steps.logits(self.window, (*self.prompt, *written))]
        rules = self.options.decoding
        for token in set(written):
            x = logits[token]
            logits[token] = x * rules.repetition_penalty if x < 0 else x / rules.repetition_penalty
        size = rules.no_repeat_ngram_size
        banned = set(self.options.suppressed)
        if size and len(written) >= size:
            tail = written[len(written) - size + 1 :]
            banned |= {
                written[i + size - 1] for i in range(len(written) - size + 1) if written[i : i + size - 1] == tail
            }
        if not written and rules.suppress_blank:
            banned |= {3, 40}
        if self.prompt[-1] != Ids40.no_timestamps:
            banned |= self._barred_by_timestamps(written)
        allowed = self._log_softmax(logits, banned)
        if self.prompt[-1] != Ids40.no_timestamps and self._may_be_either(written):
            times = allowed[LAYOUT.timestamp_begin :]
            total = math.log(sum(math.exp(x) for x in times)) if any(x > -math.inf for x in times) else -math.inf
            if total > max(allowed[: LAYOUT.timestamp_begin]):
                allowed = self._log_softmax(logits, banned | set(range(LAYOUT.timestamp_begin)))
        return allowed

    def _barred_by_timestamps(self, written: tuple[int, ...]) -> set[int]:
        begin, times = LAYOUT.timestamp_begin, set(range(LAYOUT.timestamp_begin, LAYOUT.size))
        if not written:
            limit = begin + round(self.options.decoding.max_initial_timestamp_s / 0.02)
            return set(range(begin)) | set(range(limit + 1, LAYOUT.size))
        last = max(i for i, token in enumerate(written) if token >= begin)
        if written[-1] < begin:
            return set(range(begin, written[last] + 1))
        if len(written) == 1 or written[-2] >= begin:
            return times
        return set(range(LAYOUT.end)) | set(range(begin, written[last]))

    def _may_be_either(self, written: tuple[int, ...]) -> bool:
        begin = LAYOUT.timestamp_begin
        return bool(written) and (written[-1] < begin or (len(written) > 1 and written[-2] < begin))

    @staticmethod
    def _log_softmax(logits: Sequence[float], banned: set[int]) -> list[float]:
        total = math.log(sum(math.exp(x) for i, x in enumerate(logits) if i not in banned))
        return [-math.inf if i in banned else x - total for i, x in enumerate(logits)]

    def _score(self, total: float, length: int) -> float:
        return float(total / max(length, 1) ** self.options.decoding.length_penalty)

    def greedy(self) -> tuple[tuple[int, ...], float]:
        written: tuple[int, ...] = ()
        total = 0.0
        for _ in range(self.most):
            found = self.log_probabilities(written)
            token = max(range(len(found)), key=lambda i: found[i])
            total += found[token]
            if token == LAYOUT.end:
                break
            written = (*written, token)
        return written, self._score(total, len(written))

    def beams(self) -> tuple[tuple[int, ...], float]:
        """`beam_size` texts go on; each that ends makes room for the next best that has not."""
        rules = self.options.decoding
        size, alive = rules.beam_size, [((), 0.0)]
        ended: list[tuple[tuple[int, ...], float]] = []
        best_ended = False
        for step in range(self.most):
            ways = [
                ((*written, token), total + gain)
                for written, total in alive
                for token, gain in enumerate(self.log_probabilities(written))
            ]
            ways = sorted(ways, key=lambda way: -way[1])[: 2 * size]
            ways = [way for way in ways if way[1] > -math.inf]
            last = step + 1 == self.most
            for place, (written, total) in enumerate(ways[:size]):
                if written[-1] == LAYOUT.end or last:
                    text = written[:-1] if written[-1] == LAYOUT.end else written
                    ended.append((text, self._score(total, len(text))))
                    best_ended |= place == 0
            alive = [way for way in ways if way[0][-1] != LAYOUT.end][:size]
            enough = best_ended if rules.length_penalty == 0 else len(ended) >= max(1, round(size * rules.patience))
            if enough or last:
                break
        return max(ended, key=lambda one: (len(one[0]) > 0, one[1]))
