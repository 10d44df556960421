"""Regressions: found when they are there, not when the machine or chance did it; baselines hold ratios only."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import bench_runs
from talkie.bench.compare import Change, Ratios, Strictness, compare, ratios, read_ratios, write_baseline
from talkie.bench.results import Result, write_result
from talkie.errors import InvalidValue

TIMES = ("import_s", "import_cpu_s", "load_s", "load_cpu_s", "wall_s", "cpu_s", "first_segment_s")
SLOWER = {**bench_runs.RATES, "talkie": 85.0}


def change(old: Result, new: Result, metric: str = "audio_per_cpu_s") -> Change:
    [found] = [one for one in compare(ratios(old), ratios(new)).changes if one.figure[0::3] == (metric, "5min-en-16k")]
    return found


def slowed(run: Result, times: float) -> Result:
    """The same run on a machine that is so many times slower."""
    cases = [
        replace(
            case,
            samples=tuple(replace(one, **{name: getattr(one, name) * times for name in TIMES}) for one in case.samples),
        )
        for case in run.cases
    ]
    return replace(run, cases=tuple(cases))


def test_a_slower_talkie_is_found() -> None:
    old, new = bench_runs.run(), bench_runs.run(SLOWER, seed=1)
    found = change(old, new)
    assert found.finding == "worse"
    assert found.change == pytest.approx(0.85, abs=0.04)
    assert compare(ratios(old), ratios(new)).failed


def test_a_faster_talkie_is_no_failure() -> None:
    comparison = compare(ratios(bench_runs.run(SLOWER)), ratios(bench_runs.run(seed=1)))
    assert change(bench_runs.run(SLOWER), bench_runs.run(seed=1)).finding == "better"
    assert not comparison.failed


def test_chance_is_no_regression() -> None:
    assert not compare(ratios(bench_runs.run()), ratios(bench_runs.run(seed=7))).failed


def test_a_slower_machine_is_no_regression() -> None:
    old = bench_runs.run()
    found = compare(ratios(old), ratios(slowed(old, 3.0)))
    assert {one.finding for one in found.changes} == {"same"}


def test_more_memory_is_a_regression_too() -> None:
    old = bench_runs.run()
    fat = [
        replace(case, samples=tuple(replace(one, peak_bytes=2 * one.peak_bytes) for one in case.samples))
        if case.contender == "talkie"
        else case
        for case in old.cases
    ]
    new = replace(old, cases=tuple(fat))
    assert change(old, new, "peak_mb").finding == "worse"
    assert change(old, new).finding == "same"


def test_too_few_rounds_say_so() -> None:
    old, new = bench_runs.run(rounds=2), bench_runs.run(SLOWER, rounds=2)
    assert change(old, new).finding == "too few rounds"
    assert not compare(ratios(old), ratios(new)).failed


def test_a_failure_or_another_text_is_a_regression() -> None:
    old = bench_runs.run()
    ours, *others = old.cases
    failed = replace(ours, samples=(), error="it fell over")
    other_text = replace(ours, samples=tuple(replace(one, text_ok=False) for one in ours.samples))
    for broken in (failed, other_text):
        new = replace(old, cases=(broken, *others))
        assert change(old, new).finding == "broken"
        assert compare(ratios(old), ratios(new)).failed


def test_what_was_not_measured_again_is_no_regression() -> None:
    old = bench_runs.run()
    found = compare(ratios(old), ratios(replace(old, crowds=())))
    assert {one.finding for one in found.changes if "clients" in one.figure.workload} == {"not measured"}
    assert not found.failed


def test_a_baseline_stands_for_a_run_and_holds_no_times(tmp_path: Path) -> None:
    old, new = bench_runs.run(), bench_runs.run(SLOWER, seed=1)
    write_baseline(tmp_path / "baseline.json", ratios(old))
    write_result(tmp_path / "new.json", new)
    kept = json.loads((tmp_path / "baseline.json").read_text())
    assert set(kept) == {"bench", "schema", "reference", "processor", "figures"}
    assert set(kept["figures"][0]) == {"metric", "contender", "model", "workload", "ratios"}
    by_file = compare(read_ratios(tmp_path / "baseline.json"), read_ratios(tmp_path / "new.json"))
    assert [one.finding for one in by_file.changes] == [
        one.finding for one in compare(ratios(old), ratios(new)).changes
    ]


@pytest.mark.parametrize(
    "wrong", [{"schema": 99}, {"figures": [{}]}, {"figures": [{"metric": "rtfx", "contender": "talkie", "model": "a",
              "workload": "b", "ratios": [0.0]}]}]
)  # fmt: skip
def test_a_damaged_baseline_is_a_clear_error(tmp_path: Path, wrong: dict[str, object]) -> None:
    path = tmp_path / "baseline.json"
    write_baseline(path, ratios(bench_runs.run()))
    path.write_text(json.dumps(json.loads(path.read_text()) | wrong))
    with pytest.raises(InvalidValue):
        read_ratios(path)


def test_the_reference_must_have_taken_part() -> None:
    with pytest.raises(InvalidValue) as caught:
        ratios(bench_runs.run(), "whisper.cpp")
    assert "whispers2t:batch-8" in caught.value.hint


def test_what_has_nothing_in_common_is_not_compared() -> None:
    run = ratios(bench_runs.run())
    with pytest.raises(InvalidValue, match="no figure in common"):
        compare(run, Ratios(run.reference, {}))
    with pytest.raises(InvalidValue, match="cannot be compared"):
        compare(run, replace(run, reference="somebody"))


def test_strictness_is_the_users() -> None:
    old, new = ratios(bench_runs.run()), ratios(bench_runs.run(SLOWER, seed=1))
    assert not compare(old, new, Strictness(tolerance=0.5)).failed
    assert not compare(old, new, Strictness(alpha=0.0001)).failed
