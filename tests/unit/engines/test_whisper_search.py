"""Searches against a reference that looks at everything, and against CTranslate2 on the trained test model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numpy_whisper import NumpyDecoder
from speech import say
from table_steps import Ids40, Reference, TableSteps
from talkie.audio.mel import MAX_FRAMES, log_mel
from talkie.engines.asr.whisper import model_files
from talkie.engines.asr.whisper.backend import GenerateOptions
from talkie.engines.asr.whisper.ct2 import Ct2Model, Encoded, LoadOptions
from talkie.engines.asr.whisper.decoding import Hypothesis
from talkie.engines.asr.whisper.openvino.converted import Vocabulary, vocabulary
from talkie.engines.asr.whisper.search import generate, languages
from talkie.engines.asr.whisper.search.steps import Floats
from talkie.engines.base import DecodingOptions
from whisper_models import TRAINED

GREEDY = DecodingOptions(beam_size=1, max_initial_timestamp_s=0.1)
BEAMS = replace(GREEDY, beam_size=3)
SMALL = Ids40()
WITH_TIMES = [41, 43, 44]
WITHOUT_TIMES = [41, 43, 45]

decodings = st.builds(
    DecodingOptions,
    beam_size=st.sampled_from([1, 2, 3, 5]),
    patience=st.sampled_from([1.0, 2.0]),
    length_penalty=st.sampled_from([0.0, 0.6, 1.0]),
    repetition_penalty=st.sampled_from([1.0, 1.3]),
    no_repeat_ngram_size=st.sampled_from([0, 2, 3]),
    max_initial_timestamp_s=st.sampled_from([0.0, 0.1, 1.0]),
    max_new_tokens=st.sampled_from([6, 12]),
    suppress_blank=st.booleans(),
)


def written(
    decoding: DecodingOptions, seed: int, windows: list[int], prompt: list[int], drop_share: float = 0.25
) -> list[Hypothesis]:
    options = GenerateOptions(decoding, (1, 2))
    steps = TableSteps(seed, windows, options.suppressed)
    return generate(steps, [prompt] * len(windows), SMALL, 0.0, options, drop_share=drop_share)


def most(prompt: list[int], decoding: DecodingOptions) -> int:
    assert decoding.max_new_tokens is not None
    whole = len(prompt) + decoding.max_new_tokens
    return min(whole // 2, whole - len(prompt) + 1)


@settings(max_examples=40, deadline=None)
@given(decodings, st.integers(0, 10_000), st.sampled_from([WITH_TIMES, WITHOUT_TIMES]))
def test_searches_find_what_a_look_at_everything_finds(decoding: DecodingOptions, seed: int, prompt: list[int]) -> None:
    windows = [0, 1, 2]
    for window, found in zip(windows, written(decoding, seed, windows, prompt), strict=True):
        reference = Reference(
            TableSteps(seed, [window]), window, tuple(prompt), GenerateOptions(decoding, (1, 2)), most(prompt, decoding)
        )
        text, score = reference.greedy() if decoding.beam_size == 1 else reference.beams()
        assert found.tokens == text
        assert found.score == pytest.approx(score, abs=1e-3)


@settings(max_examples=15, deadline=None)
@given(st.sampled_from([GREEDY, BEAMS]), st.integers(0, 10_000), st.permutations(list(range(5))))
def test_neither_order_nor_dropping_changes_a_window(decoding: DecodingOptions, seed: int, order: list[int]) -> None:
    decoding = replace(decoding, max_new_tokens=12)
    straight = written(decoding, seed, list(range(5)), WITH_TIMES, drop_share=2.0)
    for share in (0.0, 0.25, 1.0):
        assert written(decoding, seed, order, WITH_TIMES, share) == [straight[window] for window in order]


@pytest.mark.parametrize("decoding", [GREEDY, BEAMS])
def test_finished_windows_are_dropped(decoding: DecodingOptions) -> None:
    options = GenerateOptions(decoding)
    steps = TableSteps(1, range(8), spread=3.0)
    generate(steps, [WITH_TIMES] * 8, SMALL, 0.0, options, drop_share=0.0)
    assert steps.kept > 1


def test_draws_are_repeatable_and_differ_by_seed() -> None:
    options = GenerateOptions(replace(GREEDY, best_of=3, max_new_tokens=12), (1, 2))

    def draw(seed: int) -> list[Hypothesis]:
        random = np.random.default_rng(seed)
        return generate(TableSteps(5, range(4), (1, 2)), [WITH_TIMES] * 4, SMALL, 1.0, options, random=random)

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_draws_are_as_frequent_as_they_are_probable() -> None:
    options = GenerateOptions(replace(GREEDY, best_of=1, max_new_tokens=1, max_initial_timestamp_s=1.0))
    count = 4000
    steps = TableSteps(7, [0] * count)
    prompts = [WITH_TIMES] * count
    found = generate(steps, prompts, SMALL, 0.5, options, random=np.random.default_rng(0))
    first = np.array([one.tokens[0] for one in found]) - SMALL.layout.timestamp_begin
    logits = steps.logits(0, WITH_TIMES)[SMALL.layout.timestamp_begin :].astype(np.float64) / 0.5
    expected = np.exp(logits - logits.max())
    expected /= expected.sum()
    shares = np.bincount(first, minlength=len(expected)) / count
    assert np.abs(shares - expected).max() < 4 * 0.5 / np.sqrt(count)


def test_the_best_of_several_draws_is_taken() -> None:
    options = GenerateOptions(replace(GREEDY, best_of=1, max_new_tokens=12))
    several = GenerateOptions(replace(options.decoding, best_of=20))
    one, more = (
        generate(TableSteps(3, range(6)), [WITH_TIMES] * 6, SMALL, 1.0, wish, random=np.random.default_rng(0))
        for wish in (options, several)
    )
    assert np.mean([found.score for found in more]) > np.mean([found.score for found in one])


def test_prompts_must_go_together() -> None:
    with pytest.raises(ValueError, match="same place"):
        generate(TableSteps(0, [0, 1]), [[41, 43, 44], [5, 41, 44]], SMALL, 0.0, GenerateOptions(GREEDY))


def test_languages_are_ranked_among_themselves() -> None:
    scores = TableSteps(0, [0, 1]).feed(np.full((2, 1, 1), SMALL.start))
    known = [("<|de|>", 5), ("<|en|>", 6), ("<|fr|>", 7)]
    for row, found in enumerate(languages(scores, known)):
        chances = np.exp(scores.all()[row, 0, 5:8].astype(np.float64))
        expected = dict(zip(("<|de|>", "<|en|>", "<|fr|>"), (chances / chances.sum()).tolist(), strict=True))
        assert dict(found) == pytest.approx(expected)
        assert [token for token, _ in found] == sorted(expected, key=lambda token: -expected[token])
    assert languages(scores, []) == [[], []]


class Trained:
    """The trained model in CTranslate2 with float32 arithmetic, and what its encoder made of some sounds."""

    def __init__(self) -> None:
        files = model_files.check(TRAINED)
        self.vocabulary: Vocabulary = vocabulary(files)
        self.model = Ct2Model(files, LoadOptions("cpu", "float32", 1, 1))
        noise = np.random.default_rng(0).normal(0, 0.1, 48_000).astype(np.float32)
        sounds = [say("one two three four"), say("open the door"), say("stop"), noise]
        features = np.empty((len(sounds), self.model.n_mels, MAX_FRAMES), np.float32)
        for samples, out in zip(sounds, features, strict=True):
            log_mel(samples, self.model.n_mels, out)
        self.encoded: Encoded = self.model.encode(features)
        self.array: Floats = np.array(self.encoded._view)
        self.start = [self.vocabulary.start, self.vocabulary.languages[0][1], self.vocabulary.start + 3]
        self.suppressed = tuple(range(self.vocabulary.start, self.vocabulary.no_timestamps))

    def both(
        self, prompts: list[list[int]], temperature: float, decoding: DecodingOptions
    ) -> Iterator[tuple[Hypothesis, Hypothesis]]:
        options = GenerateOptions(decoding, self.suppressed)
        steps = NumpyDecoder(TRAINED, self.array, self.vocabulary.layout, self.suppressed)
        ours = generate(steps, prompts, self.vocabulary, temperature, options)
        theirs = self.model.generate(self.encoded, list(enumerate(prompts)), temperature, options)
        return zip(ours, theirs, strict=True)


@pytest.fixture(scope="module")
def trained() -> Iterator[Trained]:
    found = Trained()
    yield found
    found.model.close()


@pytest.mark.parametrize("prompt", ["plain", "text before", "no timestamps", "start alone"])
@pytest.mark.parametrize(
    "decoding",
    [
        DecodingOptions(beam_size=1),
        DecodingOptions(beam_size=5),
        DecodingOptions(beam_size=3, patience=2.0, length_penalty=0.6),
        DecodingOptions(beam_size=2, length_penalty=0.0, suppress_blank=False),
        DecodingOptions(beam_size=1, repetition_penalty=1.3, no_repeat_ngram_size=2),
        DecodingOptions(beam_size=5, repetition_penalty=1.3, no_repeat_ngram_size=2),
        DecodingOptions(beam_size=5, max_new_tokens=4, max_initial_timestamp_s=0.04),
    ],
    ids=lambda one: f"beam {one.beam_size}, {one.patience}, {one.length_penalty}, {one.repetition_penalty}",
)
def test_like_ctranslate2(trained: Trained, decoding: DecodingOptions, prompt: str) -> None:
    known = trained.vocabulary
    prompts = {
        "plain": [trained.start] * 4,
        "text before": [[known.start + 5, 100 + at, 200, *trained.start] for at in range(4)],
        "no timestamps": [[*trained.start, known.no_timestamps]] * 4,
        "start alone": [[known.start]] * 4,
    }[prompt]
    for ours, theirs in trained.both(prompts, 0.0, decoding):
        assert ours.tokens == theirs.tokens
        assert ours.no_speech_prob == pytest.approx(theirs.no_speech_prob, abs=1e-4)
        if ours.tokens:  # CTranslate2 divides by the length of an empty text
            assert ours.score == pytest.approx(theirs.score, abs=1e-3)


def test_cold_draws_are_like_ctranslate2(trained: Trained) -> None:
    """So cold that chance has no say; scores are those of the distribution as it is, not of the colder one."""
    for ours, theirs in trained.both([trained.start] * 4, 0.001, DecodingOptions(best_of=2)):
        assert ours.tokens == theirs.tokens
        assert ours.score == pytest.approx(theirs.score, abs=1e-3)
