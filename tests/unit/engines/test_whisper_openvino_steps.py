"""The decoder's graph, fed in every way: what a window scores does not depend on its neighbours or on the pieces.

A library that reads a shared mask, a cache or an input wrongly gives wrong tokens without a word; these are the places
where it did.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from talkie.engines import openvino_runtime
from whisper_backends import ON_BACKENDS, features_of, open_form, openvino_form, spoken
from whisper_models import TRAINED

pytestmark = [
    pytest.mark.skipif(not openvino_runtime.available(), reason="OpenVINO has no wheel for this machine"),
    ON_BACKENDS,
]

WINDOWS = 5
NOT_A_BIT = 1e-3
"""Sums are rounded in another order in another batch, and no more than that."""
FORMS = ("float32", "bfloat16", "int8_float32", "int8_bfloat16")
Floats = NDArray[np.float32]


class Decoder:
    """A model and its encoded windows."""

    def __init__(self, form: str) -> None:
        self._model: Any = open_form(f"openvino {form}", TRAINED)
        self._encoded = self._model.encode(features_of(spoken()[:WINDOWS], frames=1000))

    def steps(self, windows: Sequence[int] = range(WINDOWS)) -> Any:
        return self._model._steps(self._encoded, list(windows))


@pytest.fixture(scope="module", params=FORMS)
def decoder(request: pytest.FixtureRequest) -> Decoder:
    if openvino_form(request.param) is None:
        pytest.skip(f"{request.param} cannot run here")
    return Decoder(request.param)


def texts(length: int, seed: int = 0) -> NDArray[np.int64]:
    """Other text in each window: `(windows, 1, length)`."""
    return np.random.default_rng(seed).integers(0, 400, (WINDOWS, 1, length))


def feed(steps: Any, tokens: NDArray[np.int64]) -> Floats:
    return np.array(steps.feed(tokens).all())


@pytest.mark.parametrize("length", [1, 2, 3, 9, 60, 223])
def test_windows_fed_together_score_as_each_alone(decoder: Decoder, length: int) -> None:
    """The whole of a prompt at once, and a token after it."""
    prompts, more = texts(length), texts(1, seed=1)
    together = decoder.steps()
    found = [feed(together, prompts), feed(together, more)]
    for window in range(WINDOWS):
        alone = decoder.steps([window])
        for scores, tokens in zip(found, (prompts, more), strict=True):
            np.testing.assert_allclose(scores[[window]], feed(alone, tokens[[window]]), atol=NOT_A_BIT)


def test_a_text_fed_in_pieces_scores_as_the_whole(decoder: Decoder) -> None:
    prompts = texts(12)
    whole = feed(decoder.steps(), prompts)
    steps = decoder.steps()
    for start, end in ((0, 1), (1, 2), (2, 7), (7, 12)):
        scores = feed(steps, prompts[:, :, start:end])
    agreeing = (whole.argmax(axis=2) == scores.argmax(axis=2)).mean()
    assert agreeing == 1.0
    np.testing.assert_allclose(scores, whole, atol=0.6)  # BF16 rounds what it keeps of every piece


@pytest.mark.parametrize("kept", [[0, 2, 4], [3], [4, 0], [0, 1, 2, 3]])
def test_windows_that_are_dropped_leave_the_others_alone(decoder: Decoder, kept: list[int]) -> None:
    prompts, more = texts(6), texts(1, seed=2)
    steps = decoder.steps()
    feed(steps, prompts)
    steps.keep(kept)
    first = feed(steps, more[kept])
    steps.keep([0])
    last = feed(steps, more[kept][:1])
    for place, window in enumerate(kept):
        alone = decoder.steps([window])
        feed(alone, prompts[[window]])
        np.testing.assert_allclose(first[[place]], feed(alone, more[[window]]), atol=NOT_A_BIT)
        if place == 0:
            np.testing.assert_allclose(last, feed(alone, more[[window]]), atol=NOT_A_BIT)


def test_beams_go_on_from_their_parents(decoder: Decoder) -> None:
    """One beam becomes three, which change places, and windows are dropped between."""
    prompts, branches = texts(4), np.random.default_rng(3).integers(0, 400, (WINDOWS, 3, 1))
    steps = decoder.steps()
    feed(steps, prompts)
    steps.feed(branches, np.zeros((WINDOWS, 3), np.int64))
    kept = [4, 1]
    steps.keep(kept)
    parents = np.array([[2, 2, 0], [1, 0, 1]])
    last = np.random.default_rng(4).integers(0, 400, (2, 3, 1))
    found = np.array(steps.feed(last, parents).all())
    for place, window in enumerate(kept):
        for beam in range(3):
            alone = decoder.steps([window])
            feed(alone, prompts[[window]])
            feed(alone, branches[[window], parents[place, beam]][:, None])
            expected = feed(alone, last[[place], beam][:, None])
            np.testing.assert_allclose(found[[place], beam][:, None], expected, atol=NOT_A_BIT)


def test_one_engine_serves_growing_batches(decoder: Decoder) -> None:
    prompts = texts(5)
    for windows in ([0], [1, 2, 3, 4], [4, 0], [2, 1, 0, 4, 3], [3]):
        found = feed(decoder.steps(windows), prompts[windows])
        for place, window in enumerate(windows):
            alone = feed(decoder.steps([window]), prompts[[window]])
            np.testing.assert_allclose(found[[place]], alone, atol=NOT_A_BIT)
