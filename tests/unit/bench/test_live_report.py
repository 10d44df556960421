"""Live runs in tables, pages and verdicts; a run that was written is the same when it is read."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

import bench_runs
from talkie.bench.html_report import html
from talkie.bench.live_report import live_pictures, live_table
from talkie.bench.live_results import LiveRound, LiveRun, Spread, parse_run
from talkie.bench.markdown_report import markdown
from talkie.bench.merge import merge, read_part
from talkie.bench.results import read_result, write_result
from talkie.bench.verdicts import verdicts
from talkie.errors import InvalidValue


def round_of(sessions: int, p95: float, **changed: object) -> LiveRound:
    made = LiveRound(
        sessions,
        audio_s=60.0 * sessions,
        wall_s=65.0,
        utterances=9 * sessions,
        unanswered=0,
        first_partial=Spread(0.5, 0.9, 1.0, 9),
        emission=Spread(0.3, 0.8, 0.9, 40),
        final=Spread(p95 / 2, p95, p95 * 1.1, 9),
        wer=0.05,
        lag=Spread(0.1, 0.2, 0.3, 60),
        lag_most_s=0.4,
        cpu_per_audio_s=0.11,
        resident_mb=512.0,
    )
    return replace(made, **changed)


def live(*rounds: LiveRound, **changed: object) -> LiveRun:
    return replace(LiveRun("talkie", "tiny", False, rounds, options={"frame_ms": 40}), **changed)


RUN = live(round_of(1, 0.7), round_of(4, 1.1), round_of(10, 1.9), round_of(16, 3.0))


def test_the_most_sessions_held_in_one_go() -> None:
    assert RUN.capacity == 10
    assert live(round_of(1, 0.7), round_of(2, 2.4), round_of(4, 1.0)).capacity == 1
    assert live(round_of(1, 0.7), round_of(2, 0.7, failed={"busy": 1})).capacity == 1
    assert live(round_of(1, 0.7, unanswered=1)).capacity == 0
    assert live().capacity == 0


def test_the_table_says_all_of_it() -> None:
    table = live_table(RUN)
    assert table.rows[2][:5] == ("10", "0.50 / 0.90 / 1.00", "0.30 / 0.80 / 0.90", "0.95 / 1.90 / 2.09", "5.0 %")
    assert [row[-1] for row in table.rows] == ["yes", "yes", "yes", "NO"]
    assert "under 2 s: 10." in table.note
    assert "more were not tried" in live_table(live(round_of(1, 0.7))).note


def test_what_a_shape_true_model_writes_is_nobodys_words() -> None:
    run = live(round_of(1, 0.7, wer=None, emission=None, failed={"session_lagging": 2}), shape_true=True)
    table = live_table(run)
    assert "SPEED ONLY" in table.title
    assert (table.rows[0][2], table.rows[0][4]) == ("-", "-")
    assert "2 failed: session_lagging" in table.rows[0][-1]
    assert all("SPEED ONLY" in said for _, said, _ in live_pictures([run]))


def test_pictures_are_drawn_of_what_is_known() -> None:
    titles = [title for title, _, _ in live_pictures([RUN])]
    assert len(titles) == 4
    for _, _, drawn in live_pictures([RUN]):
        assert len([one for one in ET.fromstring(drawn).iter() if one.tag.endswith("circle")]) == 4
    bare = live(round_of(1, 0.7, wer=None, emission=None, cpu_per_audio_s=None))
    assert len(list(live_pictures([bare]))) == 2


def test_a_run_is_the_same_when_it_is_read_again(tmp_path: Path) -> None:
    assert parse_run(json.loads(json.dumps(RUN.as_json()))) == RUN
    result = replace(bench_runs.run(), live=(RUN,))
    write_result(tmp_path / "all.json", result)
    assert read_result(tmp_path / "all.json").live == (RUN,)


def test_it_stands_in_the_report_with_the_others(tmp_path: Path) -> None:
    printed = {"bench": "live", "runs": [RUN.as_json()], "machine": bench_runs.MACHINE}
    (tmp_path / "live.json").write_text(json.dumps(printed))
    write_result(tmp_path / "speed.json", bench_runs.run())
    result = merge([read_part(tmp_path / name) for name in ("speed.json", "live.json")])
    assert result.live == (RUN,)
    page, text = html(result), markdown(result)
    assert "Live sessions" in page and "0.95 / 1.90 / 2.09" in page
    assert "Live: talkie, tiny" in text
    with pytest.raises(InvalidValue, match="the same"):
        merge([read_part(tmp_path / "live.json")] * 2)


@pytest.mark.parametrize("runs", [[{}], [{"rounds": [{}]}], {}, None, [{"rounds": 3}]])
def test_what_is_no_run_is_refused(tmp_path: Path, runs: object) -> None:
    (tmp_path / "live.json").write_text(json.dumps({"bench": "live", "runs": runs, "machine": {}}))
    if runs == {}:
        assert read_part(tmp_path / "live.json").live == ()
        return
    with pytest.raises(InvalidValue):
        read_part(tmp_path / "live.json")


def test_the_goal_is_judged_by_one_session_and_says_how_many() -> None:
    def verdict(*runs: LiveRun) -> tuple[str, str]:
        found = next(one for one in verdicts(replace(bench_runs.run(), live=runs)) if one.goal.startswith("live"))
        return found.word, found.measured

    assert verdict() == ("not measured", "not measured")
    assert verdict(RUN) == ("met", "95 % of finals within 0.70 s; held up to 10 sessions")
    assert verdict(live(round_of(1, 2.5)))[0] == "MISSED"
    assert verdict(live(round_of(1, 0.7, final=None)))[0] == "MISSED"
