"""Goals: met, missed or not measured, from ratios in pairs and from nobody whose text was another one."""

from __future__ import annotations

from dataclasses import replace

import pytest

import bench_runs
from talkie.bench.metrics import Figure, best_of, compared, figures
from talkie.bench.results import Result
from talkie.bench.verdicts import Verdict, verdicts

SPEED = "at least 95 % of WhisperS2T's speed (by processor time)"


def found(result: Result, goal: str) -> list[Verdict]:
    return [one for one in verdicts(result) if one.goal == goal]


def test_a_fast_talkie_meets_what_was_measured() -> None:
    run = bench_runs.run()
    assert {one.goal for one in verdicts(run) if one.met is None} == {"live text under 2 s"}
    assert all(one.met is not False for one in verdicts(run))
    assert {one.where for one in found(run, "at least WhisperS2T's concurrency")} == {
        "tiny, 1 client", "tiny, 4 clients", "tiny, 10 clients", "tiny, 16 clients",
    }  # fmt: skip


def test_a_slow_talkie_misses_all_that_it_is_measured_by() -> None:
    run = replace(bench_runs.run({**bench_runs.RATES, "talkie": 4.0}), server={"upload_mb_s": 9.9})
    assert {one.goal for one in verdicts(run) if one.met is False} == {one.goal for one in verdicts(run)} - {
        "live text under 2 s"
    }


@pytest.mark.parametrize(("rate", "met"), [(42.0, True), (40.5, True), (38.0, False)])
def test_a_little_slower_is_allowed(rate: float, met: bool) -> None:
    [speed] = found(bench_runs.run({**bench_runs.RATES, "talkie": rate}, rounds=31), SPEED)
    assert speed.met is met


def test_the_fastest_variant_of_the_peer_counts() -> None:
    run = bench_runs.run({**bench_runs.RATES, "whispers2t:batch-16": 200.0})
    assert best_of(figures(run), "whispers2t", Figure("rtfx", "talkie", "tiny", "5min-en-16k")) == "whispers2t:batch-16"
    [speed] = found(run, SPEED)
    assert speed.met is False


def test_a_peer_with_another_text_counts_for_nothing() -> None:
    run = bench_runs.run()
    wrong = [
        replace(one, samples=tuple(replace(sample, text_ok=False) for sample in one.samples))
        if one.peer == "whispers2t"
        else one
        for one in run.cases
    ]
    [speed] = found(replace(run, cases=tuple(wrong)), SPEED)
    assert (speed.met, speed.where) == (None, "tiny, 5min-en-16k")
    assert "no figure of WhisperS2T that counts" in speed.measured


def test_nothing_measured_is_nothing_claimed() -> None:
    empty = Result(machine={}, options={})
    assert all(one.met is None and "not measured" in one.measured for one in verdicts(empty))


def test_somebody_who_waits_twice_as_long_is_not_ten_users() -> None:
    run = bench_runs.run()
    starved = [
        replace(one, rounds=tuple(replace(each, client_s=(1.0,) * 9 + (9.0,)) for each in one.rounds))
        for one in run.crowds
    ]
    [users] = found(replace(run, crowds=tuple(starved)), "10 users at once")
    assert users.met is False
    assert "9.00 times" in users.measured


def test_ratios_are_taken_within_rounds() -> None:
    run = bench_runs.run()
    ours = Figure("audio_per_cpu_s", "talkie", "tiny", "5min-en-16k")
    values = figures(run)
    slow = {
        figure: {number: value / (1 + number) for number, value in rounds.items()} for figure, rounds in values.items()
    }
    assert compared(values, ours, "whispers2t:batch-8") == compared(slow, ours, "whispers2t:batch-8")
    assert compared(values, ours, "nobody") is None
