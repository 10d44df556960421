"""Scores out of whole logits: against NumPy's plain forms."""

from __future__ import annotations

import numpy as np
import pytest

from talkie.engines.asr.whisper.search.scores import FullScores
from talkie.engines.asr.whisper.search.steps import Layout

LAYOUT = Layout(end=900, timestamp_begin=910, size=1000)
SUPPRESSED = (0, 7, 450, 899, 905, 950)


def logits(scale: float = 3.0, seed: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(seed).normal(0, scale, (3, 2, 1000)).astype(np.float32)


@pytest.mark.parametrize("scale", [3.0, 0.0, 60.0])
@pytest.mark.parametrize("count", [1, 2, 10, 28, 40, 900])
def test_the_best_and_the_sums(scale: float, count: int) -> None:
    whole = logits(scale)
    scores = FullScores(whole.copy(), LAYOUT, SUPPRESSED)
    text = whole[:, :, : LAYOUT.end].astype(np.float64)
    text[:, :, list(SUPPRESSED[:4])] = -np.inf
    values, ids = scores.best_text(count)
    assert (values == -np.sort(-text, axis=2)[:, :, :count]).all()
    assert (np.take_along_axis(text, ids, 2) == values).all()
    assert scale == 0.0 or (ids == np.argsort(-text, axis=2, kind="stable")[:, :, :count]).all()
    assert scores.text_lse() == pytest.approx(np.logaddexp.reduce(text, axis=2), rel=1e-5)


def test_ends_and_timestamps_are_where_they_lie_and_nothing_is_lost() -> None:
    whole = logits()
    scores = FullScores(whole.copy(), LAYOUT, SUPPRESSED)
    assert (scores.end() == whole[:, :, LAYOUT.end]).all()
    assert (scores.all() == whole).all()
    times = scores.timestamps()
    assert np.isneginf(times[:, :, 950 - LAYOUT.timestamp_begin]).all()
    assert (scores.all() == whole).all()


def test_what_may_not_be_written_to_is_copied() -> None:
    whole = logits()
    whole.flags.writeable = False
    assert FullScores(whole, LAYOUT, SUPPRESSED).best_text(3)[0].shape == (3, 2, 3)


def test_a_row_without_any_text_has_no_sum() -> None:
    whole = np.full((1, 1, 1000), -np.inf, np.float32)
    assert np.isneginf(FullScores(whole, LAYOUT).text_lse()).all()
