"""Temperature fallback with a decoder that answers from a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from talkie.engines.asr.whisper.decoding import (
    Decoded,
    Hypothesis,
    best,
    compression_ratio,
    decode,
    is_silence,
    measure,
    needs_fallback,
)
from talkie.engines.base import DecodingOptions

OPTIONS = DecodingOptions(temperatures=(0.0, 0.2, 0.4))
REPEATED = tuple([5] * 100)


def text_of(tokens: Sequence[int]) -> str:
    return "".join(chr(96 + token) for token in tokens)


class Table:
    """Hypotheses by window and temperature; remembers what it was asked."""

    def __init__(self, answers: dict[tuple[int, float], Hypothesis]) -> None:
        self.answers = answers
        self.asked: list[tuple[tuple[int, ...], float]] = []

    def __call__(self, numbers: Sequence[int], temperature: float) -> list[Hypothesis]:
        self.asked.append((tuple(numbers), temperature))
        return [self.answers[number, temperature] for number in numbers]


def guess(average: float, no_speech: float = 0.0, tokens: tuple[int, ...] = (1, 2, 3)) -> Hypothesis:
    """A hypothesis whose tokens and end have this mean log-probability."""
    return Hypothesis(tokens, average * (len(tokens) + 1) / len(tokens), no_speech)


def judged(average: float = -0.5, no_speech: float = 0.0, ratio: float = 1.0) -> Decoded:
    return Decoded((1,), average, no_speech, ratio, 0.0)


def test_a_good_window_is_decoded_once() -> None:
    table = Table({(0, 0.0): guess(-0.3)})
    (decoded,) = decode(1, table, text_of, OPTIONS)
    assert table.asked == [((0,), 0.0)]
    assert decoded.tokens == (1, 2, 3)
    assert decoded.avg_logprob == pytest.approx(-0.3)
    assert decoded.temperature == 0.0


def test_only_the_windows_that_failed_are_decoded_again() -> None:
    answers = {(number, 0.0): guess(-0.3 if number != 1 else -1.5) for number in range(3)}
    table = Table(answers | {(1, 0.2): guess(-0.4, tokens=(4, 5))})
    decoded = decode(3, table, text_of, OPTIONS)
    assert table.asked == [((0, 1, 2), 0.0), ((1,), 0.2)]
    assert [one.temperature for one in decoded] == [0.0, 0.2, 0.0]
    assert decoded[1].tokens == (4, 5)


def test_repetition_alone_is_a_failure() -> None:
    table = Table({(0, 0.0): guess(-0.1, tokens=REPEATED), (0, 0.2): guess(-0.9)})
    (decoded,) = decode(1, table, text_of, OPTIONS)
    assert decoded.temperature == 0.2


def test_when_all_fail_the_surest_that_does_not_repeat_itself_is_taken() -> None:
    table = Table(
        {
            (0, 0.0): guess(-0.1, tokens=REPEATED),
            (0, 0.2): guess(-1.2, tokens=(7,)),
            (0, 0.4): guess(-1.9, tokens=(8,)),
        }
    )
    (decoded,) = decode(1, table, text_of, OPTIONS)
    assert decoded.tokens == (7,)
    assert decoded.avg_logprob == pytest.approx(-1.2)
    assert decoded.temperature == 0.4  # the last one tried, as in the reference


def test_when_all_repeat_themselves_the_surest_is_taken() -> None:
    table = Table({(0, t): guess(-1 - t, tokens=REPEATED) for t in OPTIONS.temperatures})
    (decoded,) = decode(1, table, text_of, OPTIONS)
    assert decoded.avg_logprob == pytest.approx(-1.0)


def test_an_unsure_guess_at_silence_is_not_tried_again() -> None:
    table = Table({(0, 0.0): guess(-1.5, no_speech=0.9)})
    (decoded,) = decode(1, table, text_of, OPTIONS)
    assert len(table.asked) == 1
    assert is_silence(decoded, OPTIONS)


def test_no_temperatures_means_the_surest_search() -> None:
    table = Table({(0, 0.0): guess(-9.0)})
    assert decode(1, table, text_of, replace(OPTIONS, temperatures=()))[0].temperature == 0.0


def test_nothing_to_decode() -> None:
    assert decode(0, Table({}), text_of, OPTIONS) == []


@pytest.mark.parametrize(
    ("decoded", "changes", "again"),
    [
        (judged(), {}, False),
        (judged(average=-1.01), {}, True),
        (judged(average=-1.01), {"log_prob_threshold": None}, False),
        (judged(ratio=2.5), {}, True),
        (judged(ratio=2.4), {}, False),
        (judged(ratio=9.0), {"compression_ratio_threshold": None}, False),
        (judged(average=-2.0, no_speech=0.7), {}, False),
        (judged(average=-2.0, no_speech=0.7, ratio=9.0), {}, False),
        (judged(average=-2.0, no_speech=0.6), {}, True),
        (judged(average=-2.0, no_speech=0.7), {"no_speech_threshold": None}, True),
        (judged(average=-0.2, no_speech=0.9, ratio=9.0), {}, True),
    ],
)
def test_when_to_decode_again(decoded: Decoded, changes: dict[str, None], again: bool) -> None:
    assert needs_fallback(decoded, replace(OPTIONS, **changes)) is again


@pytest.mark.parametrize(
    ("decoded", "changes", "silent"),
    [
        (judged(no_speech=0.9, average=-0.5), {}, False),
        (judged(no_speech=0.9, average=-1.5), {}, True),
        (judged(no_speech=0.5, average=-1.5), {}, False),
        (judged(no_speech=0.9, average=-0.5), {"log_prob_threshold": None}, True),
        (judged(no_speech=0.9, average=-9.0), {"no_speech_threshold": None}, False),
    ],
)
def test_what_is_silence(decoded: Decoded, changes: dict[str, None], silent: bool) -> None:
    assert is_silence(decoded, replace(OPTIONS, **changes)) is silent


def test_best_without_a_threshold_is_the_surest() -> None:
    tries = [judged(average=-3.0), judged(average=-2.0, ratio=9.0)]
    assert best(tries, replace(OPTIONS, compression_ratio_threshold=None)).avg_logprob == -2.0


def test_the_mean_counts_the_end_and_undoes_the_length_penalty() -> None:
    hypothesis = Hypothesis((1, 2, 3, 4), -0.5)
    assert measure(hypothesis, 0.0, text_of, OPTIONS).avg_logprob == pytest.approx(-2.0 / 5)
    squared = replace(OPTIONS, length_penalty=2.0)
    assert measure(hypothesis, 0.0, text_of, squared).avg_logprob == pytest.approx(-8.0 / 5)
    assert measure(Hypothesis((), 0.0), 0.0, text_of, OPTIONS).avg_logprob == 0.0


def test_compression_ratio_is_that_of_the_reference() -> None:
    from faster_whisper.transcribe import get_compression_ratio

    for text in ("", "a", "hello there", "la la " * 50, "Größe 字字字"):
        assert compression_ratio(text) == get_compression_ratio(text)
