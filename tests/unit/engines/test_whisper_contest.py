from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from talkie.engines.asr.whisper.contest import Likelihoods, contest
from talkie.engines.asr.whisper.trial import SLOW_S, Trial, run_trial
from talkie.types import Samples

SAID = "one two three four five six seven eight nine ten " * 5
WRONG = "nine " * 50


@dataclass(frozen=True)
class Said:
    text: str = SAID
    samples: Samples = field(default_factory=lambda: np.zeros(160_000, np.float32))


def trial(text: str = SAID, processor_s: float = 1.0) -> Trial:
    return Trial(((1, 2),), (text,), 30.0, processor_s)


def swap(text: str, count: int) -> str:
    words = text.split()
    return " ".join(["lamp"] * count + words[count:])


def test_the_faster_one_wins_where_both_hear_the_same() -> None:
    fast, slow = trial(), trial(processor_s=2.0)
    alike = Likelihoods(-0.31, -0.3)
    won, lost = contest(fast, slow, [Said()], alike), contest(slow, fast, [Said()], alike)
    assert won.openvino and not lost.openvino and not (won.fault or lost.fault)
    assert won.reason == "measured: 30 s of audio a processor second, CTranslate2 15"
    assert contest(trial(processor_s=1.05), fast, [Said()], alike).openvino  # hardly slower, and measured briefly
    assert lost.reason == "measured: 30 s of audio a processor second, OpenVINO 15"


def test_arithmetic_that_goes_wrong_loses_however_fast_and_whatever_is_heard() -> None:
    for text in (SAID, WRONG):
        verdict = contest(trial(text, 0.1), trial(text), [Said()], Likelihoods(-1.5, -0.3))
        assert verdict.fault and not verdict.openvino and "-1.50" in verdict.reason and "-0.30" in verdict.reason


@pytest.mark.parametrize(("ours", "theirs", "wins"), [(3, 0, True), (5, 0, True), (6, 0, False), (12, 8, True)])
def test_a_word_here_and_there_is_no_fault_and_a_tenth_is(ours: int, theirs: int, wins: bool) -> None:
    verdict = contest(trial(swap(SAID, ours), 0.5), trial(swap(SAID, theirs)), [Said()], Likelihoods(-0.3, -0.3))
    assert verdict.openvino is wins
    if not wins:
        assert verdict.fault and verdict.reason == "OpenVINO hears 6 of 50 words wrongly here, CTranslate2 0"


def test_texts_that_nobody_understands_judge_where_there_is_nothing_else() -> None:
    other = "seven " * 50
    assert contest(trial(other, 0.5), trial(WRONG), [Said()], Likelihoods(-2.0, -2.0)).openvino
    verdict = contest(trial(other, 0.5), trial(WRONG), [Said()])
    assert not verdict.openvino and verdict.fault and "talkie tune" in verdict.reason
    assert contest(trial(swap(WRONG, 4), 0.5), trial(WRONG), [Said()]).openvino


@dataclass
class FakeBackend:
    """Hears the number of every window; `calls` are the sizes of its batches."""

    n_mels: int = 8
    calls: list[int] = field(default_factory=list)

    def encode(self, features: Any) -> Any:
        self.calls.append(len(features))
        return features

    def generate(self, encoded: Any, prompts: Any, temperature: float, options: Any) -> Any:
        return [FakeHypothesis((number, 90)) for number, _ in prompts]


@dataclass
class FakeHypothesis:
    tokens: tuple[int, ...]


class FakeTokens:
    languages = ("de",)
    end = 50
    suppressed = ()

    def start_sequence(self, language: str, task: str) -> list[int]:
        assert language == "de"
        return [51]

    def decode(self, tokens: Any) -> str:
        return " ".join(map(str, tokens))


@pytest.mark.parametrize(("window_s", "calls", "measured"), [(0.1, [1, 3], (30.0, 0.1)), (4.0, [1], (10.0, 4.0))])
def test_a_slow_model_is_not_tried_twice(window_s: float, calls: list[int], measured: tuple[float, float]) -> None:
    assert 0.1 < SLOW_S < 4.0
    times = iter(window_s * number for number in (0, 1, 1, 2))
    model = FakeBackend()
    found = run_trial(model, FakeTokens(), [Said()] * 3, lambda: next(times))  # type: ignore[arg-type]
    assert model.calls == calls and (found.audio_s, found.processor_s) == pytest.approx(measured)
    assert found.texts == ("0", "1", "2")[: calls[-1]] and found.tokens == ((0,), (1,), (2,))[: calls[-1]]


def test_the_second_one_hears_what_the_first_heard_however_slow() -> None:
    times = iter([0.0, 4.0, 4.0, 12.0])
    found = run_trial(FakeBackend(), FakeTokens(), [Said()] * 2, lambda: next(times), whole=True)  # type: ignore[arg-type]
    assert found.texts == ("0", "1") and found.processor_s == 8.0
    times = iter([0.0, 4.0])
    assert run_trial(FakeBackend(), FakeTokens(), [Said()], lambda: next(times), whole=True).texts == ("0",)  # type: ignore[arg-type]


def test_speed_of_no_time_at_all() -> None:
    assert replace(trial(), processor_s=0.0).speed > 1e9
