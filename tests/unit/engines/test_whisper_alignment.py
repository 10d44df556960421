"""Alignment: its parts against the plain forms of openai/whisper's methods, the whole against CTranslate2."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numpy_whisper import NumpyDecoder
from speech import say
from talkie.audio.mel import MAX_FRAMES, content_frames, log_mel
from talkie.engines.asr.whisper import model_files
from talkie.engines.asr.whisper.backend import AlignItem
from talkie.engines.asr.whisper.ct2 import Ct2Model, LoadOptions
from talkie.engines.asr.whisper.openvino.converted import alignment_heads, vocabulary
from talkie.engines.asr.whisper.search import alignment
from talkie.engines.asr.whisper.search.alignment import cheapest_path, median_filter
from talkie.engines.asr.whisper.search.steps import Floats
from whisper_models import TRAINED


def plain_path(weights: Floats) -> list[tuple[int, int]]:
    """Dynamic time warping cell by cell."""
    rows, columns = weights.shape
    cost = np.full((rows + 1, columns + 1), np.inf)
    cost[0, 0] = 0.0
    came = {}
    for row in range(1, rows + 1):
        for column in range(1, columns + 1):
            diagonal, up, left = cost[row - 1, column - 1], cost[row - 1, column], cost[row, column - 1]
            if diagonal < up and diagonal < left:
                came[row, column], least = (row - 1, column - 1), diagonal
            elif up < diagonal and up < left:
                came[row, column], least = (row - 1, column), up
            else:
                came[row, column], least = (row, column - 1), left
            cost[row, column] = least - weights[row - 1, column - 1]
    at, path = (rows, columns), []
    while at != (0, 0):
        path.append((at[0] - 1, at[1] - 1))
        at = came[at]
    return path[::-1]


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 9), st.integers(1, 30), st.integers(0, 10_000))
def test_the_path_is_that_of_the_plain_form(rows: int, columns: int, seed: int) -> None:
    weights = np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)
    tokens, steps = cheapest_path(weights)
    assert list(zip(tokens.tolist(), steps.tolist(), strict=True)) == plain_path(weights)


def test_a_path_through_a_long_text() -> None:
    weights = np.random.default_rng(3).normal(size=(60, 400)).astype(np.float32)
    tokens, steps = cheapest_path(weights)
    assert list(zip(tokens.tolist(), steps.tolist(), strict=True)) == plain_path(weights)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.integers(1, 40), st.integers(0, 10_000))
def test_the_median_of_seven(rows: int, columns: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)
    if columns <= 3:
        assert (median_filter(values) == values).all()
        return
    padded = np.pad(values, ((0, 0), (3, 3)), mode="reflect")
    expected = np.median(np.lib.stride_tricks.sliding_window_view(padded, 7, axis=1), axis=2)
    assert (median_filter(values) == expected).all()


@pytest.mark.parametrize("text", ["one two three four", "open the door", "stop"])
def test_like_ctranslate2(text: str) -> None:
    files = model_files.check(TRAINED)
    known = vocabulary(files)
    model = Ct2Model(files, LoadOptions("cpu", "float32", 1, 1))
    sound = say(text)
    features = np.empty((1, model.n_mels, MAX_FRAMES), np.float32)
    log_mel(sound, model.n_mels, features[0])
    encoded = model.encode(features)
    start = [known.start, known.languages[0][1], known.start + 3]
    tokens = (262, 265, 269, 273)
    frames = content_frames(len(sound))
    (expected,) = model.align(encoded, start, [AlignItem(0, tokens, frames)])

    decoder = NumpyDecoder(TRAINED, np.array(encoded._view), known.layout)
    decoder.feed(np.array([*start, known.no_timestamps, *tokens, known.layout.end])[None, None])
    heads = np.stack([decoder.attention[layer][0, 0, head] for layer, head in alignment_heads(files)])
    first = len(start)
    logits = decoder.logits[0, 0, first : first + len(tokens)]
    found = alignment(heads[:, :, : frames // 2], logits, tokens, known.layout, first)
    model.close()
    assert list(found.pairs) == list(expected.pairs)
    assert found.probabilities == pytest.approx(expected.probabilities, abs=1e-4)
