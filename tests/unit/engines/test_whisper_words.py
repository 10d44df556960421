"""Word times from attention: against the reference on invented alignments, and the rules one by one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from talkie.engines.asr.whisper.splitting import TokenWord
from talkie.engines.asr.whisper.timestamps import Phrase, Window
from talkie.engines.asr.whisper.words import CLOSING, OPENING, Alignment, place

END = 10_000
TEXTS = [
    *(" Well", ",", " this", " is", " it", ".", " (", "really", ")"),
    *(' "', "so", "-", "called", '"', "!", " Yes", "."),
]


def path(ends: list[int], last: int) -> list[tuple[int, int]]:
    """A path through the attention in which token i is left at step `ends[i]`; the end of text stays until `last`."""
    found, step = [], 0
    for token, end in enumerate([*ends, last]):
        found.append((token, step))
        found += [(token, later) for later in range(step + 1, end)]
        step = max(step, end)
    return found


def reference(
    phrases: list[Phrase], words: list[TokenWord], alignment: Alignment, window: Window
) -> list[tuple[float, float, list[tuple[str, float, float, float]]]]:
    """The reference's `add_word_timestamps` with a model that answers with `alignment`."""
    from faster_whisper.transcribe import WhisperModel

    result = SimpleNamespace(alignments=list(alignment.pairs), text_token_probs=list(alignment.probabilities))
    model = SimpleNamespace(
        model=SimpleNamespace(align=lambda *_, **__: [result]), tokens_per_second=50, frames_per_second=100
    )
    model.find_alignment = lambda *args: WhisperModel.find_alignment(model, *args)
    split = ([word.text for word in words] + [""], [list(word.tokens) for word in words] + [[END]])
    tokenizer = SimpleNamespace(eot=END, sot_sequence=[], split_to_word_tokens=lambda _: split)
    parts: list[dict[str, Any]] = [
        {"seek": round(window.start_s * 100), "start": one.start_s, "end": one.end_s, "tokens": list(one.tokens)}
        for one in phrases
    ]
    WhisperModel.add_word_timestamps(model, [parts], tokenizer, None, window.frames, OPENING, CLOSING, window.start_s)
    return [
        (one["start"], one["end"], [(w["word"].strip(), w["start"], w["end"], w["probability"]) for w in one["words"]])
        for one in parts
    ]


def assert_same(phrases: list[Phrase], words: list[TokenWord], alignment: Alignment, window: Window) -> None:
    lengths = [len(phrase.tokens) for phrase in phrases]
    ours = place(phrases, lengths, words, alignment, window)
    theirs = reference(phrases, words, alignment, window)
    for one, (start_s, end_s, their_words) in zip(ours, theirs, strict=True):
        assert (one.phrase.start_s, one.phrase.end_s) == pytest.approx((start_s, end_s))
        assert [word.text for word in one.words] == [word[0] for word in their_words if word[0]]
        for word, (_, word_start_s, word_end_s, probability) in zip(one.words, their_words, strict=True):
            assert word.probability == pytest.approx(probability)
            assert (word.start_s, word.end_s) == pytest.approx((word_start_s, word_end_s))


def token_words(texts: list[str]) -> list[TokenWord]:
    return [TokenWord(text, (number,)) for number, text in enumerate(texts)]


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("start_s", [0.0, 47.32])
def test_places_are_those_of_the_reference(seed: int, start_s: float) -> None:
    """Words of every length, pauses of several seconds, punctuation everywhere, phrases that are off."""
    rng = np.random.default_rng(seed)
    words = token_words(TEXTS)
    gaps = np.where(rng.random(len(words)) < 0.2, rng.integers(50, 200, len(words)), rng.integers(0, 30, len(words)))
    ends = [int(end) for end in np.cumsum(gaps)]
    alignment = Alignment(path(ends, 1500), [float(one) for one in rng.random(len(words))])
    bounds = sorted(int(one) for one in rng.choice(np.arange(1, len(words)), 2, replace=False))
    window = Window(start_s, 3000)
    times = np.sort(rng.random(6)) * ends[-1] / 50
    phrases = [
        Phrase(tuple(range(first, last)), start_s + times[2 * i], start_s + times[2 * i + 1])
        for i, (first, last) in enumerate(zip([0, *bounds], [*bounds, len(words)], strict=True))
    ]
    assert_same(phrases, words, alignment, window)


def one_phrase(texts: list[str], ends: list[int], window: Window, end_s: float) -> list[tuple[str, float, float]]:
    words = token_words(texts)
    alignment = Alignment(path(ends, window.frames // 2), [0.5] * len(words))
    phrase = Phrase(tuple(range(len(words))), window.start_s, window.start_s + end_s)
    (found,) = place([phrase], [len(words)], words, alignment, window)
    return [(word.text, word.start_s, word.end_s) for word in found.words]


def test_punctuation_belongs_to_the_word_it_stands_at() -> None:
    found = one_phrase([" (", "so", ")", " yes", "."], [10, 20, 30, 40, 50], Window(0.0, 100), 1.0)
    assert [word[0] for word in found] == ["(so)", "yes."]


def test_times_are_kept_inside_the_window() -> None:
    found = one_phrase([" one", " two"], [10, 400], Window(5.0, 100), 1.0)
    assert found[-1][2] <= 6.0
    assert found[0][1] >= 5.0


def test_a_window_may_begin_anywhere_and_words_stand_on_whole_hundredths() -> None:
    (one, two) = one_phrase([" one", " two"], [10, 20], Window(5.0321, 200), 0.4)
    assert one[1:] == (pytest.approx(5.0321, abs=0.005), 5.23)
    assert two[1:] == (5.23, 5.43)


def test_no_path_no_words() -> None:
    phrase = Phrase((1,), 0.0, 1.0)
    (found,) = place([phrase], [1], token_words([" one"]), Alignment([], []), Window(0.0, 100))
    assert found.words == ()
    assert found.phrase == phrase


def test_a_path_that_ends_too_early_gives_every_word_a_time() -> None:
    words = token_words([" one", " two", " three"])
    alignment = Alignment([(0, 0), (0, 1), (1, 5)], [0.1, 0.2, 0.3])
    (found,) = place([Phrase((0, 1, 2), 0.0, 1.0)], [3], words, alignment, Window(0.0, 100))
    assert [word.text for word in found.words] == ["one", "two", "three"]
    assert all(0.0 <= word.start_s <= word.end_s <= 1.0 for word in found.words)
