"""Every backend decodes as CTranslate2 does in float32: whatever the batch, the order, the search and the prompt.

`openvino float32` must give the same tokens. Rounded forms may place a timestamp a step or two aside and choose the
other of two near-equal ways to write a thing; so their texts are compared here, and their word error rates in
`test_whisper_accuracy.py`.
"""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from talkie.engines.asr.whisper.backend import Backend, GenerateOptions
from talkie.engines.base import DecodingOptions
from whisper_backends import ON_BACKENDS
from whisper_hearing import (
    GREEDY,
    assert_like,
    encode_and_generate,
    features,
    generate,
    reference,
    text,
    tokens_of,
)
from whisper_hearing import backend as backend
from whisper_hearing import form as form

pytestmark = ON_BACKENDS

BATCHES = ((0,), (1, 2, 3, 4, 5, 6), (7, 0, 1, 2, 3), (4, 5, 6, 7, 0, 1, 2, 3), (1,))
"""1, 6, 5, 8 and 1 windows: OpenVINO's own decoder gives wrong tokens when a batch grows."""


def test_the_windows_are_worth_comparing() -> None:
    lengths = [len(reference(number).tokens) for number in range(8)]
    assert min(lengths) <= 5 < 25 <= max(lengths)
    assert len({text(reference(number)) for number in range(8)}) == 8


def test_the_batch_grows_and_shrinks_on_one_engine(form: str, backend: Backend) -> None:
    for numbers in BATCHES:
        assert_like(form, encode_and_generate(backend, numbers, GREEDY), [reference(number) for number in numbers])


@pytest.mark.parametrize("beam_size", [2, 5])
def test_the_batch_grows_and_shrinks_with_beams(form: str, backend: Backend, beam_size: int) -> None:
    decoding = DecodingOptions(beam_size=beam_size)
    for numbers in BATCHES if beam_size == 5 else BATCHES[:2]:
        assert_like(form, generate(backend, numbers, decoding), [reference(number, decoding) for number in numbers])


def test_windows_of_one_encoding_in_any_order_and_more_than_once(form: str, backend: Backend) -> None:
    for numbers in ((7, 6, 5, 4, 3, 2, 1, 0), (3, 0), (2,), (1, 1, 6), (0, 1, 2, 3, 4, 5, 6, 7)):
        assert_like(form, generate(backend, numbers), [reference(number) for number in numbers])


def test_many_threads_at_once(form: str, backend: Backend) -> None:
    """More of them than the engine has workers, each with another batch."""
    decodings = (GREEDY, DecodingOptions(beam_size=3))
    work = [(numbers, decoding) for numbers in ((0, 2), (4,), (6, 0, 4), (2,)) for decoding in decodings]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda one: encode_and_generate(backend, *one), work))
    for (numbers, decoding), heard in zip(work, found, strict=True):
        assert_like(form, heard, [reference(number, decoding) for number in numbers])


def test_features_that_move_in_memory(form: str, backend: Backend) -> None:
    """A library that keeps an address instead of the numbers reads what lies there later."""
    kept = [backend.encode(features()[[number]].copy()) for number in (1, 4, 6)]
    for size in (1, 3):
        backend.encode(np.random.default_rng(size).standard_normal((size, 80, 3000)).astype(np.float32))
        gc.collect()
    known = tokens_of()
    options = GenerateOptions(GREEDY, known.suppressed)
    for number, encoded in zip((1, 4, 6), kept, strict=True):
        for _ in range(2):
            assert_like(form, backend.generate(encoded, [(0, [known.start])], 0.0, options), [reference(number)])


@pytest.mark.parametrize("beam_size", [1, 5])
def test_short_texts_leave_the_batch_before_long_ones(form: str, backend: Backend, beam_size: int) -> None:
    decoding = DecodingOptions(beam_size=beam_size)
    numbers = (3, 0, 5, 2, 0, 3, 6, 2)
    assert_like(form, generate(backend, numbers, decoding), [reference(number, decoding) for number in numbers])
