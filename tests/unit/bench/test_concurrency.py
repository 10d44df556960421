"""Crowds: turns as in rounds, the smallest first; throughput, waiting times and fairness."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench_children import Stage, failing
from talkie.bench.concurrency import CrowdTask, fairness, latency, run, throughput
from talkie.bench.directories import ModelDirectory
from talkie.bench.peers.child import LoadWish
from talkie.bench.recordings import Recording
from talkie.bench.results import CrowdRound


@pytest.fixture
def task(tmp_path: Path) -> CrowdTask:
    clips = [Recording(Path(f"{number}.wav"), "", "en", "synthetic", 5.0) for number in range(3)]
    model = ModelDirectory("tiny", tmp_path, "one two")
    return CrowdTask([model], clips, LoadWish(Path()), clients=(4, 1), each=2, rounds=2)


def test_one_process_takes_all_crowds_of_a_turn(task: CrowdTask) -> None:
    stage = Stage()
    crowds = run([stage.contender("a"), stage.contender("b")], task)
    assert [entry[0] for entry in stage.log if entry[1] == "start"] == ["a", "b"] * 2
    assert [entry[2] for entry in stage.log if entry[:2] == ("a", "clips")] == ["1", "4"] * 2
    assert [(crowd.contender, crowd.clients, len(crowd.rounds)) for crowd in crowds] == [
        ("a", 1, 2), ("a", 4, 2), ("b", 1, 2), ("b", 4, 2),
    ]  # fmt: skip
    assert crowds[1].rounds[0].audio_s == 40.0
    assert crowds[1].rounds[0].text_ok is True


def test_another_text_is_marked(task: CrowdTask) -> None:
    crowds = run([Stage().contender("a", lambda path: "two" if path.name == "1.wav" else "one two")], task)
    assert [crowd.rounds[0].text_ok for crowd in crowds] == [False, False]


def test_a_failure_is_told_and_not_tried_again(task: CrowdTask) -> None:
    stage = Stage()
    crowds = run([stage.contender("a", failing), stage.contender("b")], task)
    assert ["it cannot" in crowd.error for crowd in crowds] == [True, True, False, False]
    assert len([entry for entry in stage.log if entry == ("a", "start")]) == 1


def test_the_figures_of_a_crowd() -> None:
    one = CrowdRound(0, 2.0, 1.0, 40.0, (0.1, 0.2, 0.3, 0.4), (0.5, 0.5, 0.5, 1.5))
    assert throughput(one) == 20.0
    assert fairness(one) == 3.0
    assert latency(one, 50) == pytest.approx(0.25)
