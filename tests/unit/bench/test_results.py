"""Results on disk: what was written is what is read, and nothing else is taken for one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import bench_runs
from talkie.bench.merge import merge, read_part
from talkie.bench.report import json_line
from talkie.bench.results import SCHEMA, read_result, write_result
from talkie.errors import InvalidValue


def test_a_result_comes_back_as_it_was(tmp_path: Path) -> None:
    run = bench_runs.run()
    write_result(tmp_path / "deep" / "run.json", run)
    assert read_result(tmp_path / "deep" / "run.json") == run
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["run.json"]


def test_the_last_line_of_what_was_printed_is_a_result(tmp_path: Path) -> None:
    run = bench_runs.run()
    values = run.as_json()
    printed = f"a table\n\nof some lines\n{json_line(values.pop('bench'), values)}\n"
    (tmp_path / "out.txt").write_text(printed)
    assert read_result(tmp_path / "out.txt") == run


def test_fields_of_a_later_version_are_passed_over(tmp_path: Path) -> None:
    run = bench_runs.run()
    values = run.as_json() | {"weather": "fine"}
    values["cases"][0]["mood"] = 1
    (tmp_path / "run.json").write_text(json.dumps(values))
    assert read_result(tmp_path / "run.json") == run


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[1, 2]",
        '{"bench": "wer"}',
        json.dumps({"bench": "speed", "schema": SCHEMA + 1, "machine": {}, "options": {}}),
        json.dumps({"bench": "speed", "schema": SCHEMA}),
        json.dumps({"bench": "speed", "schema": SCHEMA, "machine": {}, "options": {}, "cases": [{"model": "x"}]}),
        json.dumps({"bench": "speed", "schema": SCHEMA, "machine": {}, "options": {}, "cases": [3]}),
    ],
)
def test_what_is_no_result_is_a_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(InvalidValue):
        read_result(tmp_path / "run.json")


@pytest.mark.parametrize(
    ("part", "wrong"), [("wall_s", "fast"), ("cpu_s", [1]), ("latencies_s", ["x"]), ("client_s", [])]
)
def test_words_are_no_figures(tmp_path: Path, part: str, wrong: object) -> None:
    values = bench_runs.run().as_json()
    rows = (
        values["crowds"][0]["rounds"] if part.endswith("ies_s") or part == "client_s" else values["cases"][0]["samples"]
    )
    rows[0][part] = wrong
    (tmp_path / "run.json").write_text(json.dumps(values))
    with pytest.raises(InvalidValue, match="not as expected"):
        read_result(tmp_path / "run.json")


def test_a_file_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="cannot be read"):
        read_result(tmp_path / "nowhere.json")


def test_runs_of_one_machine_are_one_report(tmp_path: Path) -> None:
    run = bench_runs.run()
    files = replace(run, crowds=(), server={})
    crowds = replace(run, cases=(), server={}, limits={}, options={"clips_each": 4, "threads": 2})
    upload = {"upload_mb_s": 310.0, "machine": dict(bench_runs.MACHINE)}
    (tmp_path / "upload.txt").write_text("a table\n" + json_line("upload", upload))
    whole = merge([crowds, files, read_part(tmp_path / "upload.txt")])
    assert (whole.cases, whole.crowds, whole.limits) == (run.cases, run.crowds, run.limits)
    assert whole.server == {"upload_mb_s": 310.0}
    assert whole.options["threads"] == "2, 1"
    assert whole.models == run.models


def test_runs_that_do_not_go_together_are_refused() -> None:
    run = bench_runs.run()
    with pytest.raises(InvalidValue, match="different machines"):
        merge([run, replace(run, machine={**run.machine, "cores": 64})])
    with pytest.raises(InvalidValue, match="measured the same"):
        merge([run, run])
    with pytest.raises(InvalidValue, match="no result"):
        merge([])
