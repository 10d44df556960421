"""Turns: interleaved, each in a fresh process with a warm-up; failures are told and end nobody else's run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench_children import Stage, failing
from talkie.bench.directories import ModelDirectory
from talkie.bench.peers.child import LoadWish
from talkie.bench.recordings import Recording
from talkie.bench.rounds import Board, Key, Task, failures, run

LONG = ("long", Recording(Path("long.wav"), "", "en", "synthetic", 30.0))
SHORT = ("short", Recording(Path("short.wav"), "", "en", "synthetic", 5.0))


@pytest.fixture
def task(tmp_path: Path) -> Task:
    model = ModelDirectory("tiny", tmp_path, "one two")
    return Task([model], [LONG, SHORT], Path("warm.wav"), LoadWish(Path(), threads=1), rounds=2)


def test_contenders_take_turns(task: Task) -> None:
    stage = Stage()
    run([stage.contender("a"), stage.contender("b")], task, Board())
    assert [entry[0] for entry in stage.log if entry[1] == "start"] == ["a", "b"] * 3


def test_a_turn_loads_warms_up_and_hears_the_shortest_first(task: Task) -> None:
    stage = Stage()
    run([stage.contender("a")], replace(task, rounds=1), Board())
    measured = stage.log[stage.log.index(("a", "end")) + 1 :]
    assert [entry[1:] for entry in measured] == [
        ("start",),
        ("load", task.models[0].directory.name),
        ("hear", "warm.wav"),
        ("hear", "short.wav"),
        ("hear", "short.wav"),
        ("hear", "long.wav"),
        ("hear", "long.wav"),
        ("end",),
    ]


def test_what_was_measured_is_kept_by_round(task: Task) -> None:
    short, long = run([Stage().contender("a")], task, Board())
    assert (short.workload, long.workload, long.audio_s) == ("short", "long", 30.0)
    assert [sample.round for sample in long.samples] == [0, 1]
    first = long.samples[0]
    assert (first.import_s, first.load_cpu_s, first.wall_s, first.cpu_s) == (0.1, 0.4, 2.0, 1.5)
    assert (first.peak_bytes, first.passes, first.text_ok) == (123_000_000, 1, True)
    assert (long.versions, long.settings, long.install_bytes) == ({"fake": "1"}, {"batch": 8}, 5)


def test_another_text_is_marked(task: Task) -> None:
    cases = run([Stage().contender("a", lambda _: "one two two")], task, Board())
    assert not any(case.text_ok for case in cases)
    assert all(case.samples[0].passes is None for case in cases)


def test_who_fails_at_one_file_still_hears_the_others(task: Task) -> None:
    stage = Stage()
    liar = stage.contender("a", lambda path: failing(path) if path.name == "short.wav" else "one two")
    short, long, *others = run([liar, stage.contender("b")], task, Board())
    assert "it cannot" in short.error
    assert short.samples == ()
    assert (long.error, len(long.samples)) == ("", 2)
    assert all(len(case.samples) == 2 for case in others)
    assert [entry for entry in stage.log if entry == ("a", "hear", "short.wav")] == [("a", "hear", "short.wav")]
    assert list(failures([short, long])) == [f"a on tiny, short: {short.error}"]


def test_who_cannot_start_is_not_asked_again(task: Task) -> None:
    stage = Stage()
    cases = run([stage.contender("a", failing)], task, Board())
    assert [entry[1] for entry in stage.log] == ["start", "load", "hear"]
    assert all("it cannot" in case.error for case in cases)


def test_texts_are_handed_on(task: Task) -> None:
    heard: list[tuple[Key, str]] = []
    run([Stage().contender("a")], task, Board(heard=lambda key, _recording, text, _wall_s: heard.append((key, text))))
    assert heard[0] == (Key("a", "tiny", "short"), "one two")
    assert len(heard) == 4
