"""The likeliest ways to go on, over all beams of a window: text, end and timestamps against each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talkie.engines.asr.whisper.search.rules import Judged
from talkie.engines.asr.whisper.search.scores import best_few
from talkie.engines.asr.whisper.search.steps import Floats, Ids, Layout, Scores

_NEVER = np.float32(-np.inf)


@dataclass(frozen=True, slots=True)
class Candidates:
    """`(windows, count)`, likeliest first: the beam each goes on from, its token, and its summed log-probability."""

    parents: Ids
    tokens: Ids
    totals: Floats


def find_candidates(scores: Scores, judged: Judged, totals: Floats, count: int, layout: Layout) -> Candidates:
    """`totals`: of the beams so far, `(windows, beams)`."""
    base = totals - judged.lse
    base = np.where(np.isfinite(base), base, _NEVER)
    found = _text_and_end(scores, judged, base, count, layout)
    worst = found.totals[:, -1] if found.totals.shape[1] == count else np.full(len(base), _NEVER)
    largest = judged.timestamps.max(axis=2) + base
    rows = np.nonzero(largest > worst[:, None])
    if len(rows[0]):
        found = _with_timestamps(found, judged.timestamps[rows] + base[rows][:, None], rows, count, layout)
    return _without_dead_ends(found, layout)


def _text_and_end(scores: Scores, judged: Judged, base: Floats, count: int, layout: Layout) -> Candidates:
    values, ids = scores.best_text(count)
    windows, beams, kinds = values.shape
    own = np.where(judged.text, base, _NEVER)[:, :, None]
    values = np.concatenate([values + own, (judged.end + base)[:, :, None]], axis=2)
    ids = np.concatenate([ids, np.full((windows, beams, 1), layout.end)], axis=2)
    parents = np.broadcast_to(np.arange(beams)[:, None], values.shape)
    shape = (windows, beams * (kinds + 1))
    return _likeliest(Candidates(parents.reshape(shape), ids.reshape(shape), values.reshape(shape)), count)


def _with_timestamps(
    found: Candidates, values: Floats, rows: tuple[Ids, ...], count: int, layout: Layout
) -> Candidates:
    """`values`: totals of all timestamps of the beams `rows`, those that may be among the best of their window."""
    few = min(count, values.shape[1])
    best, steps = (part[0] for part in best_few(values[None], few))
    windows = len(found.tokens)
    own = np.bincount(rows[0], minlength=windows)
    places = np.arange(len(rows[0])) - (np.cumsum(own) - own)[rows[0]]
    shape = (windows, int(own.max()), few)
    totals = np.full(shape, _NEVER)
    tokens, parents = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    totals[rows[0], places] = best
    tokens[rows[0], places] = steps + layout.timestamp_begin
    parents[rows[0], places] = rows[1][:, None]
    more = (parents, tokens, totals)
    joined = [
        np.concatenate([mine, theirs.reshape(windows, -1)], axis=1)
        for mine, theirs in zip((found.parents, found.tokens, found.totals), more, strict=True)
    ]
    return _likeliest(Candidates(*joined), count)


def _likeliest(found: Candidates, count: int) -> Candidates:
    order = np.argsort(-found.totals, axis=1, kind="stable")[:, :count]
    rows = np.arange(len(order))[:, None]
    return Candidates(found.parents[rows, order], found.tokens[rows, order], found.totals[rows, order])


def _without_dead_ends(found: Candidates, layout: Layout) -> Candidates:
    """Where fewer ways are open than were asked for, the rest must not look like texts that have ended."""
    dead = found.totals == _NEVER
    if not dead.any():
        return found
    return Candidates(found.parents, np.where(dead, 0, found.tokens), found.totals)
